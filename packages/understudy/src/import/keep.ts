import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { keepProblems, keptColumns, lineWith } from '../model/kept-columns.js'
import { lineSelect } from '../model/line-sql.js'
import { type ContentModel, relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import { attempt } from './attempt.js'
import { createLoad, type Load, sameHandle } from './load.js'
import { countTarget, matched, matchRows } from './match.js'
import { parseStaged } from './parse.js'

/**
 * Puts the target's own values of kept columns (`relations.….keep`) into the staged lines of rows that the target has: from here on the archive says
 * what stands there already, so that these columns make no difference and every later step writes them as they were. Returns a note for each
 * relation in which rows had other values.
 */
export async function keepOwnValues(session: Session, context: SqlContext, loads: readonly Load[]): Promise<string[]> {
  const notes: string[] = []
  for (const [index, load] of loads.entries()) {
    const columns = keptColumns(context, load.relation)
    if (columns.length === 0) continue
    // Matched on its own: the import itself matches by the lines as they are afterwards.
    const look = {
      ...createLoad(context, load.relation, load.entry, `kept_${index + 1}`),
      stage: load.stage,
      hasUnreadable: load.hasUnreadable,
      isFileset: load.isFileset,
    }
    await countTarget(session, context, look)
    if (look.rowsBefore === 0) continue
    await attempt(look, 'read the records of', () => parseStaged(session, context, look))
    await attempt(look, 'match the rows of', () => matchRows(session, context, look))
    const keys = columns.map(({ key }) => key)
    const rows = await session.execute(keepStatement(context, look, keys))
    const names = columns.map(({ name }) => name).join(', ')
    if (rows > 0)
      notes.push(
        `${relationLabel(load.relation)}: ${rows === 1 ? 'one row keeps its' : `${rows} rows keep their`} own ${names}`,
      )
  }
  return notes
}

/** A name that is mistaken would let an import overwrite what it should keep. */
export function refuseUnkept(own: ContentModel, configured: SqlContext['configured']): void {
  const problems = own.relations.flatMap((relation) =>
    keepProblems(relation, configured.get(relationLabel(relation)) ?? {}),
  )
  if (problems.length === 0) return
  throw new UnderstudyError('MODEL_INVALID', 'the configuration names columns that cannot be kept', {
    detail: problems.join('\n'),
    hint: 'Nothing was written. Correct `keep` in the configuration.',
  })
}

function keepStatement(context: SqlContext, load: Load, keys: readonly string[]): string {
  return `update ${load.stage} s set line = k.line
    from (select m.n, ${lineWith('g.line', keys, 't.line')} as line
            from pg_temp.${matched(load)} m
            join ${load.stage} g on g.n = m.n
            join (${lineSelect(context, load.relation, load.relation.columns, load.handle)}) t on ${sameHandle(context, load, 't', 'm')}
           where not m.is_new) k
   where k.n = s.n and k.line <> s.line`
}
