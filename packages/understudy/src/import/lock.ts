import type { ArchiveIndex } from '../archive/archive-index.js'
import type { Session } from '../database/port.js'
import { quoteQualified } from '../database/quoting.js'

/** The relations that the archive touches and the target has, in order of name. They are to be locked. */
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
