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

/**
 * Stops where history and files disagree.
 *
 * Error: MIGRATION_DRIFT with every file concerned.
 */
export function assertNoDrift({ changed, missing }: LedgerComparison, inserted: readonly LoadedMigration[]): void {
  const findings = [
    ...changed.map(({ id }) => `${id}: its text was changed after it was applied`),
    ...missing.map(({ id, appliedAt }) => `${id}: its file is missing; it was applied at ${appliedAt}`),
    ...inserted.map(({ file }) => `${file.id}: is new, and comes before migrations that were applied`),
  ]
  if (findings.length === 0) return
  throw new UnderstudyError('MIGRATION_DRIFT', 'the migration files do not match what was applied', {
    detail: findings.join('\n'),
    hint: 'Bring the files back as they were; a change goes into a new migration with the next number.',
  })
}
