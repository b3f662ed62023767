import type { Session } from '../database/port.js'
import { quoteLiteral } from '../database/quoting.js'
import { copyColumns, keptColumns, lineWithout } from '../model/kept-columns.js'
import { lineSelect } from '../model/line-sql.js'
import type { ContentRelation } from '../model/model.js'
import { ORIGIN_KEY } from '../model/record-keys.js'
import type { SqlContext } from '../model/sql-context.js'
import { findOffending, type Offence } from './check.js'

const STAGE = 'pg_temp.understudy_validate'

/**
 * Which rows differ between an archive's lines and a relation, by identity: changed, or on one side only. Columns that are kept or
 * computed (`relations.….copies`) make no difference.
 */
export async function findDifferentRows(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
  lines: AsyncIterable<Uint8Array>,
): Promise<Offence> {
  await session.execute('create temporary table understudy_validate (n bigint, master text, line text) on commit drop')
  await session.writeRecords(STAGE, lines)
  await session.execute(`analyze ${STAGE}`)
  const counted = (source: string) =>
    `select l.line, row_number() over (partition by l.line) as occurrence, sha256(convert_to(l.line, 'UTF8')) as digest
       from (${source}) l`
  const own = new Set([...keptColumns(context, relation), ...copyColumns(context, relation)].map(({ key }) => key))
  const compared = (source: string) => counted(`select ${lineWithout('o.line', [...own])} as line from ${source} o`)
  const here = compared(`(${lineSelect(context, relation, relation.columns)})`)
  const there = compared(STAGE)
  const only = (side: string, other: string) =>
    `select ${identityOf(relation, 'a.line')} as identity
       from ${side} a
      where not exists (select from ${other} b where b.digest = a.digest and b.occurrence = a.occurrence)`
  return await findOffending(
    session,
    `with here as materialized (${here}), there as materialized (${there}),
          only_here as (${only('here', 'there')}), only_there as (${only('there', 'here')})
     select coalesce(h.identity, t.identity)
            || case when h.identity is null then ' (missing here)' when t.identity is null then ' (only here)' else ' (differs)' end as sample
       from only_here h
       full join only_there t on t.identity = h.identity
      order by 1`,
  )
}

/** The identity inside a line; of a row known by its content, the line. */
function identityOf(relation: ContentRelation, line: string): string {
  const { identity } = relation
  if (identity.kind === 'content') return line
  if (identity.kind === 'origin') return `(${line}::json ->> ${quoteLiteral(ORIGIN_KEY)})`
  const keys = identity.columns.map((name) => relation.columns.find((column) => column.name === name)?.key ?? name)
  return keys.map((key) => `coalesce(${line}::json ->> ${quoteLiteral(key)}, 'null')`).join(` || ', ' || `)
}
