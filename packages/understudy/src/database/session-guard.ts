import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { UnderstudyError } from '../errors.js'
import { SerialQueue } from './serial-queue.js'

/** How a driver ends what its session is at. */
export interface Interruption {
  /** Asks the server to cancel the running statement; it may come too early or too late, and is asked again. */
  cancel(): Promise<void>
  /** Leaves the server, which then rolls back by itself. */
  disconnect(): void
}

const CANCEL_AGAIN_MS = 200
/** A server that has not ended a statement after this long cannot be reached, or is deep inside something. */
const CANCEL_PATIENCE_MS = 3000

/**
 * Keeps one session's statements apart. Statements that are sent together wait for one another; a statement sent while
 * a stream of the same session is open would wait for ever, so it is refused.
 */
export class SessionGuard {
  #queue = new SerialQueue()
  #stream: string | undefined
  #isOver = false
  #isInTransaction = false
  #signal: AbortSignal | undefined
  readonly #interruption: Interruption | undefined

  /** Without a way to interrupt, a running statement ends by itself before an abort takes effect. */
  constructor(interruption?: Interruption) {
    this.#interruption = interruption
  }

  /** Runs one statement when those before it are through. */
  run<T>(statement: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      // Where statements run in this very thread, the signal's sender would never get a turn.
      if (this.#signal !== undefined && this.#interruption === undefined) await turn()
      this.#signal?.throwIfAborted()
      this.#assertFree()
      return await statement()
    })
  }

  /** See `Session.abortable`. */
  async abortable<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (signal === undefined) return await work()
    signal.throwIfAborted()
    const outer = this.#signal
    const settled = new AbortController()
    let interrupting: Promise<void> | undefined
    const onAbort = () => {
      interrupting = this.#interrupt(settled.signal)
    }
    this.#signal = signal
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const result = await work()
      signal.throwIfAborted()
      return result
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      settled.abort()
      signal.removeEventListener('abort', onAbort)
      this.#signal = outer
      // A request that is still on its way must not meet the statements that follow.
      await interrupting
    }
  }

  /** Cancels until all is quiet: a request that reaches the server before its statement does is in vain. */
  async #interrupt(settled: AbortSignal): Promise<void> {
    const patienceEnds = Date.now() + CANCEL_PATIENCE_MS
    while (this.#interruption !== undefined && !settled.aborted) {
      if (Date.now() > patienceEnds) return this.#interruption.disconnect()
      await this.#interruption.cancel()
      await sleep(CANCEL_AGAIN_MS, undefined, { signal: settled }).catch(() => undefined)
    }
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
