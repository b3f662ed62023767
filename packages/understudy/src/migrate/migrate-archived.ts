import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { withDatabase } from '../database/with-database.js'
import { assertNoDrift, compareLedger, type DriftFinding } from './compare-ledger.js'
import { createSafeguards } from './guarded.js'
import { type LoadedMigration, loadMigrations } from './load-migration.js'
import type { MigrateOptions, MigrateResult } from './migrate-up.js'
import { assertNothingSkipped, findNamed } from './plan-migrations.js'
import { ARCHIVED_PACKAGE, type MigrationProject, readProject, readRecords } from './read-project.js'
import { refuseTransactionStatements } from './refuse-transaction-statements.js'
import { lockOptionsOf, runSteps } from './run-steps.js'
import { assertFinished } from './unfinished.js'
import { withMigrationLock } from './with-migration-lock.js'

export type MigrateArchivedOptions = Omit<MigrateOptions, 'from' | 'to'>

/**
 * Runs archived data seeds: migrations that no longer run with the others, in a folder of their own. Each runs once, in the order of
 * their numbers; the ledger keeps them apart from the schema's.
 *
 * Errors: MIGRATION_RANGE_INVALID where schema migrations before a seed are pending; those of `migrateUp`.
 */
export async function migrateArchived(
  settings: Settings,
  options: MigrateArchivedOptions = {},
): Promise<MigrateResult> {
  const started = performance.now()
  const project = await readProject(settings, options)
  const safeguards = createSafeguards(settings, options)
  return await withDatabase(settings, options, async (database) => {
    const applied = await withMigrationLock(database, lockOptionsOf(options), async (turn) => {
      const { steps } = await turn((session) => planArchived(session, project, options))
      if (steps.length === 0) return []
      const archive = await safeguards.archive(database, steps)
      return await turn(async (session) => {
        const { steps, overridden } = await planArchived(session, project, options)
        return await runSteps(session, steps, {
          settings,
          direction: 'up',
          method: 'archived',
          safeguards,
          archive,
          overridden,
          options,
          packageOf: () => ARCHIVED_PACKAGE,
        })
      })
    })
    return { database: database.label, applied, manual: [], durationMs: Math.round(performance.now() - started) }
  })
}

async function planArchived(
  session: Session,
  project: MigrationProject,
  { only, allow }: MigrateArchivedOptions,
): Promise<{ readonly steps: readonly LoadedMigration[]; readonly overridden: readonly DriftFinding[] }> {
  const named = only === undefined ? null : findNamed(project.archived, only)
  const { ledger, archivedLedger, findings, unapplied } = await readRecords(session, project)
  await assertFinished(session, [...ledger, ...archivedLedger])
  const waiting = compareLedger(project.archived, archivedLedger).unapplied
  const overridden = assertNoDrift(findings, allow)
  const chosen = waiting.filter((file) => named === null || file.id === named.id)
  for (const { number } of chosen) assertNothingSkipped(unapplied, number)
  const steps = await loadMigrations(chosen, project.settings.root)
  refuseTransactionStatements(steps, 'up')
  return { steps, overridden }
}
