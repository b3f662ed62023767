import { quoteIdentifier, quoteQualified } from '../database/quoting.js'
import type { ContentColumn } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext } from '../model/sql-context.js'
import { plainReferences } from './bound-columns.js'
import { type Load, sameRow } from './load.js'

/** `insert` of a relation's new rows, with the keys allocated and every reference bound. */
export function insertStatement(load: Load): string {
  const surrogate = load.relation.surrogate.map((name, index) => ({ name, value: `w.k${index + 1}` }))
  const content = writtenColumns(load).map(({ column, value }) => ({ name: column.name, value }))
  const all = [...surrogate, ...content]
  if (all.length === 0) {
    return `insert into ${quoteQualified(load.relation)} select from ${load.parsed} p join ${load.rows} w on w.n = p.n where w.is_new`
  }
  return `insert into ${quoteQualified(load.relation)} (${all.map(({ name }) => quoteIdentifier(name)).join(', ')})
    overriding system value
    select ${all.map(({ value }) => value).join(', ')} ${source(load)} where w.is_new`
}

/** `update` of the rows that the archive has otherwise; null where the relation has no column to set. */
export function updateStatement(context: SqlContext, load: Load): string | null {
  const columns = writtenColumns(load)
  if (columns.length === 0) return null
  const handles = load.handle.map((_, index) => `w.h${index + 1}`)
  const values = columns.map(({ value }, index) => `${value} as v${index + 1}`)
  const sets = columns.map(({ column }, index) => `${quoteIdentifier(column.name)} = x.v${index + 1}`)
  return `update ${fromRelation(context, load.relation)} t set ${sets.join(', ')}
    from (select ${[...handles, ...values].join(', ')} ${source(load)} where not w.is_new) x
   where ${sameRow(context, load, 't', 'x')}`
}

/**
 * The same as the update, as a `delete` and an `insert` of one statement, in which the first is called `gone`: no row then stands in another's way.
 * Columns that the archive does not bring come from the row that went.
 */
export function rewriteStatements(context: SqlContext, load: Load, gone: string): { remove: string; insert: string } {
  const values = writtenValues(load, { parsed: 'p', bound: 'b' })
  const columns = catalogRelation(context, load.relation).columns.filter((column) => !column.isGenerated)
  const list = columns.map(({ name }) => quoteIdentifier(name))
  const selected = columns.map(({ name }) => values.get(name) ?? `g.${quoteIdentifier(name)}`)
  return {
    remove: `delete from ${fromRelation(context, load.relation)} t using ${load.rows} x
       where not x.is_new and ${sameRow(context, load, 't', 'x')} returning t.*`,
    insert: `insert into ${quoteQualified(load.relation)} (${list.join(', ')})
    overriding system value
    select ${selected.join(', ')} ${source(load)} join ${gone} g on ${sameRow(context, load, 'g', 'w')}
     where not w.is_new and (select count(*) from ${gone}) >= 0`,
  }
}

/** `delete` of the rows that a relation known by its content must give up. */
export function deleteStatement(context: SqlContext, load: Load, rows: string): string {
  return `delete from ${fromRelation(context, load.relation)} t using ${rows} x where ${sameRow(context, load, 't', 'x')}`
}

function source(load: Load): string {
  if (load.isAllNew) return `from ${load.parsed} p join ${load.bound} w on w.n = p.n`
  return `from ${load.parsed} p join ${load.rows} w on w.n = p.n left join ${load.bound} b on b.n = p.n`
}

function writtenColumns(load: Load): { column: ContentColumn; value: string }[] {
  const values = writtenValues(load, { parsed: 'p', bound: load.isAllNew ? 'w' : 'b' })
  return load.relation.columns.map((column) => ({ column, value: values.get(column.name) ?? 'null' }))
}

/** The value that each column gets, by name, as expressions over the parsed and the bound table under the aliases given. */
export function writtenValues(load: Load, aliases: Aliases): Map<string, string> {
  return new Map(
    load.relation.columns.map((column, index) => [column.name, writtenValue(load, column, index + 1, aliases)]),
  )
}

export interface Aliases {
  readonly parsed: string
  readonly bound: string
}

function writtenValue(load: Load, column: ContentColumn, position: number, { parsed, bound }: Aliases): string {
  const value = `${parsed}.c${position}`
  if (column.fields !== undefined) {
    const fields = column.fields.map((field, index) =>
      field.translation === undefined ? `${value}_${index + 1}` : `${bound}.b${position}_${index + 1}`,
    )
    return `case when ${value} then row(${fields.join(', ')})::${column.type} end`
  }
  if (column.translation !== undefined) return `${bound}.b${position}`
  const missing = plainReferences(load).flatMap((reference, index) =>
    reference.columns.includes(column.name) ? [`${bound}.m_${index}`] : [],
  )
  return missing.length === 0 ? value : `case when ${missing.join(' or ')} then null else ${value} end`
}
