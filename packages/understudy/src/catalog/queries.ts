/**
 * The catalog's queries. Each is one pass over one kind of object, so that ten thousand relations take a second or two.
 * Columns that newer servers added are read through `to_jsonb`, which gives null where they do not exist.
 */

const USER_SCHEMA = `n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'understudy')`

const USER_RELATION = `
  select c.oid
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and ${USER_SCHEMA}`

export const SERVER = `
  select pg_catalog.current_setting('server_version_num')::int as server_version,
         d.datname::text as database,
         pg_catalog.pg_encoding_to_char(d.encoding)::text as encoding,
         exists (select from pg_catalog.pg_largeobject_metadata) as has_large_objects,
         array(select n.nspname::text from pg_catalog.pg_namespace n where ${USER_SCHEMA} order by n.nspname collate "C") as schemas
    from pg_catalog.pg_database d
   where d.datname = pg_catalog.current_database()`

export const EXTENSIONS = `
  select e.extname::text as name, e.extversion as version
    from pg_catalog.pg_extension e
   order by e.extname`

/** relkind: r ordinary, p partitioned, v view, m materialized view, f foreign. relpersistence t: temporary. deptype e: member of an extension. */
export const RELATIONS = `
  select c.oid::int8 as oid,
         n.nspname::text as schema,
         c.relname::text as name,
         case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
                        when 'm' then 'materialized view' else 'foreign table' end as kind,
         c.relpersistence = 't' as is_temporary,
         c.relispartition as is_partition,
         c.relrowsecurity as has_row_security,
         exists (select from pg_catalog.pg_constraint x where x.conrelid = c.oid and x.contype = 'x' /* exclusion */) as has_exclusions,
         c.reltuples::float8 as estimated_rows,
         pg_catalog.pg_has_role(c.relowner, 'USAGE') as is_owned,
         exists (select from pg_catalog.pg_depend d
                  where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e') as is_extension_member,
         (select coalesce(pg_catalog.json_agg(i.inhparent::int8 order by i.inhseqno), '[]')
            from pg_catalog.pg_inherits i where i.inhrelid = c.oid) as parents
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'v', 'm', 'f') and ${USER_SCHEMA}
   order by n.nspname collate "C", c.relname collate "C"`

/** In a default: what never gives the same value twice. The server's own functions leave no trace in pg_depend. */
const RANDOM_FUNCTION = String.raw`'\m(nextval|random|gen_random_uuid|gen_random_bytes|uuidv[47]|uuid_generate_v[0-9]+[a-z]*)\('`

/**
 * attidentity: a always, d by default. attgenerated: s stored, v virtual, empty otherwise.
 * The sequence is the identity column's own (deptype i) or one that the default depends on (deptype n).
 *
 * is_nullable: also where nulls from before a `not null … not valid` (PostgreSQL 18) may still stand.
 * generated_from: before PostgreSQL 15 the column depends on what its expression reads, since then the expression itself does (pg_attrdef).
 * has_spellings: whether values that are equal may differ in their bytes. A B-tree may keep equal entries as one where its operator class says
 * that they never do (support function 4; manual, "B-Tree Support Functions"); interval and bpchar have said so wrongly.
 */
