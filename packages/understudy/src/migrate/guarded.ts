import { basename } from 'node:path'
import type { Settings } from '../config/settings.js'
import type { Database } from '../database/port.js'
import { runGuarded } from '../guard/guard.js'
import { type Loss, refuseLosses } from '../guard/loss.js'
import { readInstance } from '../registry/registry.js'
import { writeBackup } from './backup.js'
import type { LoadedMigration } from './load-migration.js'
import type { Backup, GuardedStep, Safeguards } from './safeguards.js'
import { readSessionSettings, restoreSessionSettings } from './session-settings.js'

export interface SafetyOptions {
  /** What may be lost, by name, beside what the migrations say: `events.old_status`. */
  readonly allowLoss?: readonly string[] | undefined
  /** True: everything may be lost; `onLoss` is told what is. For a database that is a copy. */
  readonly isLossAllowed?: boolean | undefined
  /**
   * True: an archive is written and verified before the first migration. False: none is, and the ledger says that nobody wanted one. Default: where
   * the database or the environment is production, where the configuration says so, and before a migration without a transaction.
   */
  readonly backup?: boolean | undefined
  /** Runs before the archive and the first migration, and only where one is pending: an error stops the run. */
  readonly rehearse?: ((database: Database) => Promise<void>) | undefined
  /** Told what a migration lost that it was allowed to lose. */
  readonly onLoss?: ((id: string, losses: readonly Loss[]) => void) | undefined
  /** Told of the archive when it is written and verified. */
  readonly onBackup?: ((path: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** The archive before the first migration, and the guard around each. */
export function createSafeguards(settings: Settings, options: SafetyOptions): Safeguards {
  return {
    async archive(database, steps) {
      await options.rehearse?.(database)
      return await takeArchive(settings, options, database, steps)
    },
    around: (step) => runWatched(settings, options, step),
  }
}

async function takeArchive(
  settings: Settings,
  options: SafetyOptions,
  database: Database,
  steps: readonly LoadedMigration[],
): Promise<Backup> {
  if (options.backup === false) return { name: null, isDeclined: true }
  const isWanted =
    options.backup === true ||
    settings.migrations.backup ||
    steps.some(({ isTransactional }) => !isTransactional) ||
    (await isProduction(database))
  if (!isWanted) return { name: null, isDeclined: false }
  const path = await writeBackup(settings, database, options.signal)
  if (path !== null) options.onBackup?.(path)
  return { name: path === null ? null : basename(path), isDeclined: false }
}

async function isProduction(database: Database): Promise<boolean> {
  const instance = await database.withSession(readInstance)
  return instance?.environment === 'production'
}

/** Without a transaction nothing could be taken back, so nothing is watched: the archive is all there is. */
async function runWatched(settings: Settings, options: SafetyOptions, step: GuardedStep): Promise<void> {
  const { session, migration } = step
  if (!migration.isTransactional) return await step.run()
  const before = await readSessionSettings(session)
  const losses = await runGuarded(session, settings, async () => {
    await step.run()
    await restoreSessionSettings(session, before)
  })
  if (!options.isLossAllowed) refuseLosses(losses, [...migration.allowLoss, ...(options.allowLoss ?? [])])
  if (losses.length > 0) options.onLoss?.(migration.file.id, losses)
}
