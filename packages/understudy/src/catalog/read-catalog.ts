import type { Session } from '../database/port.js'
import type {
  Attribute,
  Catalog,
  Column,
  Extension,
  ForeignKey,
  Relation,
  Trigger,
  Type,
  UniqueKey,
} from './catalog.js'
import * as queries from './queries.js'

/**
 * Reads the catalog with the session's own rights. Expects an empty `search_path` (see `pinSettings`), so that types and
 * expressions come back qualified.
 */
export async function readCatalog(session: Session): Promise<Catalog> {
  const server = await session.query<ServerRow>(queries.SERVER)
  const relations = await session.query<RelationRow>(queries.RELATIONS)
  const columns = groupByRelation(await session.query<ColumnRow>(queries.COLUMNS))
  const uniqueKeys = groupByRelation(await session.query<UniqueKeyRow>(queries.UNIQUE_KEYS))
  const foreignKeys = groupByRelation(await session.query<ForeignKeyRow>(queries.FOREIGN_KEYS))
  const triggers = groupByRelation(await session.query<TriggerRow>(queries.TRIGGERS))
  const rules = groupByRelation(await session.query<RuleRow>(queries.RULES))
  const types = await session.query<TypeRow>(queries.TYPES)
  const extensions = await session.query<Extension & Record<string, unknown>>(queries.EXTENSIONS)
  const [facts] = server
  if (facts === undefined) throw new Error('pg_database does not list the current database')
  return {
    serverVersion: facts.server_version,
    database: facts.database,
    encoding: facts.encoding,
    hasLargeObjects: facts.has_large_objects,
    schemas: facts.schemas,
    extensions: extensions.map(({ name, version }) => ({ name, version })),
    types: new Map(types.map((row) => [row.oid, toType(row)])),
    relations: relations.map((row) => ({
      oid: row.oid,
      schema: row.schema,
      name: row.name,
      kind: row.kind,
      isTemporary: row.is_temporary,
      isExtensionMember: row.is_extension_member,
      isPartition: row.is_partition,
      parents: row.parents,
      estimatedRows: row.estimated_rows,
      hasRowSecurity: row.has_row_security,
      hasExclusions: row.has_exclusions,
      isOwned: row.is_owned,
      columns: (columns.get(row.oid) ?? []).map(toColumn),
      uniqueKeys: (uniqueKeys.get(row.oid) ?? []).map(toUniqueKey),
      foreignKeys: (foreignKeys.get(row.oid) ?? []).map(toForeignKey),
      triggers: (triggers.get(row.oid) ?? []).map(toTrigger),
      rules: (rules.get(row.oid) ?? []).map((rule) => rule.name),
    })),
  }
}

interface ServerRow {
  server_version: number
  database: string
  encoding: string
  has_large_objects: boolean
  schemas: string[]
}

interface RelationRow {
  oid: number
  schema: string
  name: string
  kind: Relation['kind']
  is_temporary: boolean
  is_partition: boolean
  has_row_security: boolean
  has_exclusions: boolean
  estimated_rows: number
  is_owned: boolean
  is_extension_member: boolean
  parents: number[]
}

interface OfRelation {
  relation: number
}

interface ColumnRow extends OfRelation {
  number: number
  name: string
  type_oid: number
  type: string
  base_type: string | null
  equality: string | null
  has_spellings: boolean
  is_in_byte_order: boolean
  is_nullable: boolean
  identity: Column['identity']
  is_generated: boolean
  generated_from: string[] | null
  default: string | null
  default_makes: Column['defaultMakes']
  sequence_schema: string | null
  sequence_name: string | null
  is_sequence_owned: boolean | null
}

interface UniqueKeyRow extends OfRelation {
  name: string
  columns: string[]
  is_primary: boolean
  is_constraint: boolean
  is_valid: boolean
  is_partial: boolean
  has_expressions: boolean
  is_deferrable: boolean
  is_nulls_not_distinct: boolean
}

interface ForeignKeyRow extends OfRelation {
  oid: number
  name: string
  columns: string[]
  target: number
  target_columns: string[]
  is_deferrable: boolean
  is_validated: boolean
  is_enforced: boolean
  is_period: boolean
  is_inherited: boolean
  on_update: ForeignKey['onUpdate']
  on_delete: ForeignKey['onDelete']
}

interface TriggerRow extends OfRelation {
  name: string
  state: Trigger['state']
  is_constraint: boolean
  is_before_row: boolean
  is_on_insert: boolean
  is_on_update: boolean
  is_on_delete: boolean
  function: string
}

interface RuleRow extends OfRelation {
  name: string
}

interface TypeRow {
  oid: number
  schema: string
  name: string
  kind: Type['kind']
  element: number | null
  base: number | null
  has_text_cast: boolean
  attributes: Attribute[]
}

function groupByRelation<Row extends OfRelation>(rows: readonly Row[]): Map<number, Row[]> {
  const groups = new Map<number, Row[]>()
  for (const row of rows) {
    const group = groups.get(row.relation)
    if (group === undefined) groups.set(row.relation, [row])
    else group.push(row)
  }
  return groups
}

function toColumn(row: ColumnRow): Column {
  const sequence =
    row.sequence_schema === null || row.sequence_name === null
      ? null
      : { schema: row.sequence_schema, name: row.sequence_name, isOwned: row.is_sequence_owned === true }
  return {
    number: row.number,
    name: row.name,
    typeOid: row.type_oid,
    type: row.type,
    baseType: row.base_type ?? row.type,
    equality: row.equality,
    hasSpellings: row.has_spellings,
    isInByteOrder: row.is_in_byte_order,
    isNullable: row.is_nullable,
    default: row.is_generated ? null : row.default,
    defaultMakes: row.is_generated ? null : row.default_makes,
    sequence,
    identity: row.identity,
    isGenerated: row.is_generated,
    generatedAs: row.is_generated ? row.default : null,
    generatedFrom: row.generated_from ?? [],
  }
}

function toUniqueKey(row: UniqueKeyRow): UniqueKey {
  return {
    name: row.name,
    columns: row.columns,
    isPrimary: row.is_primary,
    isConstraint: row.is_constraint,
    isValid: row.is_valid,
    isPartial: row.is_partial,
    hasExpressions: row.has_expressions,
    isDeferrable: row.is_deferrable,
    isNullsNotDistinct: row.is_nulls_not_distinct,
  }
}

function toForeignKey(row: ForeignKeyRow): ForeignKey {
  return {
    oid: row.oid,
    name: row.name,
    columns: row.columns,
    target: row.target,
    targetColumns: row.target_columns,
    isDeferrable: row.is_deferrable,
    isValidated: row.is_validated,
    isEnforced: row.is_enforced,
    isPeriod: row.is_period,
    isInherited: row.is_inherited,
    onUpdate: row.on_update,
    onDelete: row.on_delete,
  }
}

function toTrigger(row: TriggerRow): Trigger {
  return {
    name: row.name,
    state: row.state,
    isConstraint: row.is_constraint,
    isBeforeRow: row.is_before_row,
    events: { inserts: row.is_on_insert, updates: row.is_on_update, deletes: row.is_on_delete },
    function: row.function,
  }
}

function toType(row: TypeRow): Type {
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: row.kind,
    element: row.element,
    base: row.base,
    hasTextCast: row.has_text_cast,
    attributes: row.attributes,
  }
}
