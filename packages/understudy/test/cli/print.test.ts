import { expect, test } from 'vitest'
import { formatTable, printable } from '../../src/cli/print/table.js'
import { formatBytes, formatCount, formatDuration, formatRate } from '../../src/cli/print/units.js'

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [999_949, '999.9 kB'],
  [999_950, '1.0 MB'],
  [5e15, '5000.0 TB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

test.each([
  [0.4, '0 ms'],
  [999.4, '999 ms'],
  [999.5, '1.00 s'],
  [59_994, '59.99 s'],
  [59_995, '1 min 00 s'],
  [3_599_400, '59 min 59 s'],
  [3_600_000, '1 h 00 min'],
])('%d ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

test('counts and rates have separators', () => {
  expect(formatCount(1234567)).toBe('1,234,567')
  expect(formatRate(5000, 250)).toBe('20,000 rows/s')
  expect(formatRate(5000, 0)).toBe('')
})

test('a table is aligned by what is seen, colours and combining marks left out', () => {
  const columns = [{ title: 'name' }, { title: 'rows', align: 'right' as const }, { title: 'notes' }]
  const rows = [
    ['\u001B[32müser\u0308\u001B[39m', '1', ''],
    ['a', '1,000', 'x'],
  ]
  expect(formatTable(columns, rows)).toEqual([
    'name   rows  notes',
    '────  ─────  ─────',
    '\u001B[32müser\u0308\u001B[39m      1',
    'a     1,000  x',
  ])
})

test('a name cannot drive the terminal', () => {
  expect(printable('a\u001B[2Jb\nc\u202Ed')).toBe('a\\u001b[2Jb\\u000ac\\u202ed')
})

test('a table that is wider than the terminal breaks the cells that may be broken', () => {
  const columns = [{ title: 'name' }, { title: 'notes', isWrapped: true }]
  const rows = [
    ['a', 'one two three four five'],
    ['a_name_of_its_own', 'six'],
  ]
  expect(formatTable(columns, rows, 33)).toEqual([
    'name               notes',
    '─────────────────  ──────────────',
    'a                  one two three',
    '                   four five',
    'a_name_of_its_own  six',
  ])
})
