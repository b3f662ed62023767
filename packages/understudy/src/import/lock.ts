import type { ArchiveIndex } from '../archive/archive-index.js'
import { describeSqlError } from '../database/failures.js'
import { isLockFailure } from '../database/locked-transaction.js'
import type { Session } from '../database/port.js'
import { quoteQualified } from '../database/quoting.js'
import { UnderstudyError } from '../errors.js'

/** The relations that the archive touches and the target has, in order of name. They are locked against other writers; readers go on. */
export async function relationsToLock(session: Session, index: ArchiveIndex): Promise<string[]> {
  const names = index.files.map((file) => quoteQualified({ schema: file.schema, name: file.relation }))
  const rows = await session.query<{ name: string }>(
    `select name from unnest($1::text[]) with ordinality n(name, position)
      where exists (select from pg_class c where c.oid = to_regclass(n.name) and c.relkind in ('r', 'p') /* tables, partitioned too */)
      order by position`,
    [names],
  )
  return rows.map(({ name }) => name)
}

const SHORTEST_MS = 500

/** What is locked later, single rows and tables whose keys are taken off, is not waited for longer either. */
export async function limitLockWaits(session: Session, waitMs: number): Promise<void> {
  await session.query(`select set_config('lock_timeout', $1::text, true)`, [
    `${Math.max(SHORTEST_MS, Math.round(waitMs))}ms`,
  ])
}

/** A lock that did not come, as our error; undefined for any other. */
export function asLockRefusal(error: unknown): UnderstudyError | undefined {
  if (!isLockFailure(error)) return undefined
  const facts = describeSqlError(error)
  return new UnderstudyError('LOCK_NOT_AVAILABLE', 'another transaction holds rows or tables of this import', {
    detail: [facts?.message, facts?.where, facts?.detail].filter(Boolean).join('\n'),
    hint: 'Nothing was written. Wait for the other transaction (see pg_stat_activity), or wait longer with `--wait`.',
    cause: error,
  })
}
