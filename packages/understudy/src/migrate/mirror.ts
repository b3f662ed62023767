import type { MigrationMirror } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'

/**
 * The application's own list of applied migrations: an array of ids under a key of a jsonb column, in a table of one row. It is kept in
 * step with the ledger in the same transaction, and a database that has only this list can be adopted from it.
 */

/** The ids in the list; none where there is no such table yet. */
export async function readMirror(session: Session, mirror: MigrationMirror | null): Promise<readonly string[]> {
  if (mirror === null || !(await hasColumn(session, mirror))) return []
  const column = quoteIdentifier(mirror.column)
  const rows = await session.query<{ id: string }>(
    `select distinct listed.id
     from ${tableOf(mirror)}
     cross join lateral jsonb_array_elements_text(
       case when jsonb_typeof(${column} -> $1::text) = 'array' then ${column} -> $1::text else '[]'::jsonb end
     ) as listed (id)
     order by listed.id`,
    [mirror.key],
  )
  return rows.map(({ id }) => id)
}

/**
 * Writes what the ledger says into the list. Ids that only the list knows stay, but for the one that was just taken back. Before the
 * migration that makes the table there is nothing to write to; the one that makes it brings those before it along.
 */
export async function writeMirror(session: Session, mirror: MigrationMirror | null, revertedId = ''): Promise<void> {
  if (mirror === null || !(await hasColumn(session, mirror))) return
  const column = quoteIdentifier(mirror.column)
  await session.execute(
    `update ${tableOf(mirror)}
     set ${column} = jsonb_set(coalesce(${column}, '{}'), array[$1::text], (
       select coalesce(jsonb_agg(known.id order by known.id collate "C"), '[]')
       from (
         select id from understudy.migration where state = 'applied'
         union
         select jsonb_array_elements_text(${column} -> $1::text) where jsonb_typeof(${column} -> $1::text) = 'array'
       ) as known
       where known.id <> $2::text
     ))`,
    [mirror.key, revertedId],
  )
}

/** As `schema.table.column.key`, for messages. */
export function nameOfMirror({ table, column, key }: MigrationMirror): string {
  return `${table}.${column}.${key}`
}

async function hasColumn(session: Session, mirror: MigrationMirror): Promise<boolean> {
  const [row] = await session.query<{ exists: boolean }>(
    `select exists (
       select from pg_catalog.pg_attribute
       where attrelid = to_regclass($1::text) and attname = $2::text and atttypid = 'jsonb'::regtype and not attisdropped
     ) as "exists"`,
    [tableOf(mirror), mirror.column],
  )
  return row?.exists ?? false
}

function tableOf({ table }: MigrationMirror): string {
  return table.split('.').map(quoteIdentifier).join('.')
}
