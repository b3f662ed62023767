import type { Column } from '../catalog/catalog.js'
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../database/quoting.js'
import { isCounted, numberedText, numbersIn } from './numbered-text.js'
import { fromRelation, type SqlContext } from './sql-context.js'

/**
 * A select of what a sequence must give `next` and whether it `lags` behind the columns that it fills; one that counts down is looked at from
 * below. `more` are selects of `highest` and `lowest` that count as well.
 */
export function sequenceState(context: SqlContext, name: string, more: readonly string[] = []): string {
  const standing = filledColumns(context, name)
  const values = [...standing, ...more]
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

/** For every column of the database that the sequence fills, what it holds: tables that share one must never share an id. */
function filledColumns(context: SqlContext, name: string): string[] {
  const isFilled = (column: Column) => column.sequence !== null && quoteQualified(column.sequence) === name
  return [...context.relations.values()]
    .filter((relation) => relation.kind === 'table' || relation.kind === 'partitioned table')
    .filter((relation) => !relation.isPartition)
    .flatMap((relation) =>
      relation.columns.filter(isFilled).flatMap((column) => usedNumbers(fromRelation(context, relation), column, name)),
    )
}

function usedNumbers(from: string, column: Column, sequence: string): string[] {
  const name = quoteIdentifier(column.name)
  if (column.baseType.startsWith('numeric')) {
    const whole = `case when abs(${name}) < 9e18 then trunc(${name})::int8 end`
    return [`select max(${whole}) as highest, min(${whole}) as lowest from ${from}`]
  }
  if (isCounted(column)) {
    const where = isPlainNumber(column) ? '' : ` where ${canGive(sequence, name)}`
    return [`select max(${name})::int8 as highest, min(${name})::int8 as lowest from ${from}${where}`]
  }
  const text = numberedText(column)
  return text === null ? [] : [numbersIn(from, name, text)]
}

/** Whether the column holds what the sequence gives, and no more than that: not a time in the upper bits and its number in the lower ones. */
function isPlainNumber({ identity, default: expression }: Column): boolean {
  return identity !== null || /^\(?nextval\([^()]*\)\)?(::\w+)?$/.test(expression ?? '')
}

/** The condition that the sequence goes so far at all. */
function canGive(sequence: string, value: string): string {
  const bounds = `select seqmin, seqmax from pg_catalog.pg_sequence where seqrelid = ${quoteLiteral(sequence)}::regclass`
  return `exists (select from (${bounds}) b where ${value} between b.seqmin and b.seqmax)`
}
