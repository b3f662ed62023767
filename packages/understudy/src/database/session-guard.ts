import { UnderstudyError } from '../errors.js'
import { SerialQueue } from './serial-queue.js'

/**
 * Keeps one session's statements apart. Statements that are sent together wait for one another; a statement sent while
 * a stream of the same session is open would wait for ever, so it is refused.
 */
export class SessionGuard {
  #queue = new SerialQueue()
  #stream: string | undefined
  #isOver = false
  #isInTransaction = false

  /** Runs one statement when those before it are through. */
  run<T>(statement: () => Promise<T>): Promise<T> {
    return this.#queue.run(() => {
      this.#assertFree()
      return statement()
    })
  }

  /** Takes the session for a stream until the returned function is called. */
  async openStream(name: string): Promise<() => void> {
    await this.run(async () => {
      this.#stream = name
    })
    return () => {
      this.#stream = undefined
    }
  }

  /** Takes the session for a transaction until the returned function is called. */
  enterTransaction(): () => void {
    if (this.#isInTransaction) throw misuse('a transaction was begun inside another one of the same session')
    this.#isInTransaction = true
    return () => {
      this.#isInTransaction = false
    }
  }

  get isInTransaction(): boolean {
    return this.#isInTransaction
  }

  /** After this every use of the session is refused. */
  end(): void {
    this.#isOver = true
  }

  #assertFree(): void {
    if (this.#isOver) throw misuse('a session was used after it was given back')
    if (this.#stream !== undefined) throw misuse(`a session was used while its ${this.#stream} was still running`)
  }
}

export function misuse(message: string): UnderstudyError {
  return new UnderstudyError('SESSION_MISUSED', message, {
    hint: 'This is a mistake in the program that calls the database layer, not in the database.',
  })
}
