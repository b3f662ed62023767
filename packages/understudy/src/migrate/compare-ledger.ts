import { UnderstudyError } from '../errors.js'
import type { LedgerRow } from './ledger.js'
import type { LoadedMigration } from './load-migration.js'
import type { MigrationFile } from './migration-files.js'

/** Files and ledger compared as sets: no number is taken for a high-water mark. */
export interface LedgerComparison {
  /** Files that the ledger does not have. */
  readonly unapplied: readonly MigrationFile[]
  /** Applied, and the file's text is another one now. */
  readonly changed: readonly MigrationFile[]
  /** Applied, and there is no such file. */
  readonly missing: readonly LedgerRow[]
}

export function compareLedger(files: readonly MigrationFile[], ledger: readonly LedgerRow[]): LedgerComparison {
  const rows = new Map(ledger.map((row) => [row.id, row]))
  const ids = new Set(files.map(({ id }) => id))
  return {
    unapplied: files.filter(({ id }) => !rows.has(id)),
    changed: files.filter(({ id, checksum }) => rows.has(id) && rows.get(id)?.checksum !== checksum),
    missing: ledger.filter(({ id }) => !ids.has(id)),
  }
}

/** Migrations that came in before applied ones: the database was built without them. Manual ones may stay behind. */
export function findInserted(
  unapplied: readonly LoadedMigration[],
  ledger: readonly LedgerRow[],
): readonly LoadedMigration[] {
  const last = Math.max(...ledger.map(({ id }) => Number.parseInt(id, 10)))
  return unapplied.filter(({ file, isManualOnly }) => !isManualOnly && file.number < last)
}

/** A place where files, ledger and mirror disagree. */
export interface DriftFinding {
  readonly kind: 'changed' | 'missing' | 'inserted' | 'unadopted'
  readonly id: string
  readonly text: string
}

/** The word that lets a run go on in spite of a finding: `changed:002_posts`. */
export function overrideOf({ kind, id }: DriftFinding): string {
  return `${kind}:${id}`
}

export function findDrift(
  { changed, missing, unapplied }: LedgerComparison,
  inserted: readonly LoadedMigration[],
): readonly DriftFinding[] {
  return [
    ...changed.map(({ id }) => finding('changed', id, 'its text was changed after it was applied')),
    ...missing.map((row) => finding('missing', row.id, describeMissing(row, unapplied))),
    ...inserted.map(({ file }) =>
      finding('inserted', file.id, 'is new, and comes before migrations that were applied'),
    ),
  ]
}

/** Ids that only the application's own list has: something else than this ledger's runner has applied them. */
export function findUnadopted(
  mirrored: readonly string[],
  ledger: readonly LedgerRow[],
  mirrorName: string,
): readonly DriftFinding[] {
  const known = new Set(ledger.map(({ id }) => id))
  return mirrored
    .filter((id) => !known.has(id))
    .map((id) => finding('unadopted', id, `stands in ${mirrorName}, and not in the ledger`))
}

/**
 * Stops where files, ledger and mirror disagree and no override names the finding. Returns the overrides that were needed.
 *
 * Error: MIGRATION_DRIFT with every finding, and the word that allows it.
 */
export function assertNoDrift(
  findings: readonly DriftFinding[],
  allow: readonly string[] = [],
): readonly DriftFinding[] {
  const refused = findings.filter((one) => !allow.includes(overrideOf(one)))
  if (refused.length === 0) return findings
  throw new UnderstudyError('MIGRATION_DRIFT', 'the migration files do not match what was applied', {
    detail: refused.map((one) => `${one.id}: ${one.text}; to go on: --allow-drift ${overrideOf(one)}`).join('\n'),
    hint: hintFor(refused),
  })
}

function hintFor(findings: readonly DriftFinding[]): string {
  const kinds = new Set(findings.map(({ kind }) => kind))
  const advice = [
    kinds.has('changed') &&
      'Bring changed files back as they were, and put the change into a new migration; `understudy migrate repair` accepts a change that makes no difference.',
    kinds.has('missing') && 'Bring missing files back.',
    kinds.has('inserted') && 'Give a new migration the next number.',
    kinds.has('unadopted') && '`understudy migrate baseline` adopts what the application’s own list has.',
  ]
  return advice.filter(Boolean).join(' ')
}

function describeMissing({ checksum, appliedAt }: LedgerRow, unapplied: readonly MigrationFile[]): string {
  const twin = unapplied.find((file) => file.checksum === checksum)
  const guess = twin ? `, and ${twin.id} has its text: was it renamed?` : ''
  return `its file is missing; it was applied at ${appliedAt}${guess}`
}

function finding(kind: DriftFinding['kind'], id: string, text: string): DriftFinding {
  return { kind, id, text }
}
