import type { Session } from './port.js'
import { readStatements } from './split-statements.js'

/** A statement of a script that begins or ends a transaction. */
export interface TransactionStatement {
  /** In one line, as short as it is told: `commit and chain`. */
  readonly text: string
  /** The line of the script. */
  readonly line: number
}

const CONTROL =
  /^(?:begin|start transaction|commit|end|abort|prepare transaction|rollback(?! (?:work |transaction )?to\b))\b/
/** Rules out nearly all scripts without reading their statements. */
const MENTIONED = /\b(?:begin|start|commit|end|abort|prepare|rollback)\b/i

/** The statements of a script that begin or end a transaction; savepoints, literals and the bodies of functions are none. */
export function findTransactionStatements(script: string): TransactionStatement[] {
  if (!MENTIONED.test(script)) return []
  return readStatements(script)
    .map(({ words, line }) => ({ text: words.join(' '), line }))
    .filter(({ text }) => CONTROL.test(text))
}

/** A script has ended the transaction that it ran in. What it did up to then is committed or rolled back, and can no longer be taken back. */
export class TransactionEnded extends Error {
  /** What stands of it, as a sentence. */
  readonly outcome: string
  /** How it failed after that; null where it did not. */
  readonly failure: string | null

  constructor(fate: string | null, cause?: unknown) {
    super('it ended its own transaction')
    this.outcome = describeFate(fate)
    this.failure = cause instanceof Error ? `Then it failed: ${cause.message}` : null
  }
}

function describeFate(fate: string | null): string {
  if (fate === 'committed') return 'What ran before its `commit` stands; what ran after that may stand.'
  if (fate === 'aborted') return 'What ran before its `rollback` was rolled back; what ran after that may stand.'
  return 'What it did may stand.'
}

/**
 * Runs a script inside the running transaction.
 *
 * @throws TransactionEnded where that is over afterwards, whether the script failed or not
 */
export async function insideTransaction<T>(session: Session, script: () => Promise<T>): Promise<T> {
  const id = await readTransactionId(session)
  let result: T
  try {
    result = await script()
  } catch (error) {
    // In a transaction that has failed nothing can be read: it is not over.
    const now = await readTransactionId(session).catch(() => id)
    throw now === id || error instanceof TransactionEnded ? error : await ended(session, id, error)
  }
  if ((await readTransactionId(session)) !== id) throw await ended(session, id)
  return result
}

async function ended(session: Session, id: string, cause?: unknown): Promise<TransactionEnded> {
  return new TransactionEnded(await readFate(session, id), cause)
}

async function readTransactionId(session: Session): Promise<string> {
  const [row] = await session.query<{ id: string }>('select pg_catalog.pg_current_xact_id()::text as id')
  if (row === undefined) throw new Error('the server names no transaction')
  return row.id
}

/** `committed`, `aborted`, or `in progress` where it was prepared. */
async function readFate(session: Session, id: string): Promise<string | null> {
  const [row] = await session.query<{ fate: string | null }>(
    'select pg_catalog.pg_xact_status($1::text::xid8) as fate',
    [id],
  )
  return row?.fate ?? null
}
