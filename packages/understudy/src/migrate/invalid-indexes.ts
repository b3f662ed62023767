import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteQualified } from '../database/quoting.js'
import type { SentStatement } from './run-script.js'

export interface IndexName {
  readonly schema: string
  readonly name: string
}

/** Indexes that a concurrent build has left unfinished: they cost writes and serve no reader (manual, `create index`). */
export async function readInvalidIndexes(session: Session): Promise<readonly IndexName[]> {
  return await session.query<IndexName & Record<string, unknown>>(
    `select namespace.nspname as schema, class.relname as name
     from pg_catalog.pg_index as index
     join pg_catalog.pg_class as class on class.oid = index.indexrelid
     join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
     where not index.indisvalid
       and class.relkind = 'i' /* ordinary index: a partitioned one is invalid until all its parts are attached */
     order by 1, 2`,
  )
}

/**
 * What statements without a transaction have left. An index that was invalid before counts where a statement names it: `create index
 * concurrently if not exists` is content with one.
 */
export async function findLeftInvalid(
  session: Session,
  before: readonly IndexName[],
  sent: readonly SentStatement[],
): Promise<readonly IndexName[]> {
  const earlier = new Set(before.map(quoteQualified))
  const isNamed = (index: IndexName) => sent.some(({ sql }) => mentions(sql, index))
  return (await readInvalidIndexes(session)).filter((index) => !earlier.has(quoteQualified(index)) || isNamed(index))
}

/** Whether a text names the index, quoted or not. */
export function mentions(sql: string, { name }: IndexName): boolean {
  if (sql.includes(quoteIdentifier(name))) return true
  const plain = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(?<![\\p{L}\\p{N}_$])${plain}(?![\\p{L}\\p{N}_$])`, 'iu').test(sql)
}

/** One line each, with the command that drops it. */
export function describeInvalid(invalid: readonly IndexName[]): string[] {
  return invalid.map(
    (index) => `${index.schema}.${index.name} is invalid: drop index concurrently ${quoteQualified(index)};`,
  )
}
