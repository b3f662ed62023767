import { quoteIdentifier, quoteLiteral, quoteQualified } from '../../src/database/quoting.js'
import type { Content, Row, Side } from './content.js'
import { SCHEMAS } from './names.js'
import type { Reference, Table } from './schema.js'
import { EXTENSIONS, EXTENSIONS_SCHEMA, TYPES_SCHEMA } from './types.js'
import type { World } from './world.js'

const q = quoteIdentifier

/** Once per database: what all worlds share. */
export function sharedObjects(types: string): string {
  return `create schema ${EXTENSIONS_SCHEMA}; create schema ${TYPES_SCHEMA};
    ${EXTENSIONS.map((name) => `create extension ${name} schema ${EXTENSIONS_SCHEMA};`).join(' ')}
    set search_path = ${TYPES_SCHEMA}; ${types}
    create function ${TYPES_SCHEMA}.bang() returns trigger language plpgsql as $$
      begin
        if current_setting('test.is_quiet', true) is distinct from 'on' then raise exception 'trigger % of % fired', tg_name, tg_table_name; end if;
        if tg_op = 'DELETE' then return old; end if;
        return new;
      end $$;
    create function ${TYPES_SCHEMA}.fine() returns trigger language plpgsql as $$ begin return null; end $$;`
}

/** A database as it is before the first world and after each. */
export const EMPTY = `drop schema if exists understudy cascade;
  ${SCHEMAS.map((schema) => `drop schema if exists ${q(schema)} cascade; create schema ${q(schema)};`).join('\n')}`

export const SEARCH_PATH = `public, ${TYPES_SCHEMA}, ${EXTENSIONS_SCHEMA}`

const PRELUDE = `
create sequence public.shared_ids; create sequence public.numbered_ids; create sequence public.function_ids start 500; create sequence public.text_ids start 500;
create domain public.numbered as integer default nextval('public.numbered_ids');
create domain public.uuid_id as uuid default gen_random_uuid();
create domain public.bare_number as integer check (value > -100000);
create function public.next_id() returns integer language plpgsql as $$ begin return nextval('function_ids'); end $$;
`

/** The schema of a world; `side` decides the states of its triggers. */
export function schemaSql(tables: readonly Table[], side: Side, hasVirtual: boolean): string {
  return [
    `set search_path = ${SEARCH_PATH};`,
    PRELUDE,
    ...tables.map((table) => tableSql(table, hasVirtual)),
    ...tables.flatMap((table) => uniqueSql(table)),
    ...tables.flatMap((table) => table.references.map((reference) => foreignKeySql(table, reference, tables))),
    ...tables.map((table) => triggersSql(table, side)),
  ].join('\n')
}

function tableSql(table: Table, hasVirtual: boolean): string {
  const inherited = new Set(table.parent === null ? [] : definitions(table.parent, hasVirtual))
  const columns = definitions(table, hasVirtual).filter((definition) => !inherited.has(definition))
  const primary = table.primaryKey.length === 0 ? [] : [`primary key (${table.primaryKey.map(q).join(', ')})`]
  const head = `create ${table.isUnlogged ? 'unlogged ' : ''}table ${quoteQualified(table)} (${[...columns, ...primary].join(', ')})`
  if (table.parent !== null) return `${head} inherits (${quoteQualified(table.parent)});`
  return table.isPartitioned ? `${head} ${partitionsSql(table)}` : `${head};`
}

