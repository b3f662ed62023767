import type { RelationConfig } from '../../src/config/define-config.js'
import { columnNames, SCHEMAS, tableName } from './names.js'
import { KEY_TYPES, type KeyType, VALUE_TYPES, type ValueType } from './types.js'
import type { KeyKind, ReferenceSpec, TableSpec, UniqueSpec, World } from './world.js'

/** A table of a world, with everything decided. */
export interface Table {
  readonly position: number
  readonly spec: TableSpec
  readonly schema: string
  readonly name: string
  readonly keyKind: KeyKind
  readonly id: IdColumn | null
  readonly region: string | null
  readonly tag: string | null
  readonly parts: readonly PartColumn[]
  readonly columns: readonly PlainColumn[]
  readonly unique: UniqueColumn | null
  readonly references: readonly Reference[]
  readonly generated: string | null
  readonly identity: Identity
  /** The primary key; empty where there is none. */
  readonly primaryKey: readonly string[]
  readonly isPartitioned: boolean
  readonly isUnlogged: boolean
  readonly parent: Table | null
}

export type Identity =
  | { readonly kind: 'key'; readonly columns: readonly string[]; readonly isConfigured: boolean }
  | { readonly kind: 'origin' }
  | { readonly kind: 'content'; readonly owner: Reference | null }

export interface IdColumn {
  readonly name: string
  /** As a column that refers to it is declared. */
  readonly type: string
  readonly definition: string
}

export interface PartColumn {
  readonly name: string
  readonly type: KeyType
  readonly isNullable: boolean
}

export interface PlainColumn {
  readonly name: string
  readonly type: ValueType
  readonly isNullable: boolean
  readonly hasDefault: boolean
}

export interface UniqueColumn {
  readonly name: string
  readonly form: UniqueSpec['form']
  readonly type: string
  readonly isNullable: boolean
  /** The value of a class: different classes never collide under the key, whatever its form. */
  value(number: number, look: number): string
}

export interface Reference {
  readonly spec: ReferenceSpec
  readonly isIdentity: boolean
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly target: number
  readonly targetColumns: readonly string[]
  readonly isNullable: boolean
  /** True where the referenced values may change while the row stays the same. */
  readonly isVolatile: boolean
}

const FILLED: readonly KeyKind[] = [
  ...(['serial', 'by default', 'always', 'smallserial', 'bigserial', 'shared sequence', 'uuid'] as const),
  ...(['uuid domain', 'domain default', 'text sequence', 'function'] as const),
]
/** Kinds whose default an inheriting table gets too. */
const HEREDITARY: readonly KeyKind[] = [
  'serial',
  'smallserial',
  'bigserial',
  'shared sequence',
  'uuid',
  'text sequence',
]

/** Decides every table of a world: first what it is, then what it refers to. */
export function resolveTables(world: World): readonly Table[] {
  const taken = SCHEMAS.map(() => new Set<string>())
  const tables: Table[] = []
  for (const [position, spec] of world.tables.entries()) {
    const schema = spec.schema % SCHEMAS.length
    const name = tableName(spec.name, position, taken[schema] ?? new Set())
    taken[schema]?.add(name)
    tables.push(resolveTable({ position, spec, schema: SCHEMAS[schema] ?? 'public', name }, tables))
  }
  for (const [position, table] of tables.entries()) tables[position] = withReferences(table, tables)
  return tables.map((table) => withParentsReferences(loggedIfReferred(table, tables), tables))
}

interface Place {
  readonly position: number
  readonly spec: TableSpec
  readonly schema: string
  readonly name: string
}

function resolveTable(place: Place, earlier: readonly Table[]): Table {
  const parent = findParent(place.spec, earlier)
  if (parent !== undefined) return inheritingTable(place, parent)
  const { spec } = place
  const within = spec.within === null ? undefined : findWithin(spec.within, earlier)
  const keyKind = settleKeyKind(spec, within)
  const names = columnNames(spec.names, 40)
  const next = () => names.shift() ?? 'z'
  const tag = spec.hasTag || hasNoKey(spec, keyKind) ? next() : null
  const id = idColumn(keyKind, next())
  const region = keyKind === 'with region' ? next() : null
  const hasKey = !hasNoKey(spec, keyKind)
  const isPrimary = keyKind === 'natural'
  const parts = !hasKey
    ? []
    : spec.parts.map((part, index) => ({
        name: next(),
        type: pick(KEY_TYPES, part.type),
        isNullable: part.isNullable && index > 0 && !isPrimary,
      }))
  const isOfContent = keyKind === 'none' || spec.identity === 'content' || spec.identity === 'owned'
  const isPartitioned =
    (spec.storage === 'partitioned' || spec.storage === 'partitioned twice') && (isPrimary || region !== null)
  const unique = spec.unique === null || isOfContent || isPartitioned ? null : uniqueColumn(spec.unique, next())
  const identityReference = within === undefined || !hasKey ? [] : [identityReferenceTo(within, () => next())]
  const columns = spec.columns.map((column) => ({ ...column, name: next(), type: pick(VALUE_TYPES, column.type) }))
  const generated = spec.generated === 'none' ? null : next()
  const identityColumns = [
    ...identityReference.flatMap((reference) => reference.columns.map((column) => column.name)),
    ...parts.map((part) => part.name),
  ]
  const isConfigured =
    spec.identity === 'configured' ||
    unique !== null ||
    region !== null ||
    parts.some((part) => part.isNullable) ||
    /without default/.test(keyKind)
  const identity: Identity = hasKey
    ? { kind: 'key', columns: identityColumns, isConfigured }
    : isOfContent
      ? { kind: 'content', owner: null }
      : { kind: 'origin' }
  const primaryKey = isPrimary
    ? identityColumns
    : keyKind === 'within'
      ? [...(identityReference[0]?.columns.map((column) => column.name) ?? []), ...(id === null ? [] : [id.name])]
      : [id?.name, region].filter((each) => typeof each === 'string')
  return {
    ...place,
    keyKind,
    id,
    region,
    tag,
    parts,
    columns,
    unique,
    references: identityReference,
    generated,
    identity,
    primaryKey,
    isPartitioned,
    isUnlogged: spec.storage === 'unlogged',
    parent: null,
  }
}

