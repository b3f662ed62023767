import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeTextArray, encodeValue } from '../../src/database/values.js'
import { engines, withTestDatabase } from '../support/engines.js'

const element = fc.option(
  fc.string({ unit: fc.constantFrom('a', '"', '\\', '{', '}', ',', ' ', '\n', 'NULL', 'ü', '=') }),
)

describe('arrays of text', () => {
  test('are decoded to what was encoded', () => {
    fc.assert(
      fc.property(fc.array(element), (elements) => {
        expect(decodeTextArray(encodeValue(elements) ?? '')).toEqual(elements)
      }),
    )
  })

  test('are decoded with lower bounds other than one', () => {
    expect(decodeTextArray('[0:1]={a,b}')).toEqual(['a', 'b'])
  })

  test.each(engines)('are the same to $name', async (engine) => {
    await withTestDatabase(engine, ({ database }) =>
      database.withSession((session) =>
        fc.assert(
          fc.asyncProperty(fc.array(element), async (elements) => {
            const [row] = await session.query('select $1::text[] as back, cardinality($1::text[]) as length', [
              elements,
            ])
            expect(row).toEqual({ back: elements, length: elements.length })
          }),
          { numRuns: 50 },
        ),
      ),
    )
  })
})