function definitions(table: Table, hasVirtual: boolean): string[] {
  const { tag, id, region, parts, unique, references, columns, generated } = table
  const { spec } = table.parent ?? table
  const nullness = (isNullable: boolean) => (isNullable ? '' : ' not null')
  const kind = spec.generated === 'virtual' && hasVirtual ? 'virtual' : 'stored'
  return [
    ...(id === null ? [] : [`${q(id.name)} ${id.definition}`]),
    ...references.flatMap((reference) =>
      reference.columns.map((column) => `${q(column.name)} ${column.type}${nullness(reference.isNullable)}`),
    ),
    ...(region === null ? [] : [`${q(region)} integer not null`]),
    ...parts.map((part) => `${q(part.name)} ${part.type.type}${nullness(part.isNullable)}`),
    ...columns.map((column) => {
      const standard =
        column.hasDefault && !/select/.test(column.type.value(0)) ? ` default ${column.type.value(0)}` : ''
      return `${q(column.name)} ${column.type.type}${standard}${nullness(column.isNullable)}`
    }),
    ...(tag === null ? [] : [`${q(tag)} text not null`]),
    ...(unique === null ? [] : [`${q(unique.name)} ${unique.type}${nullness(unique.isNullable)}`]),
    ...(generated === null
      ? []
      : [`${q(generated)} text generated always as (${tag === null ? `'const'::text` : `upper(${q(tag)})`}) ${kind}`]),
  ]
}

/** By list of the last natural column or of the region; the rest in a default partition that was a table with other columns once. */
function partitionsSql(table: Table): string {
  const part = table.parts.at(-1)
  const column = table.region ?? part?.name ?? ''
  const values = table.region === null ? [0, 1].map((number) => part?.type.value(number, 0) ?? 'null') : ['0', '1']
  const leaf = (suffix: string) =>
    quoteQualified({ schema: table.schema, name: `${table.name.slice(0, 20)} ${suffix}` })
  const root = quoteQualified(table)
  const isTwice = table.spec.storage === 'partitioned twice'
  return `partition by list (${q(column)});
    create table ${leaf('first')} partition of ${root} for values in (${values[0]});
    create table ${leaf('rest')} (dropped integer, like ${root} including defaults including generated)${isTwice ? ` partition by list (${q(column)})` : ''};
    alter table ${leaf('rest')} drop column dropped; alter table ${root} attach partition ${leaf('rest')} default;
    ${isTwice ? `create table ${leaf('second')} partition of ${leaf('rest')} for values in (${values[1]}); create table ${leaf('last')} partition of ${leaf('rest')} default;` : ''}`
}

function uniqueSql(table: Table): string[] {
  const name = quoteQualified(table)
  const { identity, unique, spec, primaryKey } = table
  const statements: string[] = []
  if (identity.kind === 'key' && primaryKey.join() !== identity.columns.join() && table.region === null) {
    const list = identity.columns.map(q).join(', ')
    if (spec.identity === 'constraint') statements.push(`alter table ${name} add unique (${list});`)
    else if (spec.identity === 'index' || !identity.isConfigured)
      statements.push(`create unique index on ${name} (${list});`)
  }
  if (unique === null) return statements
  const column = q(unique.name)
  const beside = table.references.find((reference) => !reference.isIdentity)?.columns[0]
  const forms: Record<typeof unique.form, string> = {
    constraint: `alter table ${name} add unique (${column});`,
    index: `create unique index on ${name} (${column});`,
    deferrable: `alter table ${name} add unique (${column}) deferrable initially deferred;`,
    partial: `create unique index on ${name} (${column}) where ${column} is not null;`,
    expression: `create unique index on ${name} (lower(${column}));`,
    exclusion: `alter table ${name} add exclude using gist (${column} with &&);`,
    'with reference': `alter table ${name} add unique (${beside === undefined ? '' : `${q(beside.name)}, `}${column});`,
  }
  return [...statements, forms[unique.form]]
}

function foreignKeySql(table: Table, reference: Reference, tables: readonly Table[]): string {
  const target = tables[reference.target]
  if (target === undefined) throw new Error('a reference without a target')
  const { check, onUpdate, onDelete } = reference.spec
  const checks = { 'at once': '', deferrable: 'deferrable', deferred: 'deferrable initially deferred' }
  const columns = reference.columns.map((column) => q(column.name)).join(', ')
  const targets = reference.targetColumns.map(q).join(', ')
  return `alter table ${quoteQualified(table)} add foreign key (${columns}) references ${quoteQualified(target)} (${targets})
    on update ${onUpdate} on delete ${onDelete === 'set null' && !reference.isNullable ? 'no action' : onDelete} ${checks[check]};`
}

