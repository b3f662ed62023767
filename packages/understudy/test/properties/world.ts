import fc from 'fast-check'

/**
 * A random scenario as plain numbers and words: a schema, two contents of it, and the circumstances of a transfer. Every combination means
 * something (`schema.ts` and `content.ts` take what does not fit as what does), so that fast-check can shrink any part by itself. Zero and the
 * first word are the plainest choice.
 */
export interface World {
  readonly tables: readonly TableSpec[]
  /** How the target came to its content: filled on its own, with ids of its own; or imported from the source at an earlier time. */
  readonly history: 'separate' | 'shared'
  /** Whether the target's content goes back to the source at the end, after which both must be equal in everything. */
  readonly isReturned: boolean
  readonly sequences: 'lag' | 'lead'
  /** What sessions of the source and of the target begin with: a choice of `settings.ts`. */
  readonly settings: readonly [number, number]
  /** How far the target's ids are shifted against the source's. */
  readonly shift: number
}

export interface TableSpec {
  readonly schema: number
  readonly name: number
  /** Where in the list of column names this table begins. */
  readonly names: number
  readonly key: KeyKind
  readonly identity: IdentityKind
  /** The natural columns of the identity. */
  readonly parts: readonly PartSpec[]
  /** An earlier table whose row is part of the identity, if there is one. */
  readonly within: number | null
  readonly hasTag: boolean
  readonly columns: readonly ColumnSpec[]
  readonly unique: UniqueSpec | null
  readonly references: readonly ReferenceSpec[]
  readonly storage: 'plain' | 'unlogged' | 'partitioned' | 'partitioned twice'
  /** An earlier table that this one inherits from, if it can. */
  readonly inherits: number | null
  readonly generated: 'none' | 'stored' | 'virtual'
  readonly triggers: readonly TriggerSpec[]
  readonly rows: readonly RowSpec[]
}

export const KEY_KINDS = [
  'serial',
  'by default',
  'always',
  'natural',
  'within',
  'smallserial',
  'bigserial',
  'shared sequence',
  'uuid',
  'uuid domain',
  'domain default',
  'text sequence',
  'function',
  'number without default',
  'domain without default',
  'text without default',
  'with region',
  'none',
] as const
export type KeyKind = (typeof KEY_KINDS)[number]

export const IDENTITY_KINDS = ['constraint', 'index', 'configured', 'origin', 'content', 'owned'] as const
export type IdentityKind = (typeof IDENTITY_KINDS)[number]

export interface PartSpec {
  readonly type: number
  readonly isNullable: boolean
}

export interface ColumnSpec {
  readonly type: number
  readonly isNullable: boolean
  readonly hasDefault: boolean
}

export const UNIQUE_FORMS = [
  'constraint',
  'index',
  'deferrable',
  'partial',
  'expression',
  'exclusion',
  'with reference',
] as const
export interface UniqueSpec {
  readonly type: number
  readonly form: (typeof UNIQUE_FORMS)[number]
  readonly isNullable: boolean
}

export interface ReferenceSpec {
  readonly to: number
  readonly by: 'key' | 'identity' | 'unique'
  readonly isNullable: boolean
  readonly check: 'at once' | 'deferrable' | 'deferred'
  readonly onUpdate: 'no action' | 'cascade'
  readonly onDelete: 'no action' | 'cascade' | 'set null'
}

export interface TriggerSpec {
  readonly when: 'before row' | 'after row' | 'statement' | 'constraint'
  /** The states in the source and in the target. */
  readonly states: readonly [TriggerState, TriggerState]
}
export type TriggerState = 'enable' | 'enable replica' | 'enable always' | 'disable'

export interface RowSpec {
  readonly where: 'both' | 'source' | 'target'
  readonly cells: readonly number[]
  /** The cells in the target, where they differ. */
  readonly otherCells: readonly number[] | null
}

const index = fc.nat({ max: 59 })
const rarely = <T>(value: fc.Arbitrary<T>, plain: T): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(plain), weight: 3 }, { arbitrary: value, weight: 1 })
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 2, nil: null })

const cells = fc.array(fc.nat({ max: 9999 }), { maxLength: 12 })
const state: fc.Arbitrary<TriggerState> = fc.constantFrom('enable', 'enable replica', 'enable always', 'disable')

const table: fc.Arbitrary<TableSpec> = fc.record({
  schema: rarely(fc.nat({ max: 2 }), 0),
  name: index,
  names: rarely(index, 0),
  key: fc.constantFrom(...KEY_KINDS),
  identity: fc.oneof(
    { arbitrary: fc.constantFrom<IdentityKind>('constraint', 'index', 'configured'), weight: 3 },
    { arbitrary: fc.constantFrom(...IDENTITY_KINDS), weight: 2 },
  ),
  parts: fc.array(fc.record({ type: index, isNullable: rarely(fc.boolean(), false) }), { minLength: 1, maxLength: 2 }),
  within: maybe(index),
  hasTag: fc.oneof({ arbitrary: fc.constant(true), weight: 4 }, { arbitrary: fc.constant(false), weight: 1 }),
  columns: fc.array(
    fc.record({ type: fc.nat({ max: 999 }), isNullable: fc.boolean(), hasDefault: rarely(fc.boolean(), false) }),
    {
      maxLength: 4,
    },
  ),
  unique: maybe(fc.record({ type: index, form: fc.constantFrom(...UNIQUE_FORMS), isNullable: fc.boolean() })),
  references: fc.array(
    fc.record({
      to: index,
      by: fc.constantFrom('key', 'key', 'identity', 'unique'),
      isNullable: fc.boolean(),
      check: fc.constantFrom('at once', 'deferrable', 'deferred'),
      onUpdate: fc.constantFrom('no action', 'cascade'),
      onDelete: fc.constantFrom('no action', 'cascade', 'set null'),
    }),
    { maxLength: 3 },
  ) as fc.Arbitrary<ReferenceSpec[]>,
  storage: rarely(fc.constantFrom('plain', 'unlogged', 'partitioned', 'partitioned twice'), 'plain'),
  inherits: rarely(fc.option(index, { nil: null }), null),
  generated: rarely(fc.constantFrom('none', 'stored', 'virtual'), 'none'),
  triggers: rarely(
    fc.array(
      fc.record({
        when: fc.constantFrom('before row', 'after row', 'statement', 'constraint'),
        states: fc.tuple(state, state),
      }),
      { maxLength: 3 },
    ) as fc.Arbitrary<TriggerSpec[]>,
    [],
  ),
  rows: fc.array(
    fc.record({
      where: fc.constantFrom('both', 'both', 'source', 'target'),
      cells,
      otherCells: fc.option(cells, { nil: null }),
    }),
    { maxLength: 6 },
  ) as fc.Arbitrary<RowSpec[]>,
}) as fc.Arbitrary<TableSpec>

export const worlds: fc.Arbitrary<World> = fc.record({
  tables: fc.array(table, { minLength: 1, maxLength: 5 }),
  history: fc.constantFrom('separate', 'shared'),
  isReturned: rarely(fc.boolean(), false),
  sequences: fc.constantFrom('lag', 'lead'),
  settings: fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 })),
  shift: fc.nat({ max: 3 }),
}) as fc.Arbitrary<World>
