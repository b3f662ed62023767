import { UnderstudyError } from '../errors.js'
import type { TransactionOptions } from './port.js'

export interface TransactionControl {
  /** Runs one statement and returns its command tag's first word, such as `COMMIT`. */
  run(sql: string): Promise<string>
}

/** `begin`, `work`, `commit`; an error of `work` rolls back and is thrown again, whatever becomes of the rollback. */
export async function runTransaction<T>(
  control: TransactionControl,
  options: TransactionOptions,
  work: () => Promise<T>,
): Promise<T> {
  await control.run(beginStatement(options))
  let result: T
  try {
    result = await work()
  } catch (error) {
    // A rollback fails only when the session is lost, and then the server has rolled back itself.
    await control.run('rollback').catch(() => undefined)
    throw error
  }
  await commit(control)
  return result
}

function beginStatement(options: TransactionOptions): string {
  const isolation = options.isolation ?? 'read committed'
  return `begin isolation level ${isolation}, ${options.isReadOnly ? 'read only' : 'read write'}`
}

async function commit(control: TransactionControl): Promise<void> {
  let tag: string
  try {
    tag = await control.run('commit')
  } catch (error) {
    if (!(error instanceof UnderstudyError) || error.code !== 'CONNECTION_LOST') throw error
    throw new UnderstudyError('CONNECTION_LOST', 'the connection was lost during the commit', {
      detail: `Whether the transaction was committed is not known.\n${error.detail ?? ''}`.trim(),
      hint: 'Look whether the change is there before you repeat it.',
      cause: error.cause,
    })
  }
  // The server answers the commit of a failed transaction with ROLLBACK and without an error.
  if (tag === 'ROLLBACK') {
    throw new UnderstudyError('TRANSACTION_ABORTED', 'the transaction was rolled back instead of committed', {
      detail: 'A statement inside it had failed, and its error was not passed on.',
    })
  }
}
