import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignFileNames, isSafeFileName } from '../../src/archive/file-names.js'

const inPublic = (name: string) => ({ schema: 'public', name })

test('names the file of a plain table after it, with its schema unless that is public', () => {
  expect(assignFileNames([inPublic('events'), { schema: 'stage', name: 'events' }])).toEqual([
    'events.json',
    'stage.events.json',
  ])
})

test.each([
  ['two names that differ in case', [inPublic('t'), inPublic('T')]],
  ['two names that read alike', [inPublic('a b'), inPublic('a-b'), inPublic('a_b'), inPublic('ä_b')]],
  ['one name in two schemas', [{ schema: 's1', name: 't' }, { schema: 's2', name: 't' }, inPublic('s1.t')]],
  ['names that lead elsewhere', [inPublic('a/../b'), inPublic('../b'), inPublic('/b'), inPublic('..'), inPublic('.')]],
  ['the name of the index', [inPublic('backup-index'), inPublic('backup_index')]],
  ['names of devices', [inPublic('CON'), inPublic('con'), inPublic('lpt1'), { schema: 'nul', name: 't' }]],
  [
    '63 bytes of umlauts',
    [inPublic('ä'.repeat(31)), inPublic('ü'.repeat(31)), { schema: 'ö'.repeat(31), name: 'ä'.repeat(31) }],
  ],
  ['two plain names of 63 bytes', [{ schema: 's'.repeat(63), name: 't'.repeat(63) }]],
  ['a dash in front, spaces, nothing readable', [inPublic('-rf'), inPublic(' '), inPublic('\u{1f600}'), inPublic('"')]],
])('keeps safe and apart: %s', (_, relations) => {
  const names = assignFileNames(relations)
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(relations.length)
  for (const name of names) expect(isSafeFileName(name), name).toBe(true)
  expect(names).not.toContain('backup-index.json')
})

test('gives safe and single names to any set of relations, each independent of the others', () => {
  const name = fc.string({ minLength: 1, maxLength: 63, unit: 'binary' })
  const relation = fc.record({ schema: fc.oneof(fc.constant('public'), name), name })
  fc.assert(
    fc.property(
      fc.uniqueArray(relation, { selector: (one) => JSON.stringify([one.schema, one.name]) }),
      (relations) => {
        const names = assignFileNames(relations)
        expect(new Set(names.map((file) => file.toLowerCase())).size).toBe(relations.length)
        for (const [at, file] of names.entries()) {
          expect(isSafeFileName(file)).toBe(true)
          expect(assignFileNames(relations.slice(at, at + 1))).toEqual([file])
        }
      },
    ),
    { numRuns: 30 },
  )
})

test('refuses one relation given twice', () => {
  expect(() => assignFileNames([inPublic('t'), inPublic('t')])).toThrow(
    expect.objectContaining({ code: 'ARCHIVE_ENTRY_REFUSED', detail: 'public.t\npublic.t' }),
  )
})

test.each([
  '../a.json',
  'a/b.json',
  '/a.json',
  'A.json',
  '.a.json',
  '-a.json',
  'a.txt',
  'con.json',
  `${'a'.repeat(99)}.json`,
  'a\\b.json',
  '',
])('does not call %j safe', (name) => {
  expect(isSafeFileName(name)).toBe(false)
})