/** A table without a natural key: known by its origin or by its content. */
function hasNoKey(spec: TableSpec, keyKind: KeyKind): boolean {
  if (keyKind === 'none') return true
  return FILLED.includes(keyKind) && ['origin', 'content', 'owned'].includes(spec.identity)
}

function settleKeyKind(spec: TableSpec, within: Table | undefined): KeyKind {
  if (spec.key === 'within' && within === undefined) return 'serial'
  return spec.key
}

function pick<T>(list: readonly T[], choice: number): T {
  const found = list[choice % list.length]
  if (found === undefined) throw new Error('nothing to pick from')
  return found
}

/** A table whose key may be part of another's identity. */
function findWithin(choice: number, earlier: readonly Table[]): Table | undefined {
  const fit = earlier.filter(
    (table) => table.identity.kind !== 'content' && table.primaryKey.length > 0 && table.region === null,
  )
  return fit.length === 0 ? undefined : pick(fit, choice)
}

function identityReferenceTo(target: Table, next: () => string): Reference {
  return {
    spec: { to: 0, by: 'key', isNullable: false, check: 'at once', onUpdate: 'no action', onDelete: 'no action' },
    isIdentity: true,
    columns: target.primaryKey.map((column) => ({ name: next(), type: typeOfColumn(target, column) })),
    target: target.position,
    targetColumns: target.primaryKey,
    isNullable: false,
    isVolatile: false,
  }
}

/** The type of a column that others may refer to. */
export function typeOfColumn(table: Table, name: string): string {
  if (table.id?.name === name) return table.id.type
  if (table.region === name) return 'integer'
  if (table.unique?.name === name) return table.unique.type
  const part = table.parts.find((each) => each.name === name)
  if (part !== undefined) return part.type.type
  const own = table.references.flatMap((reference) => reference.columns).find((column) => column.name === name)
  if (own === undefined) throw new Error(`${table.name} has no column ${name}`)
  return own.type
}

function idColumn(kind: KeyKind, name: string): IdColumn | null {
  const column = (type: string, definition: string): IdColumn => ({ name, type, definition })
  switch (kind) {
    case 'natural':
    case 'none':
      return null
    case 'serial':
    case 'within':
    case 'with region':
      return column('integer', 'serial')
    case 'smallserial':
      return column('smallint', 'smallserial')
    case 'bigserial':
      return column('bigint', 'bigserial')
    case 'by default':
      return column('bigint', 'bigint generated by default as identity')
    case 'always':
      return column('integer', 'integer generated always as identity')
    case 'shared sequence':
      return column('integer', `integer default nextval('public.shared_ids')`)
    case 'uuid':
      return column('uuid', 'uuid default gen_random_uuid()')
    case 'uuid domain':
      return column('public.uuid_id', 'public.uuid_id')
    case 'domain default':
      return column('public.numbered', 'public.numbered')
    case 'text sequence':
      return column('text', `text default 'O-' || nextval('public.text_ids')`)
    case 'function':
      return column('integer', 'integer default public.next_id()')
    case 'number without default':
      return column('integer', 'integer')
    case 'domain without default':
      return column('public.bare_number', 'public.bare_number')
    case 'text without default':
      return column('text', 'text')
  }
}

function uniqueColumn(spec: UniqueSpec, name: string): UniqueColumn {
  const { isNullable } = spec
  if (spec.form === 'exclusion') {
    return {
      name,
      form: 'exclusion',
      type: 'int4range',
      isNullable,
      value: (number) => `'[${number * 10},${number * 10 + 10})'::int4range`,
    }
  }
  if (spec.form === 'expression') {
    return {
      name,
      form: 'expression',
      type: 'text',
      isNullable,
      value: (number, look) => `'${look % 2 === 0 ? 'k' : 'K'}${number}'`,
    }
  }
  const type = pick(
    KEY_TYPES.filter((each) => each.classes === undefined),
    spec.type,
  )
  return { name, form: spec.form, type: type.type, isNullable, value: type.value }
}

