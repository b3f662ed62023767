import type { Socket } from 'node:net'
import pg from 'pg'
import type { MarkedLines } from '../marked-lines.js'
import { sendCancelRequest } from './cancel-request.js'
import { LINES_FORMAT, ROWS_FORMAT } from './copy-format.js'
import { type ConnectionTarget, connectionLost, describeConnectFailure, isConnectionLoss } from './failures.js'
import { readPasswordFile } from './password-file.js'
import type { LinesTarget, RecordOptions, Session, TransactionOptions } from './port.js'
import { copyIn, copyRecords } from './postgres-copy-in.js'
import { copyOut } from './postgres-copy-out.js'
import { quoteIdentifier } from './quoting.js'
import { renderingOf } from './rendered-types.js'
import { type RenderedColumn, RowRenderer } from './row-renderer.js'
import { SessionGuard } from './session-guard.js'
import { runTransaction } from './transaction.js'
import { encodeValue } from './values.js'

const POOLER_ROUNDS = 3
/** A cancelled statement fails its transaction, so a reader that stops early goes back to here. */
const READ_SAVEPOINT = 'savepoint understudy_read;'

/** One dedicated connection to a server. */
export class PostgresSession implements Session {
  readonly driver = 'postgres'
  readonly #client: pg.Client
  readonly #config: pg.ClientConfig
  readonly #target: ConnectionTarget
  readonly #guard = new SessionGuard({
    cancel: () => sendCancelRequest(this.#client),
    disconnect: () => this.#stream.destroy(),
  })
  #lossCause: Error | undefined

  constructor(config: pg.ClientConfig, target: ConnectionTarget) {
    this.#config = config
    this.#target = target
    this.#client = new pg.Client(config)
    if (!Reflect.get(this.#client, 'password')) Reflect.set(this.#client, 'password', readPasswordFile)
    // Without a listener a connection that breaks between two statements would end the process.
    this.#client.on('error', (error) => {
      this.#lossCause ??= error
    })
  }

  onNotice(listener: (message: string) => void): void {
    this.#client.on('notice', (notice) => listener(notice.message ?? ''))
  }

  async connect(signal?: AbortSignal): Promise<void> {
    const leave = () => this.#stream.destroy()
    signal?.addEventListener('abort', leave, { once: true })
    try {
      await this.#client.connect()
    } catch (error) {
      signal?.throwIfAborted()
      throw describeConnectFailure(error, this.#target)
    } finally {
      signal?.removeEventListener('abort', leave)
    }
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
      return await runTransaction({ run: async (sql) => (await this.#send(sql)).command }, options, work)
    } finally {
      leave()
    }
  }

  abortable<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return this.#guard.abortable(signal, work)
  }

  async readFingerprint(): Promise<string | null> {
    const [database] = await this.query<{ oid: number; may_ask: boolean }>(
      `select oid, pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute') as may_ask
         from pg_catalog.pg_database
        where datname = pg_catalog.current_database()`,
    )
    // A statement that only might call it is refused as well.
    if (database?.may_ask !== true) return null
    const [server] = await this.query<{ id: string }>(
      'select system_identifier::text as id from pg_catalog.pg_control_system()',
    )
    return `server ${server?.id}, database ${database.oid}`
  }

  async *readLines(select: string): AsyncGenerator<Uint8Array> {
    const isInside = this.#guard.isInTransaction
    if (isInside) await this.#send(READ_SAVEPOINT)
    yield* this.#read(copyOut(this.#client, { select, format: LINES_FORMAT }, { isReused: false }), { isInside })
  }

  async *readRecords(select: string, { lookups, encoders }: RecordOptions = {}): AsyncGenerator<MarkedLines> {
    const isInside = this.#guard.isInTransaction
    const described = await this.#describe(select, isInside ? READ_SAVEPOINT : '')
    const columns = described.map(({ name, typeOid }) => ({
      name,
      ...renderingOf(typeOid, { lookup: lookups?.get(name), encoder: encoders?.get(name) }),
    }))
    const rows = { select: renderable(select, columns), format: ROWS_FORMAT }
    const renderer = new RowRenderer(columns)
    for await (const chunk of this.#read(copyOut(this.#client, rows, { isReused: true }), { isInside })) {
      yield* renderer.push(chunk)
    }
    yield* renderer.end()
  }

  /** The columns of a select, in one round trip with the statement that comes first. */
  async #describe(select: string, first: string): Promise<{ readonly name: string; readonly typeOid: number }[]> {
    const { fields } = await this.#send(`${first}select r.* from (${select}) r limit 0`)
    return fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }))
  }

  /** Reads behind the savepoint, if it is inside of a transaction. */
  async *#read(chunks: AsyncGenerator<Uint8Array>, { isInside }: { isInside: boolean }): AsyncGenerator<Uint8Array> {
    const close = await this.#guard.openStream('readLines')
    let isComplete = false
    let hasFailed = false
    try {
      yield* chunks
      isComplete = true
    } catch (error) {
      hasFailed = true
      throw this.#explain(error)
    } finally {
      close()
      if (isInside && !hasFailed) {
        if (!isComplete) await this.#send('rollback to savepoint understudy_read')
        await this.#send('release savepoint understudy_read')
      }
    }
  }

  writeLines(target: LinesTarget, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    return this.#write('writeLines', () => copyIn(this.#client, target, chunks))
  }

  writeRecords(table: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    return this.#write('writeRecords', () => copyRecords(this.#client, table, chunks))
  }

  async #write(name: string, copy: () => Promise<number>): Promise<number> {
    const close = await this.#guard.openStream(name)
    try {
      return await copy()
    } catch (error) {
      throw this.#explain(error)
    } finally {
      close()
    }
  }

  /**
   * Evidence that a transaction pooler stands in between, where statements of one session may run in different server
   * processes; undefined where there is none.
   *
   * A server tells its process id when a session begins, and a pooler tells a number of its own. Where the two agree the
   * connection is direct. Where not, it may still be a pooler in session mode, or a proxy that only forwards; so further
   * sessions keep a transaction open meanwhile, which makes a transaction pooler hand out its server processes anew.
   */
  async findTransactionPooler(): Promise<string | undefined> {
    const pid = await readBackendPid(this)
    if (pid === this.#toldPid) return undefined
    const helpers: PostgresSession[] = []
    try {
      for (let round = 0; round < POOLER_ROUNDS; round++) {
        const helper = new PostgresSession(this.#config, this.#target)
        helpers.push(helper)
        await helper.connect()
        await helper.script('begin')
        if ((await readBackendPid(helper)) === pid) return `Server process ${pid} served two sessions at once.`
        const now = await readBackendPid(this)
        if (now !== pid) return `Server process ${pid} answered this session, then process ${now}.`
      }
      return undefined
    } finally {
      await Promise.all(helpers.map((helper) => helper.end()))
    }
  }

  /** Closes the connection. Never throws: whatever was open on the server ends with it. */
  async end(): Promise<void> {
    this.#guard.end()
    await this.#client.end().catch(() => undefined)
  }

  #send(sql: string, values?: readonly unknown[]): Promise<pg.QueryResult> {
    return this.#guard.run(async () => {
      try {
        const result: pg.QueryResult | pg.QueryResult[] = await this.#client.query(sql, values?.map(encodeValue))
        return lastResult(result)
      } catch (error) {
        throw this.#explain(error)
      }
    })
  }

  #explain(error: unknown): unknown {
    if (!isConnectionLoss(error)) return error
    return connectionLost(this.#lossCause ?? error, this.#target)
  }

  get #stream(): Socket {
    return (this.#client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream
  }

  /** What the server, or the pooler in its place, said at the beginning. */
  get #toldPid(): unknown {
    return Reflect.get(this.#client, 'processID')
  }
}

async function readBackendPid(session: Session): Promise<number | undefined> {
  const [row] = await session.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid')
  return row?.pid
}

/** A text of several statements has several results. */
function lastResult(result: pg.QueryResult | pg.QueryResult[]): pg.QueryResult {
  if (!Array.isArray(result)) return result
  const last = result.at(-1)
  if (last === undefined) throw new Error('the server sent no result')
  return last
}

/** The select of the columns as they are to be sent. */
function renderable(select: string, columns: readonly RenderedColumn[]): string {
  const list = columns.map((column) => column.select(`r.${quoteIdentifier(column.name)}`))
  return `select ${list.join(', ')} from (${select}) r`
}
