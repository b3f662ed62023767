import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import type { MigrationDatabase } from './define-migration.js'
import { recordMigration } from './ledger.js'
import type { LoadedMigration } from './load-migration.js'
import { describeMigrationFailure } from './migration-failure.js'
import type { Safeguards } from './safeguards.js'
import { readSessionSettings, restoreSessionSettings } from './session-settings.js'
import { splitStatements } from './split-statements.js'

export interface RunOptions {
  readonly package: string
  readonly safeguards: Safeguards
  /** The archive that was written before, or null. */
  readonly archive: string | null
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs one migration and writes its ledger row, both in one transaction unless the migration opts out. Returns its duration in ms.
 *
 * Error: MIGRATION_FAILED with the place in the file, where the server tells one.
 */
export async function runOne(session: Session, migration: LoadedMigration, options: RunOptions): Promise<number> {
  const started = performance.now()
  const settings = await readSessionSettings(session)
  let durationMs = 0
  const run = () => runUp(session, migration, options.signal)
  const work = async () => {
    await options.safeguards.around({ session, migration, direction: 'up', run })
    await restoreSessionSettings(session, settings)
    durationMs = Math.round(performance.now() - started)
    await recordMigration(session, migration.file, { package: options.package, archive: options.archive, durationMs })
  }
  try {
    await (migration.isTransactional ? session.transaction({}, () => inOneTransaction(session, work)) : work())
  } catch (error) {
    options.signal?.throwIfAborted()
    throw describeMigrationFailure(error, migration)
  }
  return durationMs
}

async function runUp(session: Session, { up, isTransactional }: LoadedMigration, signal?: AbortSignal): Promise<void> {
  let running = 0
  let isOver = false
  async function run<T>(statement: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted()
    if (isOver) throw new Error('a migration used its database after it had returned')
    running++
    return await statement().finally(() => running--)
  }
  const db: MigrationDatabase = {
    query: (sql, values) => run(() => session.query(sql, values)),
    execute: (script) => run(() => (isTransactional ? session.script(script) : runOneByOne(session, script))),
  }
  try {
    await up(db)
  } finally {
    isOver = true
  }
  // A statement that nobody waits for could end up behind the commit, or inside the next migration.
  if (running > 0)
    throw new UnderstudyError('MIGRATION_FAILED', 'it returned before its statements had ended', {
      hint: 'Write `await` before every `db.query` and `db.execute`.',
    })
}

/** The server runs a script as one transaction, which is what these statements refuse. */
async function runOneByOne(session: Session, script: string): Promise<void> {
  for (const statement of splitStatements(script)) await session.script(statement)
}

/** A `commit` inside a migration would leave it half recorded; the transaction's number shows it. */
async function inOneTransaction(session: Session, work: () => Promise<void>): Promise<void> {
  const before = await readTransactionId(session)
  await work()
  if ((await readTransactionId(session)) === before) return
  throw new UnderstudyError('MIGRATION_FAILED', 'it ended its own transaction', {
    detail: 'What ran before its `commit` or `rollback` was not rolled back.',
    hint: 'Take `begin`, `commit` and `rollback` out of it: every migration is one transaction, unless it opts out.',
  })
}

async function readTransactionId(session: Session): Promise<string | undefined> {
  const [row] = await session.query<{ id: string }>('select pg_current_xact_id()::text as id')
  return row?.id
}
