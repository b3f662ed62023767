import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { withDatabase } from '../database/with-database.js'
import { createSafeguards } from './guarded.js'
import type { LoadedMigration } from './load-migration.js'
import { limitLockWaits } from './lock-retries.js'
import { type MigrateOptions, planRun, selectionOf } from './migrate-up.js'
import { describeMigrationFailure } from './migration-failure.js'
import { readProject } from './read-project.js'
import { runScript, type SentStatement } from './run-script.js'
import { lockOptionsOf } from './run-steps.js'
import type { Safeguards } from './safeguards.js'
import { readSessionSettings, restoreSessionSettings } from './session-settings.js'
import { withMigrationLock } from './with-migration-lock.js'

export interface DryRunResult {
  /** Where it was tried, safe to print. */
  readonly database: string
  readonly steps: readonly DryRunStep[]
  /** Selected, and left out because they run only when they are named. */
  readonly manual: readonly string[]
}

export interface DryRunStep {
  readonly id: string
  readonly package: string
  readonly description: string
  /** False: it refuses a transaction, or comes after one that does; it can only be run in earnest. */
  readonly wasTried: boolean
  /** What was sent to the database, in order; of an SQL file that was not tried, its text. */
  readonly statements: readonly SentStatement[]
  /** Null where it was not tried. */
  readonly durationMs: number | null
}

/**
 * Runs the pending migrations in one transaction that cannot be committed, and returns their statements as the database got them. Locks
 * are real and held until the end; sequences that the migrations advance stay advanced.
 *
 * Errors: those of `migrateUp`, at the first migration that fails.
 */
export async function migrateDryRun(settings: Settings, options: MigrateOptions = {}): Promise<DryRunResult> {
  const project = await readProject(settings, options)
  const selection = selectionOf(project, options)
  return await withDatabase(settings, options, (database) =>
    withMigrationLock(database, lockOptionsOf(options), (turn) =>
      turn(async (session) => {
        const { steps, manual } = await planRun(session, project, { selection, allow: options.allow })
        const safeguards = createSafeguards(settings, options)
        const tried = await withoutCommit(session, () => trySteps(session, steps, { ...options, settings, safeguards }))
        const done = steps.map((step, index) => ({
          id: step.file.id,
          package: project.packageOf(step.file),
          description: step.description,
          ...(tried[index] ?? untried(step)),
        }))
        return { database: database.label, steps: done, manual: manual.map(({ file }) => file.id) }
      }),
    ),
  )
}

type Trial = Pick<DryRunStep, 'wasTried' | 'statements' | 'durationMs'>

interface TryOptions extends MigrateOptions {
  readonly settings: Settings
  readonly safeguards: Safeguards
}

async function trySteps(
  session: Session,
  steps: readonly LoadedMigration[],
  options: TryOptions,
): Promise<readonly Trial[]> {
  const trials: Trial[] = []
  for (const [index, step] of steps.entries()) {
    if (!step.isTransactional) break
    const { id } = step.file
    options.onProgress?.({ step: 'start', id, index, count: steps.length })
    const trial = await tryOne(session, step, options).catch((error: unknown) => {
      options.signal?.throwIfAborted()
      throw describeMigrationFailure(error, { migration: step, script: step.up })
    })
    options.onProgress?.({ step: 'done', id, durationMs: trial.durationMs })
    trials.push(trial)
  }
  return trials
}

async function tryOne(session: Session, migration: LoadedMigration, options: TryOptions) {
  const { settings, safeguards, signal } = options
  const statements: SentStatement[] = []
  const started = performance.now()
  const before = await readSessionSettings(session)
  await limitLockWaits(session, options)
  const run = () => {
    // A guard may run it twice; what it sends the second time is the same.
    statements.length = 0
    const onStatement = (statement: SentStatement) => statements.push(statement)
    return runScript(session, migration.up, { settings, isTransactional: true, signal, onStatement })
  }
  await safeguards.around({ session, migration, direction: 'up', run })
  await restoreSessionSettings(session, before)
  return { wasTried: true, statements, durationMs: Math.round(performance.now() - started) }
}

function untried({ up }: LoadedMigration): Trial {
  return { wasTried: false, statements: up.sql === null ? [] : [{ sql: up.sql, values: [] }], durationMs: null }
}

/**
 * Runs `work` in a transaction that the server itself refuses to commit, whoever asks: it holds two temporary tables that a commit
 * cannot deal with, one emptied by it and one that refers to the first (manual, `create table`, `on commit`). A constraint trigger would
 * also fire at `set constraints all immediate`. Should a migration roll back and go on, it finds a session that only reads.
 */
async function withoutCommit<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.script('set default_transaction_read_only = on')
  let result: { readonly value: T } | undefined
  try {
    await session.transaction({}, async () => {
      await session.script(REFUSE_COMMIT)
      result = { value: await work() }
      throw ROLLED_BACK
    })
  } catch (error) {
    if (error !== ROLLED_BACK) throw error
  } finally {
    await session.script('reset default_transaction_read_only')
  }
  if (result === undefined) throw new Error('a dry run ended without a result')
  return result.value
}

const ROLLED_BACK = new Error('the end of a dry run')

const REFUSE_COMMIT = `
  create temporary table understudy_dry_run (id integer primary key) on commit delete rows;
  create temporary table understudy_dry_run_of (id integer references pg_temp.understudy_dry_run);
`
