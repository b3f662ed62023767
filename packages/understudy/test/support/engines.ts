import { randomBytes } from 'node:crypto'
import { cpSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { inject } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import type { Database } from '../../src/database/port.js'
import { createScratchFolder } from './scratch.js'
import type { TestServer } from './servers.js'

// Clearing the usual 128 MB is half of what opening an embedded database takes: 350 ms of CPU against 190 (2 cores, PGlite 0.5.16).
PGlite.defaultStartParams.push('-c', 'shared_buffers=16MB')

/** A kind of database to test on; `describe.each(engines)('$name', (engine) => …)`. */
export interface Engine {
  readonly name: string
  readonly driver: Database['driver']
  /** The server, where there is one. */
  readonly server: TestServer | undefined
  /** A new empty database, open. */
  createDatabase(): Promise<TestDatabase>
}

export interface TestDatabase {
  /** Opens the same database again; an embedded one in another process only after `database` is closed. */
  readonly url: string
  readonly database: Database
  /** Closes and removes it. */
  dispose(): Promise<void>
}

/** PGlite, PostgreSQL 18, and the oldest other PostgreSQL that the machine has. */
export const engines: readonly Engine[] = [pgliteEngine(), ...inject('testServers').map(serverEngine)]

/** Engines with a server: for what needs several connections, roles or real locks. */
export const servers: readonly ServerEngine[] = engines.filter(
  (engine) => engine.server !== undefined,
) as ServerEngine[]

export type ServerEngine = Engine & { readonly server: TestServer }

/** Gives a new database to `use` and removes it afterwards. */
export async function withTestDatabase<T>(engine: Engine, use: (created: TestDatabase) => Promise<T>): Promise<T> {
  return await withTestDatabases([engine], async ([created]) => await use(created as TestDatabase))
}

/** Gives one new database of each engine to `use`, such as a source and a target, and removes them afterwards. */
export async function withTestDatabases<T>(
  wanted: readonly Engine[],
  use: (created: readonly TestDatabase[]) => Promise<T>,
): Promise<T> {
  const created: TestDatabase[] = []
  try {
    for (const engine of wanted) created.push(await engine.createDatabase())
    return await use(created)
  } finally {
    for (const database of created) await database.dispose()
  }
}

export interface UrlParts {
  readonly role?: string
  readonly password?: string
  readonly port?: number
  readonly database?: string
}

/** A URL to a test server: the superuser's, to its maintenance database, where the parts do not say otherwise. */
export function urlOf(server: TestServer, parts: UrlParts = {}): string {
  const role = encodeURIComponent(parts.role ?? server.role)
  const password = encodeURIComponent(parts.password ?? server.password)
  return `postgres://${role}:${password}@${server.host}:${parts.port ?? server.port}/${parts.database ?? 'postgres'}`
}

function pgliteEngine(): Engine {
  return {
    name: 'PGlite',
    driver: 'pglite',
    server: undefined,
    async createDatabase() {
      const folder = join(await createScratchFolder(), 'data')
      // The synchronous copy takes a third of the time: hundreds of small files.
      cpSync(inject('pgliteTemplate'), folder, { recursive: true })
      const url = `pglite:${folder}`
      const database = await openDatabase(url)
      const dispose = async () => {
        await database.close()
        await rm(folder, { recursive: true, force: true })
      }
      return { url, database, dispose }
    },
  }
}

function serverEngine(server: TestServer): Engine {
  return {
    name: `PostgreSQL ${server.major}`,
    driver: 'postgres',
    server,
    async createDatabase() {
      const name = `test_${randomBytes(6).toString('hex')}`
      // Copying files takes half as long as writing all of a template to the log, which is what servers do by themselves since 15.
      await administer(server, `create database ${name}${server.major < 15 ? '' : ' strategy file_copy'}`)
      const url = urlOf(server, { database: name })
      const database = await openDatabase(url)
      const dispose = async () => {
        await database.close()
        await administer(server, `drop database if exists ${name} with (force)`)
      }
      return { url, database, dispose }
    },
  }
}

/** Runs SQL as the superuser in the maintenance database. */
export async function administer(server: TestServer, sql: string): Promise<void> {
  const database = await openDatabase(urlOf(server))
  try {
    await database.withSession((session) => session.script(sql))
  } finally {
    await database.close()
  }
}
