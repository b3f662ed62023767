import { rm } from 'node:fs/promises'
import type { Settings } from '../config/settings.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { isRegistryReadable, readInstance, readLineage } from '../registry/registry.js'
import { listBackups } from './list-backups.js'
import { type History, historyOf, type PrunedBackup, type PruneRules, planPrune } from './plan-prune.js'

/** The database is looked at to know which archives it has in common with others. */
export interface PruneOptions extends DatabaseOptions {
  /** How many of the newest archives stay. Default: 7. */
  readonly keep?: number | undefined
  /** How old an archive must be before it may go. Default: 30 days. */
  readonly keepDays?: number | undefined
  /** True: says what would go, and removes nothing. */
  readonly isDryRun?: boolean | undefined
  /** Asked with the plan where something would go; false ends with `CANCELLED`. */
  readonly confirm?: ((plan: readonly PrunedBackup[]) => Promise<boolean>) | undefined
}

export interface PruneResult {
  /** Newest first. */
  readonly backups: readonly PrunedBackup[]
  readonly isWritten: boolean
}

const DEFAULT_RULES: PruneRules = { keep: 7, keepDays: 30 }

/**
 * Removes old archives from the settings' folder: those that are neither among the newest `keep` nor younger than `keepDays`. The base of a
 * merge stays, that is the newest archive that two instances have in common: the settings' database by its registry, others by what
 * their newest archive in the folder says. So does what cannot be read.
 *
 * @throws UnderstudyError `CANCELLED`, and those of opening a database: without it nobody knows which archives are still needed
 */
export async function pruneBackups(settings: Settings, options: PruneOptions = {}): Promise<PruneResult> {
  const rules = { keep: options.keep ?? DEFAULT_RULES.keep, keepDays: options.keepDays ?? DEFAULT_RULES.keepDays }
  const own = await readHistory(settings, options)
  const plan = planPrune(await listBackups(settings), own, rules)
  const removed = plan.filter(({ isRemoved }) => isRemoved)
  if (options.isDryRun === true || removed.length === 0) return { backups: plan, isWritten: false }
  if (options.confirm !== undefined && !(await options.confirm(plan)))
    throw new UnderstudyError('CANCELLED', 'removing archives was declined', { hint: 'Nothing was removed.' })
  for (const { backup } of removed) await rm(backup.path)
  return { backups: plan, isWritten: true }
}

async function readHistory(settings: Settings, options: PruneOptions): Promise<History[]> {
  return await withDatabase(settings, options, (database) =>
    database.withSession(async (session) => {
      if (!(await isRegistryReadable(session, 'transfer'))) return []
      const instance = await readInstance(session)
      return [historyOf(instance?.id ?? null, [], await readLineage(session))]
    }),
  )
}
