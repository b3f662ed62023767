import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { lineSelect } from '../model/line-sql.js'
import { relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import type { Load } from './load.js'

/** Reads back what was written where triggers fired: each line of the archive must now stand in the target, or nothing is kept. */
export async function verifyWritten(session: Session, context: SqlContext, loads: readonly Load[]): Promise<void> {
  for (const load of loads) {
    const rows = await session.query<{ line: string; total: number }>(
      `select left(s.line, 200) as line, count(*) over () as total
         from ${load.stage} s
         join ${load.rows} w on w.n = s.n
        where not exists (select from (${lineSelect(context, load.relation, load.relation.columns)}) t where t.line = s.line)
        order by s.n
        limit 5`,
    )
    const [first] = rows
    if (first === undefined) continue
    throw new UnderstudyError(
      'IMPORT_COUNT_MISMATCH',
      `${relationLabel(load.relation)}: triggers changed ${first.total} rows on their way in`,
      {
        detail: rows.map(({ line }) => line).join('\n'),
        hint: 'Nothing was kept. Import with the triggers suspended (the setting `triggers`), or change the trigger.',
      },
    )
  }
}
