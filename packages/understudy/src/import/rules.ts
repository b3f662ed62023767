import type { Session } from '../database/port.js'
import type { RelationName } from '../model/model.js'
import { catalogRelation, type SqlContext } from '../model/sql-context.js'

/** What the target asks of a relation's rows beside their types. Expressions name the relation's columns as they are. */
export interface Rules {
  readonly checks: readonly Check[]
  readonly domainChecks: readonly DomainCheck[]
  readonly generated: ReadonlyMap<string, string>
  readonly uniqueIndexes: readonly UniqueIndex[]
}

export interface Check {
  readonly name: string
  readonly expression: string
  readonly columns: readonly string[]
}

/** The expression is over one column `value`. */
export interface DomainCheck {
  readonly name: string
  readonly column: string
  readonly expression: string
}

export interface UniqueIndex {
  readonly name: string
  /** Columns or expressions, with their collation where it is not the type's own. */
  readonly keys: readonly string[]
  /** Every column that keys and condition read. */
  readonly columns: readonly string[]
  readonly condition: string | null
  readonly isNullsNotDistinct: boolean
  /** Whether it is over plain columns of all rows. */
  readonly isPlain: boolean
}

/** Reads the rules of a relation. Expects an empty `search_path`, so that expressions come back qualified. */
export async function readRules(session: Session, context: SqlContext, relation: RelationName): Promise<Rules> {
  const { oid } = catalogRelation(context, relation)
  const checks = await session.query<Check & Record<string, unknown>>(CHECKS, [oid])
  const domainChecks = await session.query<DomainCheck & Record<string, unknown>>(DOMAIN_CHECKS, [oid])
  const generated = await session.query<{ name: string; expression: string }>(GENERATED, [oid])
  const indexes = await session.query<UniqueIndex & Record<string, unknown>>(UNIQUE_INDEXES, [oid])
  return {
    checks,
    domainChecks,
    generated: new Map(generated.map(({ name, expression }) => [name, expression])),
    uniqueIndexes: indexes,
  }
}

/** contype c: check. Newer servers have checks that are declared and not enforced. */
const CHECKS = `
  select o.conname::text as name,
         pg_catalog.pg_get_expr(o.conbin, o.conrelid) as expression,
         (select coalesce(pg_catalog.json_agg(a.attname), '[]')
            from pg_catalog.pg_attribute a where a.attrelid = o.conrelid and a.attnum = any (o.conkey)) as columns
    from pg_catalog.pg_constraint o
   where o.contype = 'c' and o.conrelid = $1::oid
     and coalesce((pg_catalog.to_jsonb(o) ->> 'conenforced')::boolean, true)
   order by o.conname collate "C"`

/** A domain may stand on another one: all of their checks hold. Their expressions call the value VALUE. */
const DOMAIN_CHECKS = `
  with recursive domain as (
    select a.attname, t.oid, t.typbasetype
      from pg_catalog.pg_attribute a
      join pg_catalog.pg_type t on t.oid = a.atttypid and t.typtype = 'd'
     where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
    union all
    select d.attname, t.oid, t.typbasetype
      from domain d
      join pg_catalog.pg_type t on t.oid = d.typbasetype and t.typtype = 'd'
  )
  select o.conname::text as name, d.attname::text as "column", pg_catalog.pg_get_expr(o.conbin, 0) as expression
    from domain d
    join pg_catalog.pg_constraint o on o.contypid = d.oid and o.contype = 'c'
   order by 2, 1`

const GENERATED = `
  select a.attname::text as name, pg_catalog.pg_get_expr(d.adbin, d.adrelid) as expression
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where a.attrelid = $1::oid and a.attgenerated <> ''`

/** indkey holds 0 for an expression; what an expression or a condition reads stands in pg_depend. Collation 100 is the default one. */
const UNIQUE_INDEXES = `
  select c.relname::text as name,
         (select pg_catalog.json_agg('(' || pg_catalog.pg_get_indexdef(i.indexrelid, k.position::int, false) || ')'
                   || case when l.oid is null or l.oid = 100 then ''
                           else ' collate ' || pg_catalog.quote_ident(ln.nspname) || '.' || pg_catalog.quote_ident(l.collname) end
                   order by k.position)
            from pg_catalog.unnest(i.indcollation::oid[]) with ordinality as k(collated, position)
            left join pg_catalog.pg_collation l on l.oid = k.collated
            left join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace
           where k.position <= i.indnkeyatts) as keys,
         (select coalesce(pg_catalog.json_agg(a.attname), '[]')
            from pg_catalog.pg_attribute a
           where a.attrelid = i.indrelid
             and (a.attnum = any (i.indkey)
                  or exists (select from pg_catalog.pg_depend d
                              where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = i.indexrelid
                                and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = a.attrelid and d.refobjsubid = a.attnum))) as columns,
         pg_catalog.pg_get_expr(i.indpred, i.indrelid) as condition,
         coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) as "isNullsNotDistinct",
         i.indexprs is null and i.indpred is null as "isPlain"
    from pg_catalog.pg_index i
    join pg_catalog.pg_class c on c.oid = i.indexrelid
   where i.indisunique and i.indisready and i.indrelid = $1::oid
   order by c.relname collate "C"`
