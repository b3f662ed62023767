import type { Settings } from '../config/settings.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import type { LedgerRow } from './ledger.js'
import { type LoadedMigration, loadMigrations } from './load-migration.js'
import { type MigrationProject, type MigrationRecords, readProject, readRecords } from './read-project.js'
import { resolveHint } from './unfinished.js'

export interface VerifyResult {
  /** Safe to print. */
  readonly database: string
  /** How many files, and how many rows of the ledger, were compared. */
  readonly fileCount: number
  readonly appliedCount: number
  readonly findings: readonly VerifyFinding[]
}

export interface VerifyFinding {
  /** `order`: applied after one with a higher number; `package`: the ledger has it in another one than the configuration. */
  readonly kind: 'unfinished' | 'changed' | 'missing' | 'inserted' | 'unadopted' | 'order' | 'package'
  readonly id: string
  readonly text: string
}

/**
 * Compares files, ledger and the application's own list in every respect: checksums, order, packages, files that are gone, migrations
 * that were begun and not finished. Reads and evaluates every file; writes nothing.
 *
 * Error: MIGRATION_FILES_INVALID.
 */
export async function migrateVerify(
  settings: Settings,
  options: DatabaseOptions & { readonly allow?: readonly string[] | undefined } = {},
): Promise<VerifyResult> {
  const project = await readProject(settings, options)
  const loaded = await loadMigrations([...project.files, ...project.archived], settings.root)
  return await withDatabase(settings, options, async (database) => {
    const records = await database.withSession((session) =>
      session.abortable(options.signal, () => readRecords(session, project)),
    )
    const findings = findingsOf(project, records, loaded)
    return {
      database: database.label,
      fileCount: loaded.length,
      appliedCount: records.ledger.length + records.archivedLedger.length,
      findings: findings.filter(({ kind, id }) => !options.allow?.includes(`${kind}:${id}`)),
    }
  })
}

function findingsOf(
  project: MigrationProject,
  { ledger, archivedLedger, findings }: MigrationRecords,
  loaded: readonly LoadedMigration[],
): VerifyFinding[] {
  const unfinished = [...ledger, ...archivedLedger].filter(({ state }) => state === 'unfinished')
  return [
    ...unfinished.map(({ id, archive }) => ({
      kind: 'unfinished' as const,
      id,
      text: `needs attention. ${resolveHint(id, archive)}`,
    })),
    ...findings,
    ...findOutOfOrder(ledger, loaded),
    ...findMoved(ledger, project),
  ]
}

/** Manual migrations run when somebody wants them to. */
function findOutOfOrder(ledger: readonly LedgerRow[], loaded: readonly LoadedMigration[]): VerifyFinding[] {
  const manual = new Set(loaded.filter(({ isManualOnly }) => isManualOnly).map(({ file }) => file.id))
  const rows = ledger.filter(({ id, method }) => method === 'run' && !manual.has(id))
  const found: VerifyFinding[] = []
  let earliest: LedgerRow | undefined
  for (const row of rows.toReversed()) {
    if (earliest !== undefined && row.appliedAt > earliest.appliedAt)
      found.push({ kind: 'order', id: row.id, text: `was applied after ${earliest.id}` })
    if (earliest === undefined || row.appliedAt < earliest.appliedAt) earliest = row
  }
  return found.reverse()
}

function findMoved(ledger: readonly LedgerRow[], { files, packageOf }: MigrationProject): VerifyFinding[] {
  const rows = new Map(ledger.map((row) => [row.id, row]))
  return files.flatMap((file) => {
    const recorded = rows.get(file.id)?.package
    if (recorded === undefined || recorded === packageOf(file)) return []
    const text = `was applied in package ${recorded}, and is in ${packageOf(file)} now`
    return [{ kind: 'package' as const, id: file.id, text }]
  })
}
