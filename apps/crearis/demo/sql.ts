import type { Database } from 'understudy'
import type { SampleDatabase } from '../sample/index.js'

/** One query in a session of its own. */
export async function query<Row>(database: Database, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  return await database.withSession((session) => session.query<Row>(sql, values))
}

/** Gives the database as the sample wants it, in one session. */
export async function withSample<T>(database: Database, use: (sample: SampleDatabase) => Promise<T>): Promise<T> {
  return await database.withSession((session) =>
    use({
      query: (sql, values) => session.query(sql, values),
      execute: (script) => session.script(script),
    }),
  )
}
