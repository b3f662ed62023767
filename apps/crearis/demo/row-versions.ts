import type { Database } from 'understudy'
import { query } from './sql.js'
import type { Table } from './stage.js'

/**
 * Where each row stands and which transaction wrote it (`ctid` and `xmin`; manual, "System Columns"), one line a row. PostgreSQL never changes a
 * row in place: a row that was written, even with the same values, has another line.
 */
export async function readRowVersions(database: Database, tables: readonly Table[]): Promise<string[]> {
  const parts = tables.map(
    ({ schema, name }) =>
      `select '${name}' || ' ' || ctid::text || ' written by ' || xmin::text as line from "${schema}"."${name}"`,
  )
  const rows = await query<{ line: string }>(database, parts.join(' union all '))
  return rows.map(({ line }) => line)
}

export async function countRows(database: Database, tables: readonly Table[]): Promise<number> {
  return (await readRowVersions(database, tables)).length
}
