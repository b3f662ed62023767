import type { PGlite, Results } from '@electric-sql/pglite'
import { copyPieces, fetchLines } from './pglite-copy.js'
import type { LinesTarget, RecordOptions, Session, TransactionOptions } from './port.js'
import { quoteIdentifier } from './quoting.js'
import { SessionGuard } from './session-guard.js'
import { runTransaction } from './transaction.js'
import { encodeValue } from './values.js'

/** PGlite's one backend, lent as a session. */
export class PgliteSession implements Session {
  readonly driver = 'pglite'
  readonly #pglite: PGlite
  readonly #fingerprint: string
  readonly #onNotice: ((message: string) => void) | undefined
  readonly #guard = new SessionGuard()

  constructor(pglite: PGlite, fingerprint: string, onNotice: ((message: string) => void) | undefined) {
    this.#pglite = pglite
    this.#fingerprint = fingerprint
    this.#onNotice = onNotice
  }

  async query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]> {
    return (await this.#send(sql, values)).rows as Row[]
  }

  async execute(sql: string, values?: readonly unknown[]): Promise<number> {
    return (await this.#send(sql, values)).rowCount ?? 0
  }

  async script(sql: string): Promise<void> {
    await this.#send(sql)
  }

  async transaction<T>(options: TransactionOptions, work: () => Promise<T>): Promise<T> {
    const leave = this.#guard.enterTransaction()
    try {
      return await runTransaction({ run: async (sql) => (await this.#send(sql)).command ?? '' }, options, work)
    } finally {
      leave()
    }
  }

  abortable<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return this.#guard.abortable(signal, work)
  }

  async readFingerprint(): Promise<string> {
    return this.#fingerprint
  }

  async *readLines(select: string): AsyncGenerator<Uint8Array> {
    // A cursor lives inside a transaction only.
    const isOwn = !this.#pglite.isInTransaction()
    if (isOwn) await this.#send('begin')
    const close = await this.#guard.openStream('readLines')
    try {
      yield* fetchLines(this.#pglite, select)
    } finally {
      close()
      if (isOwn) await this.#send('rollback')
    }
  }

  async *readRecords(select: string, { lookups, encoders }: RecordOptions = {}): AsyncGenerator<Uint8Array> {
    if (lookups !== undefined && lookups.size > 0) throw new Error('PGlite makes the lines, and looks nothing up')
    yield* this.readLines(`select row_to_json(r.*) from (${await this.#encoded(select, encoders)}) r`)
  }

  async #encoded(select: string, encoders: RecordOptions['encoders']): Promise<string> {
    if (encoders === undefined || encoders.size === 0) return select
    const { fields } = await this.#send(`select r.* from (${select}) r limit 0`)
    const list = fields.map(({ name }) => {
      const column = `r.${quoteIdentifier(name)}`
      return `${encoders.get(name)?.toSql(column) ?? column} as ${quoteIdentifier(name)}`
    })
    return `select ${list.join(', ')} from (${select}) r`
  }

  async writeLines(target: LinesTarget, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    // Several pieces are several statements: without a transaction a failure would leave the first ones behind.
    if (!this.#pglite.isInTransaction()) return await this.transaction({}, () => this.writeLines(target, chunks))
    const close = await this.#guard.openStream('writeLines')
    try {
      return await copyPieces(this.#pglite, target, chunks)
    } finally {
      close()
    }
  }

  writeRecords(table: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    return this.writeLines({ table, columns: ['n', 'master', 'line'] }, chunks)
  }

  /** Leaves the backend as a new connection would find it: no transaction, settings, temporary tables or locks. */
  async end(): Promise<void> {
    this.#guard.end()
    if (this.#pglite.isInTransaction()) await this.#pglite.exec('rollback')
    await this.#pglite.exec('discard all')
  }

  #send(sql: string, values?: readonly unknown[]): Promise<Results> {
    const options = { onNotice: (notice: { message: string | undefined }) => this.#onNotice?.(notice.message ?? '') }
    return this.#guard.run(async () => {
      if (values !== undefined) return await this.#pglite.query(sql, values.map(encodeValue), options)
      const results = await this.#pglite.exec(sql, options)
      return results.at(-1) ?? { rows: [], fields: [] }
    })
  }
}
