import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Database, openDatabase, type Session } from 'understudy'
import type { BenchServer } from './server.js'

/** The bench's databases on the server: made under names of their own, removed at the end. */
export class Databases {
  readonly #server: BenchServer
  readonly #admin: Database
  readonly #made = new Set<string>()

  private constructor(server: BenchServer, admin: Database) {
    this.#server = server
    this.#admin = admin
  }

  static async open(server: BenchServer): Promise<Databases> {
    return new Databases(server, await openDatabase(server.url))
  }

  /** A connection string with the password. */
  url(name: string): string {
    const url = new URL(this.#server.url)
    url.pathname = `/${realName(name)}`
    return url.href
  }

  /** Runs a file of `bench/sql`. */
  async runFile(name: string, file: string, settings: Readonly<Record<string, number>> = {}): Promise<void> {
    const script = await readSql(file)
    const lines = Object.entries(settings).map(([setting, value]) => `set ${setting} = ${value};`)
    await this.withSession(name, (session) => session.script([...lines, script].join('\n')))
  }

  /** Runs a file of `bench/sql` that is one statement, and returns its one row. */
  async queryFile<Row>(name: string, file: string): Promise<Row> {
    const statement = await readSql(file)
    const [row] = await this.withSession(name, (session) => session.query<Row>(statement))
    if (row === undefined) throw new Error(`${file} returned no row`)
    return row
  }

  async withSession<T>(name: string, use: (session: Session) => Promise<T>): Promise<T> {
    const database = await openDatabase(this.url(name))
    return await database.withSession(use)
  }

  async create(name: string, template?: string): Promise<void> {
    await this.drop(name)
    const from = template === undefined ? '' : ` template ${realName(template)}${this.#strategy()}`
    await this.#run(`create database ${realName(name)}${from}`)
    this.#made.add(name)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#run(`alter database ${realName(from)} rename to ${realName(to)}`)
    this.#made.delete(from)
    this.#made.add(to)
  }

  has(name: string): boolean {
    return this.#made.has(name)
  }

  async drop(name: string): Promise<void> {
    if (this.#made.delete(name)) await this.#run(`drop database if exists ${realName(name)} with (force)`)
  }

  async dropAll(): Promise<void> {
    for (const name of [...this.#made]) await this.drop(name)
  }

  /**
   * Leaves a database as autovacuum would. What was committed asynchronously has to be on disk first: before that no page counts as visible to
   * all, and whoever reads a table looks at every row twice.
   */
  async vacuum(name: string): Promise<void> {
    await this.settle()
    await this.withSession(name, (session) => session.script('vacuum (analyze)'))
  }

  /** Writes out what is dirty, so that no run pays for the one before. Under `fsync = off` a checkpoint leaves it to the system, which does it while the next runs. */
  async settle(): Promise<void> {
    await this.#run('checkpoint')
    if (process.platform !== 'win32') await promisify(execFile)('sync')
  }

  /** Waits until the sessions of a run are gone from the server, and their CPU time with them. */
  async waitForQuiet(): Promise<void> {
    const names = [...this.#made].map(realName)
    await this.#admin.withSession(async (session) => {
      for (let round = 0; round < 500; round++) {
        const [row] = await session.query<{ count: number }>(
          `select count(*) as count from pg_stat_activity where datname = any($1::text[]) and backend_type = 'client backend'`,
          [names],
        )
        if (row?.count === 0) break
        await sleep(20)
      }
    })
    await sleep(50)
  }

  /** A copy of the files, which since PostgreSQL 15 has to be asked for, is quicker than one through the log. */
  #strategy(): string {
    return Number.parseInt(this.#server.version, 10) >= 15 ? ' strategy file_copy' : ''
  }

  async #run(sql: string): Promise<void> {
    await this.#admin.withSession((session) => session.script(sql))
  }
}

async function readSql(file: string): Promise<string> {
  return await readFile(new URL(`../sql/${file}`, import.meta.url), 'utf8')
}

function realName(name: string): string {
  return `understudy_bench_${process.pid}_${name}`
}
