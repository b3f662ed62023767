import type { Column } from '../catalog/catalog.js'
import { describeSqlError, type SqlErrorFacts } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { catalogRelation, fromRelation, type SqlContext } from '../model/sql-context.js'
import { followersOf, type ParkedValues, parkingTable, parkStatements } from './followers.js'
import { type Load, sameRow } from './load.js'
import { bare } from './parse.js'
import type { WatchedKey } from './unique-keys.js'

/**
 * Gives the rows that stand in each other's way a value for the time being: the updates that follow set the right one. Where no such value
 * is found, the updates will tell.
 */
export async function parkRows(session: Session, context: SqlContext, keys: readonly WatchedKey[]): Promise<void> {
  for (const { load, key, parking, mustPark } of keys) {
    const rows = `select distinct ${handles(load)} from ${parking} where ${mustPark}`
    const how = { rows, mayBeNull: !key.isNullsNotDistinct, first: 0, mayLead: true }
    await parkColumns(session, context, load, key.columns, how)
  }
}

/**
 * Of a key that cannot be compared beforehand (partial, on an expression, exclusive) only a failed update tells that rows stand in each
 * other's way. Then all rows to be updated step aside: to the first place from `first` on that the database allows, whose number comes back, or
 * null where there is none.
 */
export async function stepAside(
  session: Session,
  context: SqlContext,
  load: Load,
  collision: SqlErrorFacts,
  first: number,
): Promise<number | null> {
  const columns = await keyColumns(session, collision)
  const rows = `select ${handles(load)} from ${load.rows} where not is_new`
  return await parkColumns(session, context, load, columns, { rows, mayBeNull: true, first, mayLead: false })
}

function handles(load: Load): string {
  return load.handle.map((_, index) => `h${index + 1}`).join(', ')
}

/** The columns that an index or constraint reads, also inside expressions (manual, "pg_depend"), of a partition's as of a table's. */
async function keyColumns(session: Session, { schema, constraint }: SqlErrorFacts): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `select distinct a.attname::text as name
       from pg_catalog.pg_class i
       join pg_catalog.pg_namespace n on n.oid = i.relnamespace
       left join pg_catalog.pg_constraint o on o.conindid = i.oid and o.contype in ('p', 'u', 'x')
       join pg_catalog.pg_depend d on (d.classid, d.objid) in (('pg_catalog.pg_class'::regclass, i.oid), ('pg_catalog.pg_constraint'::regclass, o.oid))
       join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid and a.attnum > 0
      where n.nspname = $1::text and i.relname = $2::text and d.refclassid = 'pg_catalog.pg_class'::regclass
      order by 1`,
    [schema ?? null, constraint ?? null],
  )
  return rows.map((row) => row.name)
}

interface Parking {
  /** A select of the handles of the rows that step aside. */
  readonly rows: string
  readonly mayBeNull: boolean
  /** The first of the possible values to try. */
  readonly first: number
  /** Whether rows that refer to these may be written too, so that they find them while they are parked. */
  readonly mayLead: boolean
}

async function parkColumns(
  session: Session,
  context: SqlContext,
  load: Load,
  names: readonly string[],
  { rows, mayBeNull, first, mayLead }: Parking,
): Promise<number | null> {
  const relation = fromRelation(context, load.relation)
  const columns = catalogRelation(context, load.relation).columns.filter(
    ({ name, isGenerated }) => names.includes(name) && !isGenerated && !load.handle.includes(name),
  )
  const numbered = `select ${handles(load)}, row_number() over () as number from (${rows}) d`
  const values = columns.flatMap((each) => {
    const followers = mayLead ? followersOf(context, load.relation, each.name) : []
    return temporaryValues(each, relation, mayBeNull && followers.length === 0).map((value) => ({
      ...value,
      followers,
    }))
  })
  for (const [index, { column, value, followers }] of values.entries()) {
    if (index < first) continue
    await session.script('savepoint understudy_parking')
    try {
      if (followers.length > 0) await parkTogether(session, context, { load, column, followers }, numbered, value)
      else {
        await session.execute(
          `update ${relation} t set ${quoteIdentifier(column)} = ${value} from (${numbered}) x where ${sameRow(context, load, 't', 'x')}`,
        )
      }
      await session.script('release savepoint understudy_parking')
      return index
    } catch (error) {
      const state = describeSqlError(error)?.sqlstate ?? ''
      // 23…: a constraint refuses the value for the time being; 22…, 42… or XX…: the type does not read it. Then the next is tried.
      if (!/^(22|23|42|XX)/.test(state)) throw error
      await session.script('rollback to savepoint understudy_parking')
    }
  }
  return null
}

