import type { Settings } from '../config/settings.js'
import { type LockHolder, withAdvisoryLock } from '../database/advisory-lock.js'
import type { Database, Session } from '../database/port.js'
import { withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { assertNoDrift, compareLedger, findInserted } from './compare-ledger.js'
import { createLedger, readLedger } from './ledger.js'
import { loadMigrations } from './load-migration.js'
import { type MigrationFile, readMigrations } from './migration-files.js'
import { assignPackages, packagesOf, selectPackages } from './packages.js'
import { findNamed, type MigrationSelection, planMigrations } from './plan-migrations.js'
import { runMigration } from './run-migration.js'

const DEFAULT_WAIT_MS = 60_000

export interface MigrateOptions {
  /** The first package; wins over DB_MIGRATION_STARTWITH. */
  readonly from?: string | undefined
  /** The last package; wins over DB_MIGRATION_ENDWITH. */
  readonly to?: string | undefined
  /** One migration by number or id, a manual one too; instead of packages. */
  readonly only?: string | undefined
  /** How long to wait for another runner. Default 60,000 ms. */
  readonly waitMs?: number | undefined
  readonly onProgress?: ((progress: MigrateProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** A database that is open already, instead of the one that the settings name. It stays open. */
  readonly database?: Database | undefined
}

export type MigrateProgress =
  /** Another runner holds the database; null where it let go a moment ago. */
  | { readonly step: 'waiting'; readonly holder: LockHolder | null }
  | { readonly step: 'start'; readonly id: string; readonly index: number; readonly count: number }
  | { readonly step: 'done'; readonly id: string; readonly durationMs: number }

export interface MigrateResult {
  /** Where they were applied, safe to print. */
  readonly database: string
  readonly applied: readonly AppliedMigration[]
  /** Selected, and left out because they run only when they are named. */
  readonly manual: readonly string[]
  readonly durationMs: number
}

export interface AppliedMigration {
  readonly id: string
  readonly package: string
  readonly description: string
  readonly durationMs: number
}

interface Context {
  readonly root: string
  readonly files: readonly MigrationFile[]
  readonly selection: MigrationSelection
  readonly packageOf: (file: MigrationFile) => string
  readonly options: MigrateOptions
}

/**
 * Runs the pending migrations of the selected packages in the order of their numbers: each in a transaction of its own together with its
 * ledger row, all under one advisory lock. A failure leaves those before it applied.
 *
 * Errors: MIGRATION_FILES_INVALID, MIGRATION_RANGE_INVALID and MIGRATION_DRIFT before anything runs; MIGRATION_FAILED; LOCK_NOT_AVAILABLE.
 */
export async function migrateUp(settings: Settings, options: MigrateOptions = {}): Promise<MigrateResult> {
  const started = performance.now()
  const packages = packagesOf(settings.migrations.packages)
  const files = await readMigrations(settings.migrations.folder)
  const assigned = assignPackages(files, packages)
  const context: Context = {
    root: settings.root,
    files,
    selection: selectionOf(settings, options, files),
    packageOf: ({ id }) => assigned.get(id)?.name ?? '',
    options,
  }
  return await withDatabase({ url: settings.database, open: options.database, folder: 'make' }, async (database) => {
    const work = (session: Session) =>
      withAdvisoryLock(session, lockOptions(options), () => applyPending(session, context))
    const result = await database.withSession(work)
    return { database: database.label, ...result, durationMs: Math.round(performance.now() - started) }
  })
}

function lockOptions({ waitMs = DEFAULT_WAIT_MS, onProgress }: MigrateOptions) {
  return {
    waitMs,
    onWait: (holder: LockHolder | undefined) => onProgress?.({ step: 'waiting', holder: holder ?? null }),
  }
}

function selectionOf(settings: Settings, options: MigrateOptions, files: readonly MigrationFile[]): MigrationSelection {
  const { packages, startWith, endWith, includesManual } = settings.migrations
  if (options.only !== undefined && (options.from !== undefined || options.to !== undefined))
    throw new UnderstudyError('MIGRATION_RANGE_INVALID', 'one migration and a range of packages were asked for', {
      hint: 'Use either `--only` or `--from` and `--to`.',
    })
  if (options.only !== undefined) return { kind: 'one', file: findNamed(files, options.only) }
  const range = { from: options.from ?? startWith, to: options.to ?? endWith }
  return { kind: 'packages', packages: selectPackages(packagesOf(packages), range), includesManual }
}

async function applyPending(
  session: Session,
  context: Context,
): Promise<{ applied: AppliedMigration[]; manual: readonly string[] }> {
  const ledger = await readLedger(session)
  const comparison = compareLedger(context.files, ledger)
  const unapplied = await loadMigrations(comparison.unapplied, context.root)
  assertNoDrift(comparison, findInserted(unapplied, ledger))
  const { steps, manual } = planMigrations(unapplied, context.selection)

  if (steps.length > 0) await createLedger(session)
  const applied: AppliedMigration[] = []
  const { onProgress, signal } = context.options
  for (const [index, step] of steps.entries()) {
    signal?.throwIfAborted()
    const { id } = step.file
    onProgress?.({ step: 'start', id, index, count: steps.length })
    const durationMs = await runMigration(session, step, { package: context.packageOf(step.file), signal })
    onProgress?.({ step: 'done', id, durationMs })
    applied.push({ id, package: context.packageOf(step.file), description: step.description, durationMs })
  }
  return { applied, manual: manual.map(({ file }) => file.id) }
}