export const COLUMNS = `
  with recursive wanted as materialized (
    select a.*
      from pg_catalog.pg_attribute a
     where a.attrelid in (${USER_RELATION}) and a.attnum > 0 and not a.attisdropped
  ), base_type as (
    select t.oid as domain, t.oid as base, t.typbasetype as next, t.typtypmod as modifier, t.typnotnull as is_required
      from pg_catalog.pg_type t
     where t.oid in (select atttypid from wanted)
    union all
    select u.domain, t.oid, t.typbasetype, case when t.typtype = 'd' then t.typtypmod else u.modifier end, u.is_required or t.typnotnull
      from base_type u
      join pg_catalog.pg_type t on t.oid = u.next
  ), operators as materialized (
    select o.opcintype as type, o.opcfamily as family, m.amname
      from pg_catalog.pg_opclass o
      join pg_catalog.pg_am m on m.oid = o.opcmethod
     where o.opcdefault and m.amname in ('btree', 'hash')
  ), equality as materialized (
    select distinct on (o.type) o.type, 'operator(' || pg_catalog.quote_ident(n.nspname) || '.' || p.oprname || ')' as operator
      from operators o
      join pg_catalog.pg_amop e on e.amopfamily = o.family and e.amoplefttype = o.type and e.amoprighttype = o.type
                               and e.amopstrategy = case o.amname when 'btree' then 3 else 1 end /* equality */
      join pg_catalog.pg_operator p on p.oid = e.amopopr
      join pg_catalog.pg_namespace n on n.oid = p.oprnamespace
     order by o.type, o.amname
  ), byte_order as materialized (
    select l.oid
      from pg_catalog.pg_collation l
      join pg_catalog.pg_database d on d.datname = pg_catalog.current_database()
     where case l.collprovider
             when 'b' /* built in */ then true
             when 'c' /* libc */ then l.collcollate in ('C', 'POSIX')
             when 'd' /* the database's */ then case pg_catalog.to_jsonb(d) ->> 'datlocprovider'
               when 'b' then true
               when 'i' /* ICU */ then false
               else d.datcollate in ('C', 'POSIX')
             end
             else false
           end
  ), one_spelling as materialized (
    select o.type
      from operators o
      join pg_catalog.pg_amproc e on e.amprocfamily = o.family and e.amproclefttype = o.type and e.amprocrighttype = o.type and e.amprocnum = 4
     where o.amname = 'btree' and o.type not in ('pg_catalog.interval'::regtype, 'pg_catalog.bpchar'::regtype)
  ), not_yet_required as materialized (
    select o.conrelid as relation, o.conkey[1] as number from pg_catalog.pg_constraint o where o.contype = 'n' and not o.convalidated
  ), sequence as (
    select s.refobjid as relation, s.refobjsubid as number, s.objid as sequence
      from pg_catalog.pg_depend s
      join pg_catalog.pg_class q on q.oid = s.objid and q.relkind = 'S'
     where s.classid = 'pg_catalog.pg_class'::regclass and s.refclassid = 'pg_catalog.pg_class'::regclass and s.deptype = 'i'
    union
    select a.attrelid, a.attnum, s.refobjid
      from pg_catalog.pg_depend s
      join wanted a on a.atttypid = s.objid
      join pg_catalog.pg_class q on q.oid = s.refobjid and q.relkind = 'S'
     where s.classid = 'pg_catalog.pg_type'::regclass and s.refclassid = 'pg_catalog.pg_class'::regclass
    union
    select f.adrelid, f.adnum, s.refobjid
      from pg_catalog.pg_depend s
      join pg_catalog.pg_attrdef f on f.oid = s.objid
      join pg_catalog.pg_class q on q.oid = s.refobjid and q.relkind = 'S'
     where s.classid = 'pg_catalog.pg_attrdef'::regclass and s.refclassid = 'pg_catalog.pg_class'::regclass
  ), one_sequence as (
    select relation, number, min(sequence) as sequence from sequence group by relation, number
  )
  select a.attrelid::int8 as relation,
         a.attnum as number,
         a.attname::text as name,
         a.atttypid::int8 as type_oid,
         pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
         not ((a.attnotnull and (a.attrelid, a.attnum) not in (select relation, number from not_yet_required))
              or (t.typtype = 'd' and base_type.is_required)) as is_nullable,
         case a.attidentity when 'a' then 'always' when 'd' then 'by default' end as identity,
         a.attgenerated <> '' as is_generated,
         case when a.attgenerated <> '' then (
           select pg_catalog.json_agg(r.attname order by r.attnum)
             from pg_catalog.pg_attribute r
            where r.attrelid = a.attrelid and r.attnum <> a.attnum
              and r.attnum in (
                select d.refobjsubid
                  from pg_catalog.pg_depend d
                 where d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = a.attrelid
                   and (d.classid, d.objid, d.objsubid) in (
                     ('pg_catalog.pg_attrdef'::regclass, f.oid, 0), ('pg_catalog.pg_class'::regclass, a.attrelid, a.attnum)))) end as generated_from,
         coalesce(pg_catalog.pg_get_expr(f.adbin, f.adrelid), pg_catalog.pg_get_expr(t.typdefaultbin, 0)) as "default",
         case when coalesce(pg_catalog.pg_get_expr(f.adbin, f.adrelid), pg_catalog.pg_get_expr(t.typdefaultbin, 0)) ~ ${RANDOM_FUNCTION} then 'random'
              when exists (select from pg_catalog.pg_depend u
                             join pg_catalog.pg_proc p on p.oid = u.refobjid and p.provolatile = 'v'
                            where u.refclassid = 'pg_catalog.pg_proc'::regclass
                              and (u.classid, u.objid) in (('pg_catalog.pg_attrdef'::regclass, f.oid),
                                                           ('pg_catalog.pg_type'::regclass, case when f.oid is null then t.oid end))) then 'function'
          end as default_makes,
         case when t.typtype = 'd' then pg_catalog.format_type(b.oid, base_type.modifier) end as base_type,
         equality.operator as equality,
         b.typtype <> 'e' /* enum */ and (
           one_spelling.type is null
           or exists (select from pg_catalog.pg_collation l where l.oid = a.attcollation and not l.collisdeterministic)) as has_spellings,
         b.oid in ('pg_catalog.text'::regtype, 'pg_catalog.varchar'::regtype)
           and a.attcollation in (select oid from byte_order) as is_in_byte_order,
         qn.nspname::text as sequence_schema,
         q.relname::text as sequence_name,
         pg_catalog.pg_has_role(q.relowner, 'USAGE') as is_sequence_owned
    from wanted a
    join pg_catalog.pg_type t on t.oid = a.atttypid
    join base_type on base_type.domain = t.oid and base_type.next = 0
    join pg_catalog.pg_type b on b.oid = base_type.base
    left join equality on equality.type = b.oid
    left join one_spelling
           on one_spelling.type = case b.oid when 'pg_catalog.varchar'::regtype then 'pg_catalog.text'::regtype else b.oid end
    left join pg_catalog.pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
    left join one_sequence s on s.relation = a.attrelid and s.number = a.attnum
    left join pg_catalog.pg_class q on q.oid = s.sequence
    left join pg_catalog.pg_namespace qn on qn.oid = q.relnamespace
   order by a.attrelid, a.attnum`

