import type { Column } from '../catalog/catalog.js'
import { quoteIdentifier } from '../database/quoting.js'
import { catalogRelation, fromRelation, type SqlContext } from '../model/sql-context.js'
import { plainReferences } from './bound-columns.js'
import { type Load, sameRow } from './load.js'
import type { Rules } from './rules.js'
import { unreadableTable } from './unreadable.js'
import { writtenValues } from './write.js'

/** Rows that are about to be written, as the target's rules would see them. */
export interface Candidates {
  /** The `from` clause of the rows; `n` is their number. */
  readonly from: string
  readonly n: string
  /** The value that each column will have, by name. Generated columns are not among them. */
  readonly values: ReadonlyMap<string, string>
  /** The condition under which a column's value is known before the write; `true` where it always is. */
  isKnown(column: string): string
}

/**
 * The rows of a load as they will stand in the target. With `isDryRun` no key was allocated, so what depends on one is not known; nor is what
 * a default computes, a missing target, or a value that could not be read.
 */
export function candidatesOf(context: SqlContext, load: Load, isDryRun: boolean): Candidates {
  const { columns } = catalogRelation(context, load.relation)
  const written = writtenValues(load, { parsed: 'p', bound: 'b' })
  const values = new Map<string, string>()
  const conditions = new Map<string, string>()
  for (const column of columns) {
    if (column.isGenerated) continue
    const own = `t.${quoteIdentifier(column.name)}`
    const key = load.relation.surrogate.indexOf(column.name) + 1
    const value = written.get(column.name)
    if (value !== undefined) values.set(column.name, value)
    else if (key > 0) values.set(column.name, `case when w.is_new then w.k${key} else ${own} end`)
    else
      values.set(
        column.name,
        `case when w.is_new then (${literalDefault(column) ?? 'null'})::${column.baseType} else ${own} end`,
      )
    const isOpen = value === undefined && (key > 0 ? isDryRun : literalDefault(column) === undefined)
    if (isOpen) conditions.set(column.name, 'not w.is_new')
    else if (value !== undefined) {
      const condition = knownContent(load, column.name, isDryRun)
      if (condition !== '') conditions.set(column.name, condition)
    }
  }
  return {
    from: `${load.parsed} p
      join ${load.rows} w on w.n = p.n
      left join ${load.bound} b on b.n = p.n
      left join ${fromRelation(context, load.relation)} t on not w.is_new and ${sameRow(context, load, 't', 'w')}`,
    n: 'p.n',
    values,
    isKnown: (column) => conditions.get(column) ?? 'true',
  }
}

/** A default that calls nothing: null, a number, a text. Others may draw a number from a sequence, so they are not asked. */
export function literalDefault(column: Column): string | undefined {
  if (column.identity !== null) return undefined
  if (column.default === null) return 'null'
  return /[(]|^current_|^localtime|^session_user|^user$/i.test(column.default) ? undefined : column.default
}

function knownContent(load: Load, name: string, isDryRun: boolean): string {
  const position = load.relation.columns.findIndex((column) => column.name === name) + 1
  const conditions = load.slots
    .filter((slot) => slot.column.name === name)
    .map(({ id }) => (isDryRun ? `(p.r${id} is null or b.b${id} is not null)` : `not b.m${id}`))
  for (const [index, reference] of plainReferences(load).entries()) {
    if (reference.columns.includes(name)) conditions.push(`not b.m_${index}`)
  }
  if (load.hasUnreadable) {
    conditions.push(
      `not exists (select from ${unreadableTable(load)} u where u.n = p.n and u.position in (0, ${position}))`,
    )
  }
  return conditions.join(' and ')
}

/**
 * A select over candidates: `list` may name `n` as `candidate.n`, and `expressions` name the relation's columns as they are, generated ones
 * too, as nothing else is in their scope.
 */
export function candidateSelect(
  candidates: Candidates,
  rules: Rules,
  relation: string,
  expressions: readonly string[],
): string {
  const alias = quoteIdentifier(relation)
  const values = [...candidates.values].map(([name, value]) => `${value} as ${quoteIdentifier(name)}`)
  const generated = [...rules.generated].map(([name, expression]) => `(${expression}) as ${quoteIdentifier(name)}`)
  const row =
    generated.length === 0
      ? `(select ${values.join(', ')}) as ${alias}`
      : `(select ${alias}.*, ${generated.join(', ')} from (select ${values.join(', ')}) as ${alias}) as ${alias}`
  const list = expressions.map((expression, index) => `(${expression}) as e${index + 1}`)
  return `select ${candidates.n} as n, v.* from ${candidates.from}
    cross join lateral (select ${list.join(', ')} from ${row}) v`
}
