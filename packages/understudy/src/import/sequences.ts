import type { Column, Sequence } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../database/quoting.js'
import type { RelationName } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext } from '../model/sql-context.js'
import type { Load } from './load.js'

/**
 * Moves the sequences that new rows will draw from beyond every id that stands in any column that they fill. `alter sequence … restart`
 * gives a sequence a new file, so that a rollback brings back its old value, which `setval` would not; without ownership it is moved only
 * where it lags.
 */
export async function advanceSequences(session: Session, context: SqlContext, loads: readonly Load[]): Promise<void> {
  const drawn = loads
    .filter((load) => load.counts.inserts > 0)
    .flatMap((load) => sequencesOf(context, load, load.relation.surrogate))
  await advanceAll(session, context, drawn, 'always')
}

/** The same for one relation that gets a row beside those of the archive. */
export async function advanceSequencesOf(session: Session, context: SqlContext, relation: RelationName): Promise<void> {
  const drawn = catalogRelation(context, relation).columns.flatMap(({ sequence }) =>
    sequence === null ? [] : [sequence],
  )
  await advanceAll(session, context, drawn, 'always')
}

/** Moves the sequences of columns that the import wrote itself, where they lag behind now. */
export async function catchUpSequences(
  session: Session,
  context: SqlContext,
  loads: readonly Load[],
  { keepsKeys = false }: { readonly keepsKeys?: boolean | undefined } = {},
): Promise<void> {
  const written = loads.flatMap((load) => {
    const { columns, surrogate } = load.relation
    return sequencesOf(context, load, [...columns.map((column) => column.name), ...(keepsKeys ? surrogate : [])])
  })
  await advanceAll(session, context, written, 'where it lags')
}

function sequencesOf(context: SqlContext, load: Load, names: readonly string[]): Sequence[] {
  const columns = catalogRelation(context, load.relation).columns
  return columns
    .filter((column) => names.includes(column.name))
    .flatMap(({ sequence }) => (sequence === null ? [] : [sequence]))
}

async function advanceAll(
  session: Session,
  context: SqlContext,
  sequences: readonly Sequence[],
  when: 'always' | 'where it lags',
): Promise<void> {
  const byName = new Map(sequences.map((sequence) => [quoteQualified(sequence), sequence]))
  for (const [name, sequence] of byName) {
    const [state] = await session.query<{ next: string; lags: boolean }>(stateQuery(context, name))
    if (state === undefined || (!state.lags && (when !== 'always' || !sequence.isOwned))) continue
    if (sequence.isOwned) await session.execute(`alter sequence ${name} restart with ${state.next}`)
    else await session.query(`select setval(${quoteLiteral(name)}::regclass, $1::int8, false)`, [state.next])
  }
}

/** What a sequence would give next, what it must give at least, and whether it lags; one that counts down is looked at from below. */
function stateQuery(context: SqlContext, name: string): string {
  const values = filledColumns(context, name).map(
    ({ from, column }) => `select max(${column})::int8 as highest, min(${column})::int8 as lowest from ${from}`,
  )
  const used = values.length === 0 ? 'select null::int8 as highest, null::int8 as lowest' : values.join(' union all ')
  return `select case when q.lags then q.bound + q.step else q.next end::text as next, q.lags
            from (select s.next, d.seqincrement as step,
                         case when d.seqincrement > 0 then u.highest else u.lowest end as bound,
                         coalesce(case when d.seqincrement > 0 then u.highest >= s.next else u.lowest <= s.next end, false) as lags
                    from (select max(highest) as highest, min(lowest) as lowest from (${used}) v) u
                   cross join pg_catalog.pg_sequence d
                   cross join lateral (select case when is_called then last_value + d.seqincrement else last_value end as next from ${name}) s
                   where d.seqrelid = ${quoteLiteral(name)}::regclass) q`
}

/** Every whole-number column of the database that the sequence fills: tables that share one must never share an id. */
function filledColumns(context: SqlContext, name: string): { from: string; column: string }[] {
  const isFilled = (column: Column) =>
    column.sequence !== null &&
    quoteQualified(column.sequence) === name &&
    /^(smallint|integer|bigint)$/.test(column.baseType)
  return [...context.relations.values()]
    .filter((relation) => relation.kind === 'table' || relation.kind === 'partitioned table')
    .filter((relation) => !relation.isPartition)
    .flatMap((relation) =>
      relation.columns
        .filter(isFilled)
        .map((column) => ({ from: fromRelation(context, relation), column: quoteIdentifier(column.name) })),
    )
}
