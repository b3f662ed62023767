import type { SqlErrorFacts } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { catalogRelation, fromRelation, type SqlContext } from '../model/sql-context.js'
import { carriesAlong, followersOf, type ParkedValues, parkingSelect, parkStatements } from './followers.js'
import { type Load, sameRow } from './load.js'
import { bare } from './parse.js'
import { isAboutValues } from './recover.js'
import { temporaryValues } from './temporary-values.js'
import type { WatchedKey } from './unique-keys.js'
import { writtenValues } from './write.js'

/**
 * Gives the rows that stand in each other's way a value for the time being: the updates that follow set the right one. Where no such value
 * is found, the updates will tell.
 */
export async function parkRows(session: Session, context: SqlContext, keys: readonly WatchedKey[]): Promise<void> {
  for (const { load, key, parking, mustPark } of keys) {
    const rows = `select distinct ${handles(load)} from ${parking} where ${mustPark}`
    const how = { rows, mayBeNull: !key.isNullsNotDistinct, first: 0, isCertain: true }
    await parkColumns(session, context, load, key.columns, how)
  }
}

/**
 * Of a key that cannot be compared beforehand (partial, on an expression, exclusive) only a failed update tells that rows stand in each
 * other's way. Then all rows that change in its columns step aside: to the first place from `first` on that the database allows, whose number comes back, or
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
  const rows = changingRows(context, load, columns)
  return await parkColumns(session, context, load, columns, { rows, mayBeNull: true, first, isCertain: false })
}

/** A select of the rows that get other values in some of these columns: no other row can stand in the way, and cascades would act for nothing. */
function changingRows(context: SqlContext, load: Load, names: readonly string[]): string {
  const values = writtenValues(load, { parsed: 'p', bound: 'b' })
  const changing = load.relation.columns.filter(({ name }) => names.includes(name))
  const before = changing.map(({ name, type }) => `t.${quoteIdentifier(name)}::${type}`)
  const after = changing.map(({ name, type }) => `(${values.get(name)})::${type}`)
  return `select ${load.handle.map((_, index) => `w.h${index + 1}`).join(', ')}
            from ${load.rows} w
            join ${load.parsed} p on p.n = w.n
            left join ${load.bound} b on b.n = w.n
            join ${fromRelation(context, load.relation)} t on ${sameRow(context, load, 't', 'w')}
           where not w.is_new and row(${before.join(', ')})::record operator(pg_catalog.*<>) row(${after.join(', ')})::record`
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
  /** Whether each of the rows stands in the way: then none may keep its value, and rows that refer to them may be written too. */
  readonly isCertain: boolean
}

async function parkColumns(
  session: Session,
  context: SqlContext,
  load: Load,
  names: readonly string[],
  { rows, mayBeNull, first, isCertain }: Parking,
): Promise<number | null> {
  // Only what the archive brings: nothing would set any other column right again.
  const written = load.relation.columns.map(({ name }) => name)
  const columns = catalogRelation(context, load.relation).columns.filter(
    ({ name }) => names.includes(name) && written.includes(name) && !load.handle.includes(name),
  )
  const numbered = `select ${handles(load)}, row_number() over () as number from (${rows}) d`
  const values = columns.flatMap((each) => {
    const followers = isCertain ? followersOf(context, load.relation, each.name) : []
    const isHeld = followers.length > 0 || carriesAlong(context, load.relation, [each.name])
    const found = temporaryValues(context, load.relation, each, { mayBeNull: mayBeNull && !isHeld })
    return found.map((value) => ({ column: each.name, value, followers }))
  })
  const [count] = await session.query<{ rows: number }>(`select count(*) as rows from (${rows}) d`)
  for (const [index, { column, value, followers }] of values.entries()) {
    if (index < first) continue
    await session.script('savepoint understudy_parking')
    try {
      const parked = { load, column, followers, table: `${load.rows}_parked_${load.parked.length}` }
      const changed = await park(session, context, parked, parkingSelect(context, parked, numbered, value))
      if (!isCertain || changed === count?.rows) {
        await session.script('release savepoint understudy_parking')
        if (followers.length > 0) load.parked.push(parked)
        return index
      }
    } catch (error) {
      // The type does not read the value, or a rule refuses it for the time being, whatever errors it has for that. Then the next is tried.
      if (!isAboutValues(error)) throw error
    }
    await session.script('rollback to savepoint understudy_parking')
  }
  return null
}

/** Gives rows another value, and in the same statement those that refer to them: foreign keys are checked at its end. Returns how many rows got one. */
async function park(session: Session, context: SqlContext, parked: ParkedValues, values: string): Promise<number> {
  const { load, column, followers, table } = parked
  if (followers.length === 0) {
    return await session.execute(
      `update ${fromRelation(context, load.relation)} t set ${quoteIdentifier(column)} = x.value
         from (${values}) x where ${sameRow(context, load, 't', 'x')}`,
    )
  }
  const rows = await session.execute(`create temporary table ${bare(table)} on commit drop as ${values}`)
  const parts = parkStatements(context, parked).map((statement, index) => `m${index} as (${statement} returning 1)`)
  await session.query(`with ${parts.join(',\n')} select count(*) as rows from m0`)
  return rows
}
