import type { MigrationPackage, Settings } from '../config/settings.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import type { LedgerRow } from './ledger.js'
import { type MigrationProject, type MigrationRecords, readProject, readRecords } from './read-project.js'

export interface MigrationStatus {
  /** Which database, safe to print. */
  readonly database: string
  readonly packages: readonly PackageStatus[]
  /** Data seeds that only `migrate archived` runs. */
  readonly archived: readonly MigrationState[]
  /** Applied, and their files are gone; or named by the application's own list, and without a file. */
  readonly missing: readonly MigrationState[]
  /** How many `migrate up` would run. */
  readonly pendingCount: number
  /** How many are changed, inserted, missing, unadopted or unfinished. */
  readonly problemCount: number
}

export interface PackageStatus extends MigrationPackage {
  readonly migrations: readonly MigrationState[]
}

export interface MigrationState {
  readonly id: string
  /**
   * `pending` runs at the next `migrate up`, `manual` when it is named; `changed` was edited after it was applied, `inserted` came in
   * before applied ones, `missing` has no file any more, `unadopted` stands in the application's own list only, `unfinished` was begun
   * without a transaction and needs attention (or is running just now).
   */
  readonly state: 'applied' | 'pending' | 'manual' | 'changed' | 'inserted' | 'missing' | 'unadopted' | 'unfinished'
  /** Its ledger row; null where it was not applied. */
  readonly applied: LedgerRow | null
}

/**
 * What is applied, pending or wrong, by package. Writes nothing.
 *
 * Error: MIGRATION_FILES_INVALID.
 */
export async function migrationStatus(
  settings: Settings,
  options: DatabaseOptions & { readonly allow?: readonly string[] | undefined } = {},
): Promise<MigrationStatus> {
  const project = await readProject(settings, options)
  const { label, records } = await withDatabase(settings, options, async (database) => ({
    label: database.label,
    records: await database.withSession((session) =>
      session.abortable(options.signal, () => readRecords(session, project)),
    ),
  }))
  const schema = statesOf(project, records)
  const archived = archivedStatesOf(project, records)
  const { packages, packageOf, files } = project
  const home = new Map(files.map((file) => [file.id, packageOf(file)]))
  const missing = missingOf(project, records)
  return {
    database: label,
    packages: packages.map((one) => ({ ...one, migrations: schema.filter(({ id }) => home.get(id) === one.name) })),
    archived,
    missing,
    pendingCount: schema.filter(({ state }) => state === 'pending').length,
    problemCount: missing.length + [...schema, ...archived].filter(({ state }) => PROBLEMS.has(state)).length,
  }
}

const PROBLEMS: ReadonlySet<MigrationState['state']> = new Set(['changed', 'inserted', 'unadopted', 'unfinished'])

function statesOf({ files }: MigrationProject, records: MigrationRecords): MigrationState[] {
  const rows = new Map(records.ledger.map((row) => [row.id, row]))
  const manual = new Set(records.unapplied.filter(({ isManualOnly }) => isManualOnly).map(({ file }) => file.id))
  const found = new Map(records.findings.map(({ id, kind }) => [id, kind]))
  return files.map(({ id }) => {
    const applied = rows.get(id) ?? null
    if (applied?.state === 'unfinished') return { id, state: 'unfinished', applied }
    const otherwise = applied ? 'applied' : manual.has(id) ? 'manual' : 'pending'
    return { id, state: found.get(id) ?? otherwise, applied }
  })
}

function archivedStatesOf({ archived }: MigrationProject, { archivedLedger, findings }: MigrationRecords) {
  const rows = new Map(archivedLedger.map((row) => [row.id, row]))
  const found = new Map(findings.map(({ id, kind }) => [id, kind]))
  return archived.map(({ id }): MigrationState => {
    const applied = rows.get(id) ?? null
    if (applied?.state === 'unfinished') return { id, state: 'unfinished', applied }
    return { id, state: found.get(id) ?? (applied ? 'applied' : 'manual'), applied }
  })
}

function missingOf({ files, archived }: MigrationProject, { ledger, archivedLedger, findings }: MigrationRecords) {
  const known = new Set([...files, ...archived].map(({ id }) => id))
  const gone = [...ledger, ...archivedLedger].filter(({ id }) => !known.has(id))
  const unadopted = findings.filter(({ kind, id }) => kind === 'unadopted' && !known.has(id))
  return [
    ...gone.map((row): MigrationState => ({ id: row.id, state: 'missing', applied: row })),
    ...unadopted.map(({ id }): MigrationState => ({ id, state: 'unadopted', applied: null })),
  ]
}