function findParent(spec: TableSpec, earlier: readonly Table[]): Table | undefined {
  if (spec.inherits === null) return undefined
  const fit = earlier.filter(
    (table) =>
      HEREDITARY.includes(table.keyKind) &&
      !table.isPartitioned &&
      table.parent === null &&
      table.identity.kind !== 'content',
  )
  return fit.length === 0 ? undefined : pick(fit, spec.inherits)
}

/** Has the columns of its parent and one more of its own; its keys are declared again, its rows are its own. */
function inheritingTable(place: Place, parent: Table): Table {
  const own = place.spec.columns.slice(0, 1).map((column) => ({
    ...column,
    name: 'own column',
    type: pick(VALUE_TYPES, column.type),
  }))
  return { ...parent, ...place, columns: [...parent.columns, ...own], parent, isUnlogged: false }
}

function withReferences(table: Table, tables: readonly Table[]): Table {
  if (table.parent !== null) return table
  const used = [
    ...[table.tag, table.id?.name, table.region, table.unique?.name, table.generated],
    ...table.parts.map((part) => part.name),
    ...table.columns.map((column) => column.name),
    ...table.references.flatMap((reference) => reference.columns.map((column) => column.name)),
  ]
  const names = columnNames(table.spec.names, 44).filter((name) => !used.includes(name))
  const next = () => names.shift() ?? `z${names.length}`
  const found = table.spec.references
    .map((spec) => resolveReference(spec, tables, next, table.primaryKey.length > 0))
    .filter((reference) => reference !== null)
  const references = [...table.references, ...found]
  if (table.identity.kind !== 'content' || table.spec.identity !== 'owned') return { ...table, references }
  const owner = references.find((reference) => {
    const target = tables[reference.target]
    return (
      reference.target < table.position &&
      target !== undefined &&
      target.identity.kind !== 'content' &&
      reference.columns.length === 1
    )
  })
  return { ...table, references, identity: { kind: 'content', owner: owner ?? null } }
}

/** `hasPlace`: rows that have no key at all cannot be found again once a cascade has carried them along. */
function resolveReference(
  spec: ReferenceSpec,
  tables: readonly Table[],
  next: () => string,
  hasPlace: boolean,
): Reference | null {
  const target = pick(tables, spec.to)
  if (target.identity.kind === 'content') return null
  const by = settleBy(hasPlace ? spec : { ...spec, by: 'key' }, target)
  const targetColumns =
    by === 'unique'
      ? [target.unique?.name ?? '']
      : by === 'identity' && target.identity.kind === 'key'
        ? target.identity.columns
        : target.primaryKey
  if (targetColumns.length === 0 || (!hasPlace && target.region !== null)) return null
  const isVolatile = by === 'unique' || target.region !== null
  return {
    spec: { ...spec, by, onUpdate: !hasPlace ? 'no action' : isVolatile ? 'cascade' : spec.onUpdate },
    isIdentity: false,
    columns: targetColumns.map((column) => ({ name: next(), type: typeOfColumn(target, column) })),
    target: target.position,
    targetColumns,
    isNullable: spec.isNullable,
    isVolatile,
  }
}

function settleBy(spec: ReferenceSpec, target: Table): ReferenceSpec['by'] {
  const { unique, identity } = target
  if (
    spec.by === 'unique' &&
    unique !== null &&
    !unique.isNullable &&
    (unique.form === 'constraint' || unique.form === 'index')
  )
    return 'unique'
  const isConstrained = ['constraint', 'index'].includes(target.spec.identity) && target.region === null
  if (
    spec.by === 'identity' &&
    identity.kind === 'key' &&
    isConstrained &&
    target.parts.every((part) => !part.isNullable)
  )
    return 'identity'
  return 'key'
}

/** A logged table may not refer to an unlogged one. */
function loggedIfReferred(table: Table, tables: readonly Table[]): Table {
  const isReferred = tables.some((other) => other.references.some((reference) => reference.target === table.position))
  return isReferred ? { ...table, isUnlogged: false } : table
}

function withParentsReferences(table: Table, tables: readonly Table[]): Table {
  if (table.parent === null) return table
  const parent = tables[table.parent.position] ?? table.parent
  return { ...table, parent, references: parent.references }
}

/** What the configuration must say for the tables to be what they are meant to be. */
export function configurationOf(tables: readonly Table[]): Record<string, RelationConfig> {
  const entries = tables.flatMap((table): [string, RelationConfig][] => {
    const label = `${table.schema}.${table.name}`
    const { identity } = table
    if (identity.kind === 'origin') return [[label, { identity: 'origin' }]]
    if (identity.kind === 'key') return identity.isConfigured ? [[label, { identity: identity.columns }]] : []
    return [[label, { identity: 'content', owner: identity.owner?.columns[0]?.name ?? null }]]
  })
  return Object.fromEntries(entries)
}
