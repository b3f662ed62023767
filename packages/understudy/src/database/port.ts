import type { MarkedLines } from '../marked-lines.js'
import type { Lookup } from './lookup.js'

/** By the name of a column of a select: what its values are written as. A value that is not in it is written as null. */
export type Lookups = ReadonlyMap<string, Lookup>

/**
 * What is made of a column's values before `row_to_json`:
 * - `array`: where a lower bound is not 1, the text of the output function;
 * - `jsonb`: JSON null, and what has the key `$json` at its top, inside of an object with that key.
 */
export interface Encoder {
  readonly encoding: 'array' | 'jsonb'
  /** SQL that does it. */
  readonly toSql: (value: string) => string
}

export interface RecordOptions {
  /** Only for a driver that makes the lines itself. */
  readonly lookups?: Lookups | undefined
  /** By the name of a column of the select. */
  readonly encoders?: ReadonlyMap<string, Encoder> | undefined
}

/**
 * The port: all that the engine asks of a database. Two drivers implement it, `postgres` and `pglite`, so it is kept small.
 */
export interface Database {
  readonly driver: 'postgres' | 'pglite'
  /** Where it is, safe to print: never holds a password. */
  readonly label: string
  /** How many sessions it can hold side by side: 1 for PGlite. */
  readonly maxSessions: number
  /** Takes a session, gives it to `use`, and closes it whatever happens. */
  withSession<T>(use: (session: Session) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** One connection. Statements run one after the other. */
export interface Session {
  readonly driver: 'postgres' | 'pglite'
  /**
   * Runs one statement. Values come back as: boolean, number for int2/int4/int8/oid/float, parsed JSON for json and jsonb,
   * string arrays for text[] and name[], strings for all else. A user's own values are always selected as text.
   */
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** As `query`, and says how many rows the statement touched. */
  execute(sql: string, values?: readonly unknown[]): Promise<number>
  /** Runs a script of any number of statements, without values. Outside a transaction the script is one. */
  script(sql: string): Promise<void>
  /** `begin`, `work`, `commit`; any error rolls back and is thrown again. Not nested. */
  transaction<T>(options: TransactionOptions, work: () => Promise<T>): Promise<T>
  /**
   * Runs `work`, a part of this session. When the signal aborts, the statement that runs is cancelled on the server; it, every later one of
   * `work`, and `work` itself end with the signal's reason. What follows is not concerned: a commit, a rollback. PGlite's one thread cannot
   * be interrupted: there the running statement ends first.
   */
  abortable<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>
  /**
   * What tells this database from a copy of it, as a text fit for messages: server and database number, or the folder's place on its disk.
   * It stays the same over restarts and minor upgrades. Null where the role may not ask.
   */
  readFingerprint(): Promise<string | null>
  /**
   * The rows of a `select` that yields one text column without raw control characters (such as JSON), as bytes: each row ends with `\n`.
   * Chunks break anywhere. Constant memory. No other statement may run meanwhile. Whoever stops early can go on with the
   * session, and with its transaction.
   */
  readLines(select: string): AsyncIterable<Uint8Array>
  /**
   * As `readLines`, of a `select` of any columns under the pinned settings: each row is the JSON object that `row_to_json` makes of it, to the byte.
   * A driver that makes the lines itself marks them.
   * A chunk is the reader's to change, and may be overwritten as soon as the next one is asked for.
   */
  readRecords(select: string, options?: RecordOptions): AsyncIterable<Uint8Array | MarkedLines>
  /**
   * Writes lines into a table's text columns: columns separated by byte 0x02, rows by `\n`, an empty column is null.
   * Returns the number of rows that the server counted. Constant memory on PostgreSQL. When `chunks` throws, nothing is
   * written, and that error is thrown; a transaction around it has failed and can only be rolled back.
   */
  writeLines(target: LinesTarget, chunks: AsyncIterable<Uint8Array>): Promise<number>
  /**
   * As `writeLines`, into the columns `n bigint, master text, line text` of a table, inside a transaction: a driver may take several statements.
   */
  writeRecords(table: string, chunks: AsyncIterable<Uint8Array>): Promise<number>
}

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read'
  readonly isReadOnly?: boolean
}

export interface LinesTarget {
  /** The table, quoted and qualified. */
  readonly table: string
  /** Its columns, quoted. */
  readonly columns: readonly string[]
}
