import type { ArchiveIndex } from '../archive/archive-index.js'
import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { quoteQualified } from '../database/quoting.js'
import { UnderstudyError } from '../errors.js'

const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Locks the relations that the archive touches against other writers; readers go on. In order of name, so that two runs cannot wait for each
 * other, and not longer than `waitMs`.
 */
export async function lockRelations(
  session: Session,
  index: ArchiveIndex,
  waitMs: number,
  mode: 'share row exclusive' | 'access exclusive' = 'share row exclusive',
): Promise<void> {
  const names = index.files.map((file) => quoteQualified({ schema: file.schema, name: file.relation }))
  const rows = await session.query<{ name: string }>(
    `select name from unnest($1::text[]) with ordinality n(name, position)
      where exists (select from pg_class c where c.oid = to_regclass(n.name) and c.relkind in ('r', 'p') /* tables, partitioned too */)
      order by position`,
    [names],
  )
  if (rows.length === 0) return
  await session.query(`select set_config('lock_timeout', $1::text, true)`, [`${Math.max(1, Math.round(waitMs))}ms`])
  try {
    await session.script(`lock table ${rows.map(({ name }) => name).join(', ')} in ${mode} mode`)
  } catch (error) {
    if (describeSqlError(error)?.sqlstate !== LOCK_NOT_AVAILABLE) throw error
    throw new UnderstudyError('LOCK_NOT_AVAILABLE', 'another transaction writes to a relation of this import', {
      detail: describeSqlError(error)?.message,
      hint: `Nothing was written. Wait for the other transaction (see pg_stat_activity), or wait longer with --wait.`,
      cause: error,
    })
  }
  await session.query(`select set_config('lock_timeout', '0', true)`)
}
