import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { assertNoDrift, type DriftFinding } from './compare-ledger.js'
import { createSafeguards, type SafetyOptions } from './guarded.js'
import { type LoadedMigration, loadMigrations } from './load-migration.js'
import { findNamed } from './plan-migrations.js'
import { type MigrationProject, type MigrationRecords, readProject, readRecords } from './read-project.js'
import { refuseTransactionStatements } from './refuse-transaction-statements.js'
import { type AppliedMigration, lockOptionsOf, type RunnerOptions, runSteps } from './run-steps.js'
import { assertFinished } from './unfinished.js'
import { withMigrationLock } from './with-migration-lock.js'

export interface MigrateDownOptions extends RunnerOptions, SafetyOptions, DatabaseOptions {
  /** The migration that stays as the last one, by number or id; `none` takes all of them back. */
  readonly to: string
  /** True: say what would be taken back, and take nothing back. */
  readonly isPlanOnly?: boolean | undefined
}

export interface MigrateDownResult {
  /** Safe to print. */
  readonly database: string
  /** What was taken back, or would be: newest first. */
  readonly ids: readonly string[]
  /** Empty for a plan. */
  readonly reverted: readonly AppliedMigration[]
  readonly durationMs: number
}

/**
 * Takes applied migrations back, newest first, by their own `down`: each in a transaction of its own together with its ledger row. Never
 * run by itself after a failure.
 *
 * Errors: MIGRATION_IRREVERSIBLE before anything runs, with every migration that has no `down`; those of `migrateUp`.
 */
export async function migrateDown(settings: Settings, options: MigrateDownOptions): Promise<MigrateDownResult> {
  const started = performance.now()
  const project = await readProject(settings, options)
  const safeguards = createSafeguards(settings, options)
  return await withDatabase(settings, options, (database) =>
    withMigrationLock(database, lockOptionsOf(options), async (turn) => {
      const { steps } = await turn((session) => planDown(session, project, options))
      const result = { database: database.label, ids: steps.map(({ file }) => file.id) }
      if (options.isPlanOnly || steps.length === 0)
        return { ...result, reverted: [], durationMs: Math.round(performance.now() - started) }
      const archive = await safeguards.archive(database, steps)
      const reverted = await turn(async (session) => {
        const { steps, overridden } = await planDown(session, project, options)
        return await runSteps(session, steps, {
          settings,
          direction: 'down',
          method: 'run',
          safeguards,
          archive,
          overridden,
          options,
          packageOf: project.packageOf,
        })
      })
      return { ...result, reverted, durationMs: Math.round(performance.now() - started) }
    }),
  )
}

async function planDown(
  session: Session,
  project: MigrationProject,
  { to, allow }: MigrateDownOptions,
): Promise<{ readonly steps: readonly LoadedMigration[]; readonly overridden: readonly DriftFinding[] }> {
  const records = await readRecords(session, project)
  await assertFinished(session, records.ledger)
  const overridden = assertNoDrift(records.findings, allow)
  const last = lastToStay(project, records, to)
  const applied = new Set(records.ledger.map(({ id }) => id))
  const files = project.files.filter(({ id, number }) => applied.has(id) && number > last).reverse()
  const steps = await loadMigrations(files, project.settings.root)
  assertReversible(steps)
  refuseTransactionStatements(steps, 'down')
  return { steps, overridden }
}

function lastToStay({ files }: MigrationProject, { ledger }: MigrationRecords, to: string): number {
  if (to === 'none') return -1
  const { id, number } = findNamed(files, to)
  if (ledger.some((row) => row.id === id)) return number
  throw new UnderstudyError('MIGRATION_RANGE_INVALID', `migration ${id} is not applied`, {
    hint: 'Name an applied migration: it stays, and those after it are taken back.',
  })
}

function assertReversible(steps: readonly LoadedMigration[]): void {
  const stuck = steps.filter(({ down }) => down === null)
  if (stuck.length === 0) return
  throw new UnderstudyError('MIGRATION_IRREVERSIBLE', 'there is no way back: migrations without `down` are in it', {
    detail: stuck.map(({ file }) => file.id).join('\n'),
    hint: 'Write a `-- migrate: down` section or a `down` function for each, or a new migration that changes things back.',
  })
}
