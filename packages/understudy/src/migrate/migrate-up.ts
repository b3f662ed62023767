import type { Settings } from '../config/settings.js'
import type { LockHolder } from '../database/advisory-lock.js'
import type { Database, Session } from '../database/port.js'
import { withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { assertNoDrift, compareLedger, findInserted } from './compare-ledger.js'
import { createLedger, readLedger } from './ledger.js'
import { type LoadedMigration, loadMigrations } from './load-migration.js'
import { type MigrationFile, readMigrations } from './migration-files.js'
import { assignPackages, packagesOf, selectPackages } from './packages.js'
import { findNamed, type MigrationPlan, type MigrationSelection, planMigrations } from './plan-migrations.js'
import { runOne } from './run-migration.js'
import { type Safeguards, UNGUARDED } from './safeguards.js'
import { withMigrationLock } from './with-migration-lock.js'

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
  readonly safeguards: Safeguards
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
    safeguards: UNGUARDED,
    options,
  }
  return await withDatabase({ url: settings.database, open: options.database, folder: 'make' }, async (database) => {
    const result = await withMigrationLock(database, lockOptions(options), async (turn) => {
      const { steps, manual } = await turn((session) => planRun(session, context))
      if (steps.length === 0) return { applied: [], manual: idsOf(manual) }
      const archive = await context.safeguards.archive(database, steps)
      return await turn((session) => applyPending(session, context, archive))
    })
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

async function planRun(session: Session, context: Context): Promise<MigrationPlan> {
  const ledger = await readLedger(session)
  const comparison = compareLedger(context.files, ledger)
  const unapplied = await loadMigrations(comparison.unapplied, context.root)
  assertNoDrift(comparison, findInserted(unapplied, ledger))
  return planMigrations(unapplied, context.selection)
}

async function applyPending(
  session: Session,
  context: Context,
  archive: string | null,
): Promise<{ applied: AppliedMigration[]; manual: readonly string[] }> {
  // Planned anew: between two turns on an embedded database somebody else in this process may have had one.
  const { steps, manual } = await planRun(session, context)
  await createLedger(session)
  const applied: AppliedMigration[] = []
  const { safeguards } = context
  const { onProgress, signal } = context.options
  for (const [index, step] of steps.entries()) {
    signal?.throwIfAborted()
    const { id } = step.file
    onProgress?.({ step: 'start', id, index, count: steps.length })
    const packageName = context.packageOf(step.file)
    const durationMs = await runOne(session, step, { package: packageName, safeguards, archive, signal })
    onProgress?.({ step: 'done', id, durationMs })
    applied.push({ id, package: packageName, description: step.description, durationMs })
  }
  return { applied, manual: idsOf(manual) }
}

function idsOf(migrations: readonly LoadedMigration[]): string[] {
  return migrations.map(({ file }) => file.id)
}
