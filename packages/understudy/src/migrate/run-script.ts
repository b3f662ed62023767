import type { Settings } from '../config/settings.js'
import { findTransactionStatements, insideTransaction } from '../database/own-transaction.js'
import type { Session } from '../database/port.js'
import { splitStatements } from '../database/split-statements.js'
import { UnderstudyError } from '../errors.js'
import { importFilesetInside } from '../import/import-inside.js'
import type { MigrationDatabase } from './define-migration.js'
import type { MigrationScript } from './load-migration.js'

/** A statement, or a script of several, as it was sent. */
export interface SentStatement {
  readonly sql: string
  readonly values: readonly unknown[]
}

export interface ScriptOptions {
  readonly settings: Settings
  readonly isTransactional: boolean
  readonly signal?: AbortSignal | undefined
  readonly onStatement?: ((statement: SentStatement) => void) | undefined
}

/**
 * Runs one direction of a migration.
 *
 * Errors: MIGRATION_FAILED where it would end its transaction, or returns before its statements have ended; TransactionEnded; whatever the
 * migration throws.
 */
export async function runScript(session: Session, script: MigrationScript, options: ScriptOptions): Promise<void> {
  let running = 0
  let isOver = false
  async function send<T>(statement: SentStatement, work: () => Promise<T>): Promise<T> {
    if (isOver) throw new Error('a migration used its database after it had returned')
    if (options.isTransactional) refuseTransactionStatements(statement.sql)
    options.onStatement?.(statement)
    running++
    return await work().finally(() => running--)
  }
  const db: MigrationDatabase = {
    query: (sql, values = []) => send({ sql, values }, () => session.query(sql, values)),
    execute: (sql) =>
      send({ sql, values: [] }, () => (options.isTransactional ? session.script(sql) : runOneByOne(session, sql))),
    importFileset: (path, { onMissing } = {}) => {
      const work = () => importFilesetInside(session, options.settings, path, { onMissing, signal: options.signal })
      const statement = { sql: `-- the fileset ${path} is imported`, values: [] }
      return send(statement, () => (options.isTransactional ? work() : session.transaction({}, work)))
    },
  }
  const run = async () => {
    try {
      await session.abortable(options.signal, async () => await script.run(db))
    } finally {
      isOver = true
    }
    // A statement that nobody waits for could end up behind the commit, or inside the next migration.
    if (running > 0)
      throw new UnderstudyError('MIGRATION_FAILED', 'it returned before its statements had ended', {
        hint: 'Write `await` before every `db.query` and `db.execute`.',
      })
  }
  await (options.isTransactional ? insideTransaction(session, run) : run())
}

/** The server runs a script as one transaction, which is what these statements refuse. */
async function runOneByOne(session: Session, script: string): Promise<void> {
  for (const statement of splitStatements(script)) await session.script(statement)
}

function refuseTransactionStatements(script: string): void {
  const [statement] = findTransactionStatements(script)
  if (statement === undefined) return
  throw new UnderstudyError('MIGRATION_FAILED', `\`${statement.text}\` would begin or end a transaction`, {
    detail: 'The statement was not sent.',
    hint: TRANSACTION_HINT,
  })
}

export const TRANSACTION_HINT =
  'Take `begin`, `commit` and `rollback` out of it: every migration is one transaction, unless it opts out.'
