import type { Session } from '../database/port.js'

/** What the guard compares: tables, partitions and composite types, by numbers that no renaming changes. */
export interface Shape {
  readonly relations: ReadonlyMap<number, ShapeRelation>
  readonly composites: ReadonlyMap<number, ShapeComposite>
  /** False where the server does not count rows: then every table may have been written. */
  readonly isCounted: boolean
}

export interface ShapeRelation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** The root of the partition tree that it is in; itself where it is in none. */
  readonly root: number
  /** Changes when all rows are written anew, or thrown away. */
  readonly file: number
  /** Rows that this transaction has deleted and updated so far. */
  readonly deleted: number
  readonly updated: number
  /** False where it never held a row, or gave back the space: then nothing can be lost. */
  readonly hasPages: boolean
  /** By attribute number. */
  readonly columns: ReadonlyMap<number, ShapeColumn>
}

export interface ShapeComposite {
  readonly schema: string
  readonly name: string
  readonly typeOid: number
  readonly columns: ReadonlyMap<number, ShapeColumn>
}

export interface ShapeColumn {
  readonly number: number
  readonly name: string
  readonly typeOid: number
  readonly modifier: number
  readonly isGenerated: boolean
}

/** Reads the shape as the running transaction sees it: two queries of the catalog, no row of a user. */
export async function readShape(session: Session): Promise<Shape> {
  const rows = await session.query<RelationRow>(RELATIONS)
  const attributes = await session.query<AttributeRow>(ATTRIBUTES)
  const [facts] = await session.query<{ isCounted: boolean }>(
    `select pg_catalog.current_setting('track_counts')::boolean as "isCounted"`,
  )
  if (facts === undefined) throw new Error('the server names no setting')
  const columns = new Map<number, Map<number, ShapeColumn>>()
  for (const { relation, ...column } of attributes) {
    const own = columns.get(relation) ?? new Map<number, ShapeColumn>()
    columns.set(relation, own.set(column.number, column))
  }
  const parents = new Map(rows.map((row) => [row.oid, row.parent]))
  const relations = new Map<number, ShapeRelation>()
  const composites = new Map<number, ShapeComposite>()
  for (const { kind, parent: _, typeOid, ...row } of rows) {
    const own = columns.get(row.oid) ?? new Map()
    if (kind === 'c') composites.set(row.oid, { schema: row.schema, name: row.name, typeOid, columns: own })
    else relations.set(row.oid, { ...row, root: rootOf(parents, row.oid), columns: own })
  }
  return { relations, composites, ...facts }
}

function rootOf(parents: ReadonlyMap<number, number | null>, oid: number): number {
  const parent = parents.get(oid)
  return parent === null || parent === undefined || !parents.has(parent) ? oid : rootOf(parents, parent)
}

interface RelationRow {
  oid: number
  schema: string
  name: string
  kind: 'r' | 'p' | 'c'
  typeOid: number
  parent: number | null
  file: number
  deleted: number
  updated: number
  hasPages: boolean
}

interface AttributeRow extends ShapeColumn {
  relation: number
}

/** Schemas of users, without what lives as long as a session; the registry is our own. */
const USER_RELATION = `
  c.relkind in ('r', 'p', 'c') /* ordinary, partitioned, composite type */
  and c.relpersistence <> 't' /* temporary */
  and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'understudy')`

const RELATIONS = `
  select c.oid::int8 as oid,
         n.nspname::text as schema,
         c.relname::text as name,
         c.relkind::text as kind,
         c.reltype::int8 as "typeOid",
         i.inhparent::int8 as parent,
         c.relfilenode::int8 as file,
         pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) as deleted,
         pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) as updated,
         c.relkind = 'r' and pg_catalog.pg_relation_size(c.oid) > 0 as "hasPages"
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join pg_catalog.pg_inherits i on i.inhrelid = c.oid and c.relispartition
   where ${USER_RELATION}
   order by n.nspname collate "C", c.relname collate "C"`

const ATTRIBUTES = `
  select a.attrelid::int8 as relation,
         a.attnum as number,
         a.attname::text as name,
         a.atttypid::int8 as "typeOid",
         a.atttypmod as modifier,
         a.attgenerated <> '' as "isGenerated"
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where ${USER_RELATION} and a.attnum > 0 and not a.attisdropped`