/** indkey holds 0 for an expression; columns beyond indnkeyatts are only included, not part of the key. contype: p primary, u unique. */
export const UNIQUE_KEYS = `
  select i.indrelid::int8 as relation,
         c.relname::text as name,
         (select coalesce(pg_catalog.json_agg(a.attname order by k.position), '[]')
            from pg_catalog.unnest(i.indkey::int2[]) with ordinality as k(number, position)
            join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
           where k.position <= i.indnkeyatts) as columns,
         i.indisprimary as is_primary,
         exists (select from pg_catalog.pg_constraint o
                  where o.conindid = i.indexrelid and o.contype in ('p', 'u')) as is_constraint,
         i.indisvalid and i.indisready as is_valid,
         i.indpred is not null as is_partial,
         i.indexprs is not null as has_expressions,
         not i.indimmediate as is_deferrable,
         coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) as is_nulls_not_distinct
    from pg_catalog.pg_index i
    join pg_catalog.pg_class c on c.oid = i.indexrelid
   where i.indisunique and i.indrelid in (${USER_RELATION})
   order by i.indrelid, i.indisprimary desc, c.relname collate "C"`

/** confdeltype: a no action, r restrict, c cascade, n set null, d set default. conparentid is set on a partition's copy of its parent's constraint. */
export const FOREIGN_KEYS = `
  select o.oid::int8 as oid,
         o.conrelid::int8 as relation,
         o.conname::text as name,
         (select pg_catalog.json_agg(a.attname order by k.position)
            from pg_catalog.unnest(o.conkey) with ordinality as k(number, position)
            join pg_catalog.pg_attribute a on a.attrelid = o.conrelid and a.attnum = k.number) as columns,
         o.confrelid::int8 as target,
         (select pg_catalog.json_agg(a.attname order by k.position)
            from pg_catalog.unnest(o.confkey) with ordinality as k(number, position)
            join pg_catalog.pg_attribute a on a.attrelid = o.confrelid and a.attnum = k.number) as target_columns,
         o.condeferrable as is_deferrable,
         o.convalidated as is_validated,
         coalesce((pg_catalog.to_jsonb(o) ->> 'conenforced')::boolean, true) as is_enforced,
         coalesce((pg_catalog.to_jsonb(o) ->> 'conperiod')::boolean, false) as is_period,
         o.conparentid <> 0 as is_inherited,
         case o.confupdtype when 'a' then 'no action' when 'r' then 'restrict' when 'c' then 'cascade'
                            when 'n' then 'set null' else 'set default' end as on_update,
         case o.confdeltype when 'a' then 'no action' when 'r' then 'restrict' when 'c' then 'cascade'
                            when 'n' then 'set null' else 'set default' end as on_delete
    from pg_catalog.pg_constraint o
   where o.contype = 'f' and o.conrelid in (${USER_RELATION})
   order by o.conrelid, o.conname collate "C", o.oid`

