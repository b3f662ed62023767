import fc from 'fast-check'
import { expect, test } from 'vitest'
import { masterIdEnd } from '../../src/archive/master-id.js'

const PREFIX = '{"master_id":'

test('finds the end of any JSON value, and asks for more until it has it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(',"a":1}', '}'), (value, rest) => {
      const json = JSON.stringify(value)
      const bytes = Buffer.from(`${PREFIX}${json}${rest}\n`)
      const end = PREFIX.length + Buffer.byteLength(json)
      expect(masterIdEnd(bytes, 0, bytes.length)).toBe(end)
      for (let to = 0; to < end; to++) expect(masterIdEnd(bytes, 0, to)).toBe(-1)
    }),
  )
})

test.each(['[1, "b,}]"]', '["a\\"]", {"b": [] } ]', '{"a":"}"}', '-1.5e+10', '0', 'true'])('takes %s', (value) => {
  const bytes = Buffer.from(`${PREFIX}${value},"a":1}`)
  expect(masterIdEnd(bytes, 0, bytes.length)).toBe(PREFIX.length + value.length)
})

test.each([
  '',
  '01',
  '1 ',
  '+1',
  'nul',
  'NaN',
  "'a'",
  '[1,]',
  '[}',
  '["\\x"]',
  '"\\x"',
  '"a\u0002"',
  '[\u0002]',
  '1\u0002',
  '[1\n2]',
  '.5',
])('refuses %j', (value) => {
  const bytes = Buffer.from(`${PREFIX}${value},"a":1}`)
  expect(masterIdEnd(bytes, 0, bytes.length)).toBe(-2)
})

test.each(['\\.', '{"master_ic":1}', '{ "master_id":1}', '[1]', '\ufeff{"master_id":1}'])(
  'refuses a line that begins as %j',
  (line) => {
    const bytes = Buffer.from(line)
    expect(masterIdEnd(bytes, 0, bytes.length)).toBe(-2)
  },
)
