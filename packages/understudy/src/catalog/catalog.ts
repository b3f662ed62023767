/** What `pg_catalog` says about a database: the ground that the content model stands on. Read once, never written. */
export interface Catalog {
  /** `server_version_num`, such as 180004. */
  readonly serverVersion: number
  readonly database: string
  /** The database's encoding, such as `UTF8`. */
  readonly encoding: string
  /** All user schemas, those without relations too, in order. */
  readonly schemas: readonly string[]
  /** Tables, partitioned tables, views, materialized and foreign tables of all user schemas, in order of schema and name. */
  readonly relations: readonly Relation[]
  readonly types: ReadonlyMap<number, Type>
  readonly extensions: readonly Extension[]
  readonly hasLargeObjects: boolean
}

export interface Extension {
  readonly name: string
  readonly version: string
}

export type RelationKind = 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table'

export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: RelationKind
  readonly isTemporary: boolean
  readonly isExtensionMember: boolean
  readonly isPartition: boolean
  /** Oids of the relations that this one inherits from or is a partition of. */
  readonly parents: readonly number[]
  /** The planner's estimate; -1 where the relation was never analyzed. */
  readonly estimatedRows: number
  readonly hasRowSecurity: boolean
  /** Whether the current role owns it, directly or by membership. */
  readonly isOwned: boolean
  readonly columns: readonly Column[]
  /** Primary key first, then by name. */
  readonly uniqueKeys: readonly UniqueKey[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly triggers: readonly Trigger[]
  /** Whether an exclusion constraint compares its rows with each other. */
  readonly hasExclusions: boolean
  /** Names of rewrite rules other than a view's own. */
  readonly rules: readonly string[]
}

export interface Column {
  readonly number: number
  readonly name: string
  readonly typeOid: number
  /** As `format_type` writes it, qualified. */
  readonly type: string
  /** The type under a domain, as `format_type` writes it; else the same as `type`. */
  readonly baseType: string
  /** The operator by which the type's own index compares for equality, qualified; null where there is none. */
  readonly equality: string | null
  /** Whether values that are equal may differ in how they are written: 1.0 and 1.00, or what a collation calls equal. */
  readonly hasSpellings: boolean
  /** Whether its order is that of the bytes of its texts, as under the collation C. */
  readonly isInByteOrder: boolean
  readonly isNullable: boolean
  /** The default's expression, the domain's where the column has none of its own. */
  readonly default: string | null
  /**
   * What the default makes anew for each row: `random` by a function that is known for that, `function` by another of the schema's own that is volatile,
   * which functions are where nobody says otherwise. Null for what is the same or tells the time or a setting.
   */
  readonly defaultMakes: 'random' | 'function' | null
  /** The sequence behind an identity column or a `nextval` default. */
  readonly sequence: Sequence | null
  readonly identity: 'always' | 'by default' | null
  readonly isGenerated: boolean
  /** A generated column's expression; null for every other column. */
  readonly generatedAs: string | null
  /** The columns of its own relation that a generated column is computed from, in the relation's order; empty for every other column. */
  readonly generatedFrom: readonly string[]
}

export interface Sequence {
  readonly schema: string
  readonly name: string
  readonly isOwned: boolean
}

export interface UniqueKey {
  readonly name: string
  readonly columns: readonly string[]
  readonly isPrimary: boolean
  /** True for a primary key or unique constraint, false for a bare index. */
  readonly isConstraint: boolean
  readonly isValid: boolean
  readonly isPartial: boolean
  readonly hasExpressions: boolean
  readonly isDeferrable: boolean
  readonly isNullsNotDistinct: boolean
}

export interface ForeignKey {
  readonly oid: number
  readonly name: string
  readonly columns: readonly string[]
  /** Oid of the relation it refers to. */
  readonly target: number
  readonly targetColumns: readonly string[]
  readonly isDeferrable: boolean
  readonly isValidated: boolean
  readonly isEnforced: boolean
  readonly isPeriod: boolean
  /** True for the copies that a partition of either side gets of its root's constraint. */
  readonly isInherited: boolean
  readonly onUpdate: 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default'
  readonly onDelete: 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default'
}

export interface Trigger {
  readonly name: string
  readonly state: 'origin' | 'replica' | 'always' | 'disabled'
  readonly isConstraint: boolean
  /** Whether it may change the row before it is written. */
  readonly isBeforeRow: boolean
  /** On what it fires. */
  readonly events: { readonly inserts: boolean; readonly updates: boolean; readonly deletes: boolean }
  readonly function: string
}

export interface Type {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: 'base' | 'composite' | 'domain' | 'enum' | 'range' | 'multirange' | 'pseudo'
  /** The element's type of a true array, else null. */
  readonly element: number | null
  /** The type under a domain, else null. */
  readonly base: number | null
  /** Whether a cast to text runs a function of its own, so that `::text` is not the output function. */
  readonly hasTextCast: boolean
  readonly attributes: readonly Attribute[]
}

export interface Attribute {
  readonly name: string
  readonly typeOid: number
  readonly type: string
}

/** The type under any number of domains. */
export function baseTypeOf(catalog: Pick<Catalog, 'types'>, oid: number): Type {
  const type = catalog.types.get(oid)
  if (type === undefined) throw new Error(`type ${oid} is not in the catalog`)
  return type.base === null ? type : baseTypeOf(catalog, type.base)
}
