import { fileURLToPath } from 'node:url'
import { type Database, loadConfig, migrateUp } from 'understudy'
import { afterAll, beforeAll } from 'vitest'
import type { Engine, TestDatabase } from '../../../packages/understudy/test/support/engines.js'
import type { SampleDatabase } from '../sample/index.js'

export const CREARIS = fileURLToPath(new URL('..', import.meta.url))

export interface Crearis extends SampleDatabase {
  /** Runs the pending migrations up to the end of a package and returns their ids. */
  migrate(to: 'A' | 'B'): Promise<string[]>
  /** The database itself, once the tests run. */
  database(): Database
  /** The one row of a query. */
  one<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row>
}

/** A new empty database for the tests of a `describe`, with the migrations of this application at hand. */
export function useCrearis(engine: Engine): Crearis {
  let created: TestDatabase | undefined
  beforeAll(async () => {
    created = await engine.createDatabase()
  })
  afterAll(async () => {
    await created?.dispose()
  })
  const database = () => {
    if (created === undefined) throw new Error('the database is there once the tests run')
    return created.database
  }
  const query: Crearis['query'] = (sql, values) => database().withSession((session) => session.query(sql, values))
  return {
    database,
    query,
    execute: (script) => database().withSession((session) => session.script(script)),
    async migrate(to) {
      const settings = await loadConfig({ cwd: CREARIS, environment: {} })
      const { applied } = await migrateUp(settings, { database: database(), to })
      return applied.map(({ id }) => id)
    },
    async one<Row>(sql: string, values?: readonly unknown[]) {
      const rows = await query<Row>(sql, values)
      const [row] = rows
      if (row === undefined || rows.length > 1) throw new Error(`expected one row, found ${rows.length}`)
      return row
    },
  }
}
