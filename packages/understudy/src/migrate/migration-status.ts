import type { MigrationPackage, Settings } from '../config/settings.js'
import type { Database } from '../database/port.js'
import { withDatabase } from '../database/with-database.js'
import { compareLedger, findInserted } from './compare-ledger.js'
import { type LedgerRow, readLedger } from './ledger.js'
import { type LoadedMigration, loadMigrations } from './load-migration.js'
import { type MigrationFile, readMigrations } from './migration-files.js'
import { assignPackages, packagesOf } from './packages.js'

export interface MigrationStatus {
  /** Which database, safe to print. */
  readonly database: string
  readonly packages: readonly PackageStatus[]
  /** Applied, and their files are gone. */
  readonly missing: readonly MigrationState[]
  /** How many `migrate up` would run. */
  readonly pendingCount: number
  /** How many are changed, inserted or missing. */
  readonly problemCount: number
}

export interface PackageStatus extends MigrationPackage {
  readonly migrations: readonly MigrationState[]
}

export interface MigrationState {
  readonly id: string
  /**
   * `pending` runs at the next `migrate up`, `manual` when it is named; `changed` was edited after it was applied, `inserted` came in
   * before applied ones, `missing` has no file any more.
   */
  readonly state: 'applied' | 'pending' | 'manual' | 'changed' | 'inserted' | 'missing'
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
  options: { readonly database?: Database | undefined } = {},
): Promise<MigrationStatus> {
  const packages = packagesOf(settings.migrations.packages)
  const files = await readMigrations(settings.migrations.folder)
  const assigned = assignPackages(files, packages)
  const { label, ledger } = await withDatabase(
    { url: settings.database, open: options.database },
    async (database) => ({
      label: database.label,
      ledger: await database.withSession(readLedger),
    }),
  )
  const { unapplied, changed, missing } = compareLedger(files, ledger)
  const loaded = await loadMigrations(unapplied, settings.root)
  const states = stateOfEach(files, { ledger, changed, loaded })
  return {
    database: label,
    packages: packages.map((one) => ({ ...one, migrations: states.filter(({ id }) => assigned.get(id) === one) })),
    missing: missing.map((row) => ({ id: row.id, state: 'missing', applied: row })),
    pendingCount: states.filter(({ state }) => state === 'pending').length,
    problemCount: missing.length + states.filter(({ state }) => state === 'changed' || state === 'inserted').length,
  }
}

interface Findings {
  readonly ledger: readonly LedgerRow[]
  readonly changed: readonly MigrationFile[]
  readonly loaded: readonly LoadedMigration[]
}

function stateOfEach(files: readonly MigrationFile[], { ledger, changed, loaded }: Findings): MigrationState[] {
  const rows = new Map(ledger.map((row) => [row.id, row]))
  const manual = new Set(loaded.filter(({ isManualOnly }) => isManualOnly).map(({ file }) => file.id))
  const inserted = new Set(findInserted(loaded, ledger).map(({ file }) => file.id))
  const edited = new Set(changed.map(({ id }) => id))
  return files.map(({ id }) => {
    const applied = rows.get(id) ?? null
    if (applied) return { id, state: edited.has(id) ? 'changed' : 'applied', applied }
    return { id, state: manual.has(id) ? 'manual' : inserted.has(id) ? 'inserted' : 'pending', applied }
  })
}
