import type { ArchiveIndex } from '../archive/archive-index.js'
import type { LineageEntry } from '../registry/registry.js'
import type { Backup } from './list-backups.js'

export interface PruneRules {
  /** How many of the newest stay. */
  readonly keep: number
  /** How old an archive must be, in days, before it may go. */
  readonly keepDays: number
}

export interface PrunedBackup {
  readonly backup: Backup
  readonly isRemoved: boolean
  /** Why it stays or goes, in words. */
  readonly reason: string
}

/** The archives that one instance has exported or imported. */
export interface History {
  /** Null where the archives come from a database without a registry. */
  readonly instance: string | null
  readonly archiveIds: ReadonlySet<string>
}

const DAY_MS = 86_400_000

/**
 * Decides which archives may go: those beyond the newest `keep` that are older than `keepDays`. What cannot be read stays, since nobody knows
 * what it is; so does the base of a merge: the newest archive that two instances have in common. `backups` newest first. Pure.
 */
export function planPrune(
  backups: readonly Backup[],
  own: readonly History[],
  rules: PruneRules,
  now: Date = new Date(),
): PrunedBackup[] {
  const bases = findMergeBases(backups, [...own, ...historiesIn(backups)])
  return backups.map((backup, position) => {
    const stay = (reason: string): PrunedBackup => ({ backup, isRemoved: false, reason })
    if (backup.index === null) return stay('cannot be read')
    const ageDays = (now.getTime() - timeOf(backup)) / DAY_MS
    if (position < rules.keep) return stay(`one of the newest ${rules.keep}`)
    if (ageDays < rules.keepDays) return stay(`younger than ${rules.keepDays} days`)
    if (bases.has(backup.index.id)) return stay('the base of a merge')
    return { backup, isRemoved: true, reason: `${Math.floor(ageDays)} days old` }
  })
}

/** What the newest archive of each instance knows of that instance's past. */
function historiesIn(backups: readonly Backup[]): History[] {
  const newest = new Map<string, ArchiveIndex>()
  for (const { index } of backups.toSorted((a, b) => timeOf(b) - timeOf(a))) {
    const instance = index?.source.instance ?? null
    if (index !== null && instance !== null && !newest.has(instance)) newest.set(instance, index)
  }
  return [...newest].map(([instance, { id, lineage }]) => historyOf(instance, [id], lineage))
}

export function historyOf(
  instance: string | null,
  archiveIds: readonly string[],
  lineage: readonly LineageEntry[],
): History {
  return { instance, archiveIds: new Set([...archiveIds, ...lineage.map(({ archiveId }) => archiveId)]) }
}

/** For every two instances the newest archive that both know. */
function findMergeBases(backups: readonly Backup[], histories: readonly History[]): Set<string> {
  const ids = backups
    .toSorted((a, b) => timeOf(b) - timeOf(a))
    .flatMap(({ index }) => (index === null ? [] : [index.id]))
  const bases = histories.flatMap((one, position) =>
    histories.slice(position + 1).flatMap((other) => {
      if (one.instance !== null && one.instance === other.instance) return []
      return ids.find((id) => one.archiveIds.has(id) && other.archiveIds.has(id)) ?? []
    }),
  )
  return new Set(bases)
}

function timeOf({ index, createdAt, modifiedAt }: Backup): number {
  return index === null ? (createdAt ?? modifiedAt).getTime() : Date.parse(index.created_at)
}