/** Parks in one statement rows and those that refer to them: foreign keys are checked at its end. */
async function parkTogether(
  session: Session,
  context: SqlContext,
  what: Omit<ParkedValues, 'table'>,
  rows: string,
  value: string,
): Promise<void> {
  const { load } = what
  const parked = { ...what, table: `${load.rows}_parked_${load.parked.length}` }
  await session.execute(
    `create temporary table ${bare(parked.table)} on commit drop as ${parkingTable(context, parked, rows, value)}`,
  )
  const parts = parkStatements(context, parked).map((statement, index) => `m${index} as (${statement} returning 1)`)
  await session.query(`with ${parts.join(',\n')} select count(*) as rows from m0`)
  load.parked.push(parked)
}

/** Values that are unlike any other: null where that is allowed and unlike itself, else one made of the row's own, else any text that the type can read. */
function temporaryValues(column: Column, relation: string, mayBeNull: boolean): { column: string; value: string }[] {
  const name = quoteIdentifier(column.name)
  const own = `t.${name}`
  const values: string[] = []
  if (column.isNullable && mayBeNull) values.push('null')
  if (/^(text|character varying)\b[^[]*$/.test(column.baseType)) {
    values.push(
      `'p' || x.number || '_' || ${own}`,
      `${own} || '_' || x.number`,
      `substr(md5(${own} || x.number), 1, 8)`,
    )
  } else if (/^(smallint|integer|bigint|numeric|double|real)\b[^[]*$/.test(column.baseType)) {
    values.push(`-1000 - x.number`, `(select max(${name}) from ${relation}) + x.number`)
  } else if (/^(date|timestamp)\b[^[]*$/.test(column.baseType)) {
    values.push(
      `case when isfinite(${own}) then ${own} + (x.number || ' years')::interval else date '3000-01-01' + x.number::int end`,
    )
  }
  values.push(...readableTexts(own).map((text) => `(${text})::text::${column.type}`))
  return values.map((value) => ({ column: column.name, value }))
}

/** Texts that some type or other reads as a value far from usual ones, each with the row's number in it. */
function readableTexts(own: string): string[] {
  const number = 'x.number'
  const texts = [`'understudy ' || ${number}`, `'u' || ${number}`, `-1000 - ${number}`, `2000000000 + ${number}`]
  const days = `date '3000-01-01' + ${number}::int`
  const moments = [
    days,
    `'23:59:59.' || 999999 - ${number}`,
    `'23:59:59.' || 999999 - ${number} || '+15:59'`,
    `100000 + ${number} || ' years'`,
  ]
  const digests = [
    `md5(${number}::text)`,
    `'\\x' || md5(${number}::text)`,
    `substr(md5(${number}::text), 1, 12)`,
    `substr(md5(${number}::text), 1, 16)`,
  ]
  const addresses = [`pg_catalog.host(inet '255.0.0.0' + ${number})`, `'FFFFFFFF/' || to_hex(${number})`]
  const bits = [`right((-${number})::int::bit(32)::text, length(${own}::text))`]
  const documents = [`'{"understudy": ' || ${number} || '}'`]
  const range = (from: string, to: string) => [
    `'[' || ${from} || ',' || ${to} || ')'`,
    `'{[' || ${from} || ',' || ${to} || ')}'`,
  ]
  const ranges = [
    ...range(`-1000000 - 2 * ${number}`, `-1000000 - 2 * ${number} + 1`),
    ...range(`(${days})`, `(${days} + 1)`),
  ]
  const lists = [...texts, ...moments, ...digests, ...addresses].map((text) => `'{"' || ${text} || '"}'`)
  return [...texts, ...moments, ...digests, ...addresses, ...bits, ...documents, ...ranges, ...lists]
}
