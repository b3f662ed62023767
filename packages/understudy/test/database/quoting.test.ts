import { describe, expect, test } from 'vitest'
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../../src/database/quoting.js'
import { engines, withTestDatabase } from '../support/engines.js'

const names = ['we"ird', 'Ünï', 'table', 'a b', "it's", 'back\\slash', 'Upper', '"', '$1', 'a;--']

describe.each(engines)('names and literals on $name', (engine) => {
  test.each(names)('%s is found again as it is written', async (name) => {
    await withTestDatabase(engine, ({ database }) =>
      database.withSession(async (session) => {
        const relation = quoteQualified({ schema: name, name })
        await session.script(
          `create schema ${quoteIdentifier(name)}; create table ${relation} (${quoteIdentifier(name)} text)`,
        )
        await session.writeLines({ table: relation, columns: [quoteIdentifier(name)] }, lines('value\n'))
        expect(
          await session.query(`select ${quoteIdentifier(name)}, ${quoteLiteral(name)} as literal from ${relation}`),
        ).toEqual([{ [name]: 'value', literal: name }])
      }),
    )
  })
})

async function* lines(text: string) {
  yield Buffer.from(text)
}