/** tgenabled: O origin, R replica, A always, D disabled. tgtype bit 0: for each row, bit 1: before, bit 2: on insert, bit 3: on delete, bit 4: on update. */
export const TRIGGERS = `
  select t.tgrelid::int8 as relation,
         t.tgname::text as name,
         case t.tgenabled when 'O' then 'origin' when 'R' then 'replica' when 'A' then 'always' else 'disabled' end as state,
         t.tgconstraint <> 0 as is_constraint,
         t.tgtype & 3 = 3 as is_before_row,
         t.tgtype & 4 <> 0 as is_on_insert,
         t.tgtype & 8 <> 0 as is_on_delete,
         t.tgtype & 16 <> 0 as is_on_update,
         t.tgfoid::regproc::text as function
    from pg_catalog.pg_trigger t
   where not t.tgisinternal and t.tgrelid in (${USER_RELATION})
   order by t.tgrelid, t.tgname collate "C"`

export const RULES = `
  select r.ev_class::int8 as relation, r.rulename::text as name
    from pg_catalog.pg_rewrite r
   where r.rulename <> '_RETURN' and r.ev_class in (${USER_RELATION})
   order by r.ev_class, r.rulename collate "C"`

/**
 * Types of columns, and of what these are made of. typtype: b base, c composite, d domain, e enum, r range, m multirange, p pseudo.
 * typcategory A with an element is a true array (not a vector such as point or oidvector).
 */
export const TYPES = `
  with recursive used as (
    select a.atttypid as oid
      from pg_catalog.pg_attribute a
     where a.attrelid in (${USER_RELATION}) and a.attnum > 0 and not a.attisdropped
    union
    select part.oid
      from used u
      join pg_catalog.pg_type t on t.oid = u.oid
     cross join lateral (
        select t.typelem as oid where t.typelem <> 0
        union all select t.typbasetype where t.typbasetype <> 0
        union all select a.atttypid from pg_catalog.pg_attribute a
                   where a.attrelid = t.typrelid and t.typrelid <> 0 and a.attnum > 0 and not a.attisdropped
     ) part
  )
  select t.oid::int8 as oid,
         n.nspname::text as schema,
         t.typname::text as name,
         case t.typtype when 'b' then 'base' when 'c' then 'composite' when 'd' then 'domain' when 'e' then 'enum'
                        when 'r' then 'range' when 'm' then 'multirange' else 'pseudo' end as kind,
         case when t.typcategory = 'A' and t.typlen = -1 and t.typelem <> 0 and t.typtype = 'b' then t.typelem::int8 end as element,
         nullif(t.typbasetype, 0)::int8 as base,
         exists (select from pg_catalog.pg_cast c
                  where c.castsource = t.oid and c.casttarget = 'pg_catalog.text'::regtype and c.castmethod = 'f') as has_text_cast,
         (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                   'name', a.attname, 'typeOid', a.atttypid::int8, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod))
                   order by a.attnum), '[]')
            from pg_catalog.pg_attribute a
           where a.attrelid = t.typrelid and t.typrelid <> 0 and a.attnum > 0 and not a.attisdropped) as attributes
    from used u
    join pg_catalog.pg_type t on t.oid = u.oid
    join pg_catalog.pg_namespace n on n.oid = t.typnamespace`
