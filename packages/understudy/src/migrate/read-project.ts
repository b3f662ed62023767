import { existsSync } from 'node:fs'
import type { MigrationPackage, Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import {
  compareLedger,
  type DriftFinding,
  findDrift,
  findInserted,
  findUnadopted,
  type LedgerComparison,
} from './compare-ledger.js'
import { type LedgerRow, readLedger } from './ledger.js'
import { type LoadedMigration, loadMigrations } from './load-migration.js'
import { type MigrationFile, type ReadMigrationsOptions, readMigrations } from './migration-files.js'
import { nameOfMirror, readMirror } from './mirror.js'
import { assignPackages, packagesOf } from './packages.js'

/** The name under which the ledger has archived data seeds: they are in none of the packages. */
export const ARCHIVED_PACKAGE = 'archived'

/** The files of a project: what the configuration and the disk say. */
export interface MigrationProject {
  readonly settings: Settings
  readonly packages: readonly MigrationPackage[]
  readonly files: readonly MigrationFile[]
  readonly archived: readonly MigrationFile[]
  packageOf(file: MigrationFile): string
}

/** What a database says beside the files: both halves of its ledger, and where they disagree. */
export interface MigrationRecords {
  /** Of migrations. */
  readonly ledger: readonly LedgerRow[]
  /** Of archived data seeds. */
  readonly archivedLedger: readonly LedgerRow[]
  /** The ids in the application's own list. */
  readonly mirrored: readonly string[]
  readonly comparison: LedgerComparison
  /** Unapplied migrations with what they say of themselves. */
  readonly unapplied: readonly LoadedMigration[]
  readonly findings: readonly DriftFinding[]
}

/**
 * Reads all migration files.
 *
 * Error: MIGRATION_FILES_INVALID with every bad name, number that two share, and file that is in no package.
 */
export async function readProject(settings: Settings, options: ReadMigrationsOptions = {}): Promise<MigrationProject> {
  const { folder, archivedFolder } = settings.migrations
  const packages = packagesOf(settings.migrations.packages)
  const files = await readMigrations(folder, options)
  const archived = existsSync(archivedFolder) ? await readMigrations(archivedFolder, options) : []
  const assigned = assignPackages(files, packages)
  return { settings, packages, files, archived, packageOf: ({ id }) => assigned.get(id)?.name ?? ARCHIVED_PACKAGE }
}

/** Compares a project with a database. Writes nothing. */
export async function readRecords(session: Session, project: MigrationProject): Promise<MigrationRecords> {
  const { files, archived, settings } = project
  const { mirror } = settings.migrations
  const rows = await readLedger(session)
  const ledger = rows.filter(({ method }) => method !== 'archived')
  const archivedLedger = rows.filter(({ method }) => method === 'archived')
  const mirrored = await readMirror(session, mirror)
  const comparison = compareLedger(files, ledger)
  const unapplied = await loadMigrations(comparison.unapplied, settings.root)
  const findings = [
    ...findDrift(comparison, findInserted(unapplied, ledger)),
    // Seeds are no longer in an order with the others: none comes too late.
    ...findDrift(compareLedger(archived, archivedLedger), []),
    ...(mirror === null ? [] : findUnadopted(mirrored, rows, nameOfMirror(mirror))),
  ]
  return { ledger, archivedLedger, mirrored, comparison, unapplied, findings }
}