function triggersSql(table: Table, side: Side): string {
  const name = quoteQualified(table)
  return table.spec.triggers
    .map(({ when, states }, index) => {
      const trigger = q(`Trigger "${index}"`)
      const events = 'insert or update or delete'
      const definition = {
        'before row': `create trigger ${trigger} before ${events} on ${name} for each row execute function kinds.bang();`,
        'after row': `create trigger ${trigger} after ${events} on ${name} for each row execute function kinds.bang();`,
        statement: `create trigger ${trigger} before ${events} on ${name} for each statement execute function kinds.bang();`,
        constraint: `create constraint trigger ${trigger} after insert on ${name} deferrable initially deferred for each row execute function kinds.fine();`,
      }[when]
      return `${definition} alter table ${name} ${states[side === 'source' ? 0 : 1]} trigger ${trigger};`
    })
    .join('\n')
}

/** Brings a database from one content to another: what changed is deleted and inserted again, with its ids. */
export function contentSql(world: World, side: Side, before: Content, after: Content): string {
  const writer = new RowWriter(world, side)
  const rowIn = (content: Content, row: Row) => (content.has(row) ? writer.insertion(content, row) : null)
  const isSame = (row: Row) => rowIn(before, row) === rowIn(after, row)
  const gone = [...before.keys()].filter((row) => !isSame(row))
  const come = [...after.keys()].filter((row) => !isSame(row))
  return `set session_replication_role = replica; set test.is_quiet = 'on'; set search_path = ${SEARCH_PATH};
    ${gone.map((row) => writer.deletion(before, row)).join('\n')}
    ${come.map((row) => writer.insertion(after, row)).join('\n')}
    reset session_replication_role; reset test.is_quiet;`
}

class RowWriter {
  constructor(
    private readonly world: World,
    private readonly side: Side,
  ) {}

  insertion(content: Content, row: Row): string {
    const columns = columnsOf(row.table)
    const values = columns.map((column) => this.#value(content, row, column))
    return `insert into ${quoteQualified(row.table)} (${columns.map(q).join(', ')}) overriding system value values (${values.join(', ')});`
  }

  /** By id where there is one; rows known by nothing but their content are deleted one at a time. */
  deletion(content: Content, row: Row): string {
    const table = quoteQualified(row.table)
    if (row.table.id !== null) return `delete from ${only(row.table)} where ${q(row.table.id.name)} = ${this.#id(row)};`
    if (row.table.primaryKey.length > 0) {
      const key = row.table.primaryKey.map((column) => `${q(column)} = ${this.#value(content, row, column)}`)
      return `delete from ${only(row.table)} where ${key.join(' and ')};`
    }
    const equal = columnsOf(row.table).map((column) => {
      const value = this.#value(content, row, column)
      return value === 'null'
        ? `${q(column)} is not distinct from null`
        : `format('%s', ${q(column)}) = format('%s', ${value})`
    })
    return `delete from ${table} where ctid = (select ctid from ${table} where ${equal.join(' and ')} limit 1);`
  }

  #value(content: Content, row: Row, column: string): string {
    if (row.table.id?.name === column) return this.#id(row)
    const version = content.get(row)
    if (version === undefined) throw new Error(`row ${row.number} is not there`)
    const reference = row.table.references.find((each) => each.columns.some(({ name }) => name === column))
    if (reference === undefined) return version.values.get(column) ?? 'null'
    const position = reference.columns.findIndex(({ name }) => name === column)
    const target = version.targets.get(reference) ?? null
    if (target === null) return 'null'
    if (target !== 'half') return this.#value(content, target, reference.targetColumns[position] ?? '')
    // Half of a key: its last column alone, of whatever row there is.
    const some = [...content.keys()].find((each) => each.table.position === reference.target)
    if (some === undefined || position < reference.columns.length - 1) return 'null'
    return this.#value(content, some, reference.targetColumns[position] ?? '')
  }

