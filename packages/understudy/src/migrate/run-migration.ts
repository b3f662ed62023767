import type { Settings } from '../config/settings.js'
import { TransactionEnded } from '../database/own-transaction.js'
import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { describeInvalid, findLeftInvalid, readInvalidIndexes } from './invalid-indexes.js'
import { deleteLedgerRow, type LedgerRow, type LogEntry, writeLedgerRow, writeLedgerState, writeLog } from './ledger.js'
import type { LoadedMigration, MigrationScript } from './load-migration.js'
import { limitLockWaits, type RetryOptions, withLockRetries } from './lock-retries.js'
import { describeMigrationFailure } from './migration-failure.js'
import { writeMirror } from './mirror.js'
import { runScript, type SentStatement } from './run-script.js'
import type { Backup, Safeguards } from './safeguards.js'
import { readSessionSettings, restoreSessionSettings, type SessionSettings } from './session-settings.js'

export interface RunOptions extends RetryOptions {
  readonly settings: Settings
  readonly direction: 'up' | 'down'
  readonly package: string
  readonly method: LedgerRow['method']
  readonly safeguards: Safeguards
  readonly archive: Backup
}

/** One direction of one migration, under way. */
interface Run extends RunOptions {
  readonly session: Session
  readonly migration: LoadedMigration
  readonly script: MigrationScript
}

/**
 * Runs one migration and writes the ledger, both in one transaction unless the migration opts out. Returns its duration in ms.
 *
 * Errors: MIGRATION_FAILED with the place in the file, where the server tells one; MIGRATION_LOCK_TIMEOUT.
 */
export async function runOne(session: Session, migration: LoadedMigration, options: RunOptions): Promise<number> {
  const script = options.direction === 'up' ? migration.up : migration.down
  if (script === null) throw new Error(`${migration.file.id} has no way back`)
  const run: Run = { ...options, session, migration, script }
  return await (migration.isTransactional ? runInTransaction(run) : runWithoutTransaction(run))
}

async function runInTransaction(run: Run): Promise<number> {
  const { session } = run
  const settings = await readSessionSettings(session)
  const attempt = async () => {
    const started = performance.now()
    await limitLockWaits(session, run)
    await runGuarded(run, [])
    await restoreSessionSettings(session, settings)
    const durationMs = Math.round(performance.now() - started)
    await record(run, durationMs)
    return durationMs
  }
  try {
    return await withLockRetries(session, run, () => session.transaction({}, attempt))
  } catch (error) {
    if (!(error instanceof TransactionEnded)) run.signal?.throwIfAborted()
    const left = error instanceof TransactionEnded ? await recordEnded(run, settings, error) : undefined
    throw describeMigrationFailure(error, run, left)
  }
}

/** What a migration has done behind our back is recorded like that of one without a transaction. Returns what is to be said if that fails. */
async function recordEnded(run: Run, settings: SessionSettings, error: TransactionEnded): Promise<string | undefined> {
  try {
    await restoreSessionSettings(run.session, settings)
    await markUnfinished(run)
    await logFailure(run, error)
  } catch (cause) {
    return `The ledger could not be told: ${cause instanceof Error ? cause.message : String(cause)}`
  }
  return undefined
}

/** Its row says that it needs attention. */
async function markUnfinished(run: Run): Promise<void> {
  const { session, migration, direction } = run
  await (direction === 'up'
    ? writeLedgerRow(session, { ...entryOf(run), state: 'unfinished', durationMs: null })
    : writeLedgerState(session, migration.file.id, 'unfinished'))
}

/** The row says it too: where the connection is gone, the log does without its reason. */
async function logFailure({ session, migration }: Run, error: unknown): Promise<void> {
  const detail = error instanceof Error ? error.message : String(error)
  await writeLog(session, [{ action: 'failed', migration: migration.file.id, detail }]).catch(() => undefined)
}

/**
 * Its row stands in the ledger as `unfinished` before its first statement: whatever ends it, an error or the death of this process, the
 * next run says so. It is not tried again: a statement that gave up may have left half of its work.
 */
async function runWithoutTransaction(run: Run): Promise<number> {
  const { session } = run
  const settings = await readSessionSettings(session)
  const invalidBefore = await readInvalidIndexes(session)
  await markUnfinished(run)
  const started = performance.now()
  const sent: SentStatement[] = []
  const findLeft = async () => describeInvalid(await findLeftInvalid(session, invalidBefore, sent)).join('\n')
  try {
    await runGuarded(run, sent)
    const left = await findLeft()
    if (left !== '') throw new UnderstudyError('MIGRATION_FAILED', 'it left an index that is invalid', { detail: left })
  } catch (error) {
    const isOwn = error instanceof UnderstudyError && error !== run.signal?.reason
    const left = isOwn ? undefined : await findLeft().catch(() => undefined)
    await logFailure(run, error)
    // Also an interruption: it says which command resolves what it has left.
    throw describeMigrationFailure(error, run, left)
  }
  const durationMs = Math.round(performance.now() - started)
  await restoreSessionSettings(session, settings)
  await session.transaction({}, () => record(run, durationMs))
  return durationMs
}

async function runGuarded(run: Run, sent: SentStatement[]): Promise<void> {
  const { session, settings, migration, direction, signal } = run
  const { isTransactional } = migration
  const onStatement = (statement: SentStatement) => sent.push(statement)
  await run.safeguards.around({
    session,
    migration,
    direction,
    run: () => runScript(session, run.script, { settings, isTransactional, signal, onStatement }),
  })
}

async function record(run: Run, durationMs: number): Promise<void> {
  const { session, settings, direction } = run
  const { id } = run.migration.file
  if (direction === 'up') await writeLedgerRow(session, { ...entryOf(run), state: 'applied', durationMs })
  else await deleteLedgerRow(session, id)
  await writeLog(session, [{ action: actionOf(run), migration: id }])
  await writeMirror(session, settings.migrations.mirror, direction === 'down' ? id : '')
}

function actionOf({ direction, method }: Run): LogEntry['action'] {
  return method === 'archived' ? 'archived' : direction
}

function entryOf({ migration, package: packageName, method, archive: backup }: Run) {
  const { name: archive, isDeclined: isArchiveDeclined } = backup
  return { file: migration.file, package: packageName, method, archive, isArchiveDeclined }
}
