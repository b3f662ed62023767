import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { assertNoDrift, type DriftFinding } from './compare-ledger.js'
import { createSafeguards, type SafetyOptions } from './guarded.js'
import type { LoadedMigration } from './load-migration.js'
import { packagesOf, selectPackages } from './packages.js'
import { findNamed, type MigrationPlan, type MigrationSelection, planMigrations } from './plan-migrations.js'
import { type MigrationProject, readProject, readRecords } from './read-project.js'
import { refuseTransactionStatements } from './refuse-transaction-statements.js'
import { type AppliedMigration, lockOptionsOf, type RunnerOptions, runSteps } from './run-steps.js'
import { assertFinished } from './unfinished.js'
import { withMigrationLock } from './with-migration-lock.js'

export interface MigrateOptions extends RunnerOptions, SafetyOptions, DatabaseOptions {
  /** The first package; wins over DB_MIGRATION_STARTWITH. */
  readonly from?: string | undefined
  /** The last package; wins over DB_MIGRATION_ENDWITH. */
  readonly to?: string | undefined
  /** One migration by number or id, a manual one too; instead of packages. */
  readonly only?: string | undefined
}

export interface MigrateResult {
  /** Where they were applied, safe to print. */
  readonly database: string
  readonly applied: readonly AppliedMigration[]
  /** Selected, and left out because they run only when they are named. */
  readonly manual: readonly string[]
  readonly durationMs: number
}

/**
 * Runs the pending migrations of the selected packages in the order of their numbers: each in a transaction of its own together with its
 * ledger row, all under one advisory lock. A failure leaves those before it applied.
 *
 * Errors: MIGRATION_FILES_INVALID, MIGRATION_RANGE_INVALID, MIGRATION_DRIFT and MIGRATION_UNFINISHED before anything runs;
 * MIGRATION_FAILED; MIGRATION_LOCK_TIMEOUT; LOCK_NOT_AVAILABLE.
 */
export async function migrateUp(settings: Settings, options: MigrateOptions = {}): Promise<MigrateResult> {
  const started = performance.now()
  const project = await readProject(settings, options)
  const selection = selectionOf(project, options)
  const safeguards = createSafeguards(settings, options)
  return await withDatabase({ ...settings, folder: 'make' }, options, async (database) => {
    const result = await withMigrationLock(database, lockOptionsOf(options), async (turn) => {
      const plan = (session: Session) => planRun(session, project, { selection, allow: options.allow })
      const { steps, manual } = await turn(plan)
      if (steps.length === 0) return { applied: [], manual: idsOf(manual) }
      const archive = await safeguards.archive(database, steps)
      return await turn(async (session) => {
        // Planned anew: between two turns on an embedded database somebody else in this process may have had one.
        const { steps, manual, overridden } = await plan(session)
        const applied = await runSteps(session, steps, {
          settings,
          direction: 'up',
          method: 'run',
          safeguards,
          archive,
          overridden,
          options,
          packageOf: project.packageOf,
        })
        return { applied, manual: idsOf(manual) }
      })
    })
    return { database: database.label, ...result, durationMs: Math.round(performance.now() - started) }
  })
}

export interface PlannedRun extends MigrationPlan {
  /** Findings that an override has let pass. */
  readonly overridden: readonly DriftFinding[]
}

/** What a run would do to this database, or the error that stops it. Writes nothing. */
export async function planRun(
  session: Session,
  project: MigrationProject,
  { selection, allow }: { readonly selection: MigrationSelection; readonly allow?: readonly string[] | undefined },
): Promise<PlannedRun> {
  const { ledger, archivedLedger, findings, unapplied } = await readRecords(session, project)
  await assertFinished(session, [...ledger, ...archivedLedger])
  const overridden = assertNoDrift(findings, allow)
  const plan = planMigrations(unapplied, selection)
  refuseTransactionStatements(plan.steps, 'up')
  return { ...plan, overridden }
}

export function selectionOf({ settings, files }: MigrationProject, options: MigrateOptions): MigrationSelection {
  const { packages, startWith, endWith, includesManual } = settings.migrations
  if (options.only !== undefined && (options.from !== undefined || options.to !== undefined))
    throw new UnderstudyError('MIGRATION_RANGE_INVALID', 'one migration and a range of packages were asked for', {
      hint: 'Use either `--only` or `--from` and `--to`.',
    })
  if (options.only !== undefined) return { kind: 'one', file: findNamed(files, options.only) }
  const range = { from: options.from ?? startWith, to: options.to ?? endWith }
  return { kind: 'packages', packages: selectPackages(packagesOf(packages), range), includesManual }
}

function idsOf(migrations: readonly LoadedMigration[]): string[] {
  return migrations.map(({ file }) => file.id)
}