  /** Ids count up in the source and, from elsewhere, down in the target: the same numbers, of other rows. */
  #id(row: Row): string {
    const number = this.side === 'source' ? row.number : 40 + this.world.shift - row.number
    switch (row.table.id?.type) {
      case 'uuid':
      case 'public.uuid_id':
        return `'00000000-0000-4000-8000-${String(number).padStart(12, '0')}'`
      case 'text':
        return row.table.keyKind === 'text sequence' ? `'O-${number}'` : `'${this.side} ${number}'`
      default:
        return String(number)
    }
  }
}

/** The columns that a row is written with. */
function columnsOf(table: Table): string[] {
  return [
    ...(table.id === null ? [] : [table.id.name]),
    ...table.references.flatMap((reference) => reference.columns.map((column) => column.name)),
    ...[table.region, table.tag, table.unique?.name].filter((each) => typeof each === 'string'),
    ...table.parts.map((part) => part.name),
    ...table.columns.map((column) => column.name),
  ]
}

/** Moves every sequence far ahead of the rows. */
export const LEAD = `select setval(c.oid, 200) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' and n.nspname = any (array[${SCHEMAS.map(quoteLiteral).join(', ')}])`

/** `only`, but where the rows are in partitions. */
export function only(table: Table): string {
  return table.isPartitioned ? quoteQualified(table) : `only ${quoteQualified(table)}`
}

/**
 * Rows of a table as anybody would compare them, without the engine: `name` (its tag, or its natural key with the names of what it refers to),
 * `owner` (the name of the row at the top of what owns it), `content` (every value as text, every reference as a name), `place`.
 */
export function rowsSql(table: Table, tables: readonly Table[]): string {
  const names = new Namer(tables)
  const { columns, parts, references, tag, region, unique, generated } = table
  const plain = [
    ...[tag, region, unique?.name, generated].filter((each) => typeof each === 'string'),
    ...[...parts, ...columns].map((column) => column.name),
  ]
  const texts = plain.map((name) => asText(`a.${q(name)}`))
  const targets = references.map((reference) => names.target(reference, 'a'))
  const content = [...texts, ...targets, ...references.map((reference) => nullness(reference))]
  return `select ${names.name(table, 'a')} as name, ${names.owner(table, 'a')} as owner,
                 array[${content.join(', ')}]::text[]::text as content, a.tableoid::regclass::text || ' ' || a.ctid || ' ' || a.xmin as place
            from ${only(table)} a`
}

function nullness(reference: Reference): string {
  return reference.columns.map((column) => `(a.${q(column.name)} is null)::int::text`).join(' || ')
}

function asText(value: string): string {
  return `case when ${value} is not distinct from null then null else format('%s', ${value}) end`
}

class Namer {
  #count = 0

  constructor(private readonly tables: readonly Table[]) {}

  name(table: Table, alias: string): string {
    if (table.tag !== null) return `${alias}.${q(table.tag)}`
    const identity = table.references.filter((reference) => reference.isIdentity)
    const parts = [
      ...identity.map((reference) => this.target(reference, alias)),
      ...table.parts.map((part) => asText(`${alias}.${q(part.name)}`)),
    ]
    return `array[${parts.join(', ')}]::text[]::text`
  }

  target(reference: Reference, alias: string): string {
    return this.#through(reference, alias, (target, inner) => this.name(target, inner))
  }

  /** The name of the first owner that is not itself known by its content. */
  owner(table: Table, alias: string): string {
    const owner = table.identity.kind === 'content' ? table.identity.owner : null
    return owner === null ? 'null::text' : this.target(owner, alias)
  }

  #through(reference: Reference, alias: string, what: (target: Table, alias: string) => string): string {
    const target = this.tables[reference.target]
    if (target === undefined) throw new Error('a reference without a target')
    const inner = `x${++this.#count}`
    const pairs = reference.columns.map(
      ({ name }, index) => `${inner}.${q(reference.targetColumns[index] ?? '')} = ${alias}.${q(name)}`,
    )
    return `(select ${what(target, inner)} from ${only(target)} ${inner} where ${pairs.join(' and ')})`
  }
}
