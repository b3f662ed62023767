import { expect, test } from 'vitest'
import type { Backup } from '../../src/backups/list-backups.js'
import { historyOf, planPrune } from '../../src/backups/plan-prune.js'

const NOW = new Date('2026-11-22T12:00:00Z')
const HERE = 'here'

interface Facts {
  readonly id: string
  readonly days: number
  readonly instance?: string | null
  readonly lineage?: readonly string[]
  readonly isBroken?: boolean
}

const backupOf = ({ id, days, instance = 'there', lineage = [], isBroken = false }: Facts): Backup => {
  const at = new Date(NOW.getTime() - days * 86_400_000)
  const index = {
    id,
    created_at: at.toISOString(),
    source: { instance, server_version: '18', database: 'x' },
    lineage: lineage.map((archiveId) => ({ archiveId, direction: 'import', sourceInstance: null })),
  } as unknown as Backup['index']
  return { path: id, name: id, createdAt: at, modifiedAt: at, bytes: 1, index: isBroken ? null : index, problem: null }
}

const removedOf = (facts: readonly Facts[], own: readonly string[] = [], rules = { keep: 1, keepDays: 30 }) =>
  planPrune(facts.map(backupOf), own.length === 0 ? [] : [historyOf(HERE, own, [])], rules, NOW)
    .filter(({ isRemoved }) => isRemoved)
    .map(({ backup }) => backup.name)

test('what is among the newest or young enough stays, whichever keeps more', () => {
  const all = [1, 20, 40, 60].map((days) => ({ id: `d${days}`, days }))
  expect(removedOf(all)).toEqual(['d40', 'd60'])
  expect(removedOf(all, [], { keep: 3, keepDays: 0 })).toEqual(['d60'])
  expect(removedOf(all, [], { keep: 0, keepDays: 50 })).toEqual(['d60'])
  expect(removedOf(all, [], { keep: 0, keepDays: 0 })).toEqual(['d1', 'd20', 'd40', 'd60'])
  expect(removedOf(all, [], { keep: 9, keepDays: 0 })).toEqual([])
})

test('what cannot be read stays', () => {
  const all = [
    { id: 'new', days: 1 },
    { id: 'broken', days: 90, isBroken: true },
  ]
  expect(removedOf(all)).toEqual([])
})

test('the newest archive that this database and a source have in common stays, older ones may go', () => {
  const all = [
    { id: 'x3', days: 1, lineage: ['x2', 'x1'] },
    { id: 'x2', days: 50, lineage: ['x1'] },
    { id: 'x1', days: 60 },
  ]
  expect(removedOf(all, ['x2', 'x1'])).toEqual(['x1'])
  expect(removedOf(all, ['x1'])).toEqual(['x2'])
  expect(removedOf(all)).toEqual(['x2', 'x1'])
})

test("an export of this database is a base once the other side's archive names it", () => {
  const own = { id: 'e1', days: 70, instance: HERE }
  const plain = [{ id: 'x1', days: 1, lineage: [] }, own]
  expect(removedOf(plain, ['e1'])).toEqual(['e1'])
  expect(removedOf([{ id: 'x1', days: 1, lineage: ['e1'] }, own], ['e1'])).toEqual([])
})

test('two others in the folder have their base kept too', () => {
  const all = [
    { id: 'a2', days: 1, instance: 'a', lineage: ['base'] },
    { id: 'b2', days: 2, instance: 'b', lineage: ['base', 'older'] },
    { id: 'base', days: 90, instance: 'a' },
    { id: 'older', days: 99, instance: 'b' },
  ]
  expect(removedOf(all)).toEqual(['older'])
})
