import type { Column, Relation, UniqueKey } from '../catalog/catalog.js'
import type { Candidate } from './content-relations.js'
import type { Identity } from './model.js'
import type { FoundReference } from './references.js'
import type { ModelSettings } from './settings.js'

/** The reason for an identity that the configuration names. */
export const CONFIGURED = 'configured'

/**
 * Chooses what makes a row of the relation the same row elsewhere: the configuration's word; a unique key on a known identity column;
 * a primary key that no generator fills; another natural unique key without nulls; else the origin; else the whole content.
 */
export function chooseIdentity(
  candidate: Candidate,
  references: readonly FoundReference[],
  settings: ModelSettings,
  problems: string[],
): Identity {
  const { relation } = candidate
  const configured = configuredIdentity(candidate, references, problems)
  if (configured !== null) return configured
  const facts = { relation, referencing: referencingColumns(references) }
  return (
    knownColumnKey(facts, settings) ??
    naturalPrimaryKey(facts) ??
    naturalUniqueKey(facts) ??
    withoutKey(candidate, references)
  )
}

/** What remains for a relation without a natural key: its origin where it has a surrogate key, else its content. */
export function withoutKey({ relation }: Candidate, references: readonly FoundReference[]): Identity {
  const columns = surrogateColumns(relation, references, null)
  if (columns.length > 0) return { kind: 'origin', columns, reason: 'no natural key: known by where it was born' }
  return { kind: 'content', owner: null, reason: 'no key at all: known by its whole content' }
}

/**
 * The columns of the key that generators fill, and an id that nothing fills while the identity is another key: their values mean something
 * in this database only.
 */
export function surrogateColumns(
  relation: Relation,
  references: readonly FoundReference[],
  identity: Identity | null,
): string[] {
  const identityColumns = identity?.kind === 'key' ? identity.columns : []
  const referencing = referencingColumns(references)
  const keys = relation.uniqueKeys.filter(
    (key) => isUsable(key) && key.columns.every((name) => !isNullable(relation, name)),
  )
  const key =
    keys.find((each) => each.isPrimary) ??
    keys.find((each) => each.columns.some((name) => isFilled(relation, name, each)))
  if (key === undefined) return []
  return key.columns.filter((name) => {
    if (identityColumns.includes(name) || referencing.has(name)) return false
    const isUnfilledId =
      key.isPrimary && key.columns.length === 1 && (identity?.reason === CONFIGURED || isId(relation, name))
    return isFilled(relation, name, key) || (identityColumns.length > 0 && isUnfilledId)
  })
}

interface Facts {
  readonly relation: Relation
  readonly referencing: ReadonlySet<string>
}

function configuredIdentity(
  { relation, label, settings }: Candidate,
  references: readonly FoundReference[],
  problems: string[],
): Identity | null {
  const reason = CONFIGURED
  if (settings.owner === null) return { kind: 'content', owner: null, reason }
  if (settings.owner !== undefined) {
    const owner = settings.owner
    if (references.some((each) => each.columns.includes(owner) && each.shape === 'value'))
      return { kind: 'content', owner, reason }
    problems.push(`relations.${label}.owner: ${owner} is not a column that refers to another relation`)
    return null
  }
  if (settings.identity === undefined) return null
  if (settings.identity === 'content') return ownedContent({ relation, label, settings }, references, problems)
  if (settings.identity === 'origin') {
    const columns = settings.surrogate ?? surrogateColumns(relation, references, null)
    if (columns.length > 0) return { kind: 'origin', columns, reason }
    problems.push(`relations.${label}.identity: 'origin' needs a surrogate key, and ${label} has none`)
    return null
  }
  const unknown = settings.identity.filter((name) => !relation.columns.some((column) => column.name === name))
  for (const name of unknown) problems.push(`relations.${label}.identity: ${label} has no column ${name}`)
  const generated = settings.identity.filter((name) => columnOf(relation, name)?.isGenerated === true)
  for (const name of generated)
    problems.push(`relations.${label}.identity: ${name} is a generated column, which does not travel`)
  if (unknown.length > 0 || generated.length > 0) return null
  return { kind: 'key', columns: settings.identity, reason }
}

/** A child that says it is one belongs to the only row that it refers to; where there are several, somebody has to say to which. */
function ownedContent(
  { relation, label }: Candidate,
  references: readonly FoundReference[],
  problems: string[],
): Identity {
  const above = references.filter(
    (each) =>
      each.shape === 'value' &&
      each.field === null &&
      each.targets.some((target) => target.relation.oid !== relation.oid),
  )
  const columns = relation.columns
    .map(({ name }) => name)
    .filter((name) => above.some((each) => each.columns.includes(name)))
  const [only] = columns
  if (columns.length > 1) {
    const choices = columns.map((name) => `'${name}'`).join(' or ')
    problems.push(
      `relations.${label}.owner: ${columns.join(' and ')} both refer to rows that could own these; say owner: ${choices}, or null where none does`,
    )
  }
  return { kind: 'content', owner: columns.length === 1 && only !== undefined ? only : null, reason: CONFIGURED }
}

function knownColumnKey({ relation }: Facts, settings: ModelSettings): Identity | null {
  for (const name of settings.identityColumns) {
    const key = relation.uniqueKeys.find(
      (each) => isUsable(each) && each.columns.length === 1 && each.columns[0] === name,
    )
    const column = columnOf(relation, name)
    if (key !== undefined && column !== undefined && !isFilled(relation, name, key) && !column.isGenerated) {
      return { kind: 'key', columns: [name], reason: `unique identity column ${name}` }
    }
  }
  return null
}

function naturalPrimaryKey({ relation, referencing }: Facts): Identity | null {
  const key = relation.uniqueKeys.find((each) => each.isPrimary && isUsable(each))
  if (key === undefined || !isNatural(relation, key, referencing)) return null
  return { kind: 'key', columns: key.columns, reason: 'primary key that nothing generates' }
}

function naturalUniqueKey({ relation, referencing }: Facts): Identity | null {
  const keys = relation.uniqueKeys.filter(
    (key) =>
      isUsable(key) &&
      isNatural(relation, key, referencing) &&
      key.columns.every((name) => !isNullable(relation, name)),
  )
  const [best] = keys.toSorted(
    (a, b) =>
      Number(isPlace(relation, a, referencing)) - Number(isPlace(relation, b, referencing)) ||
      Number(b.isConstraint) - Number(a.isConstraint) ||
      a.columns.length - b.columns.length,
  )
  return best === undefined ? null : { kind: 'key', columns: best.columns, reason: `unique key ${best.name}` }
}

/** Whether a key rather says where a row stands than which it is, and rows change places: one that may be deferred, or of a number alone. */
function isPlace(relation: Relation, key: UniqueKey, referencing: ReadonlySet<string>): boolean {
  const [only = ''] = key.columns
  const column = columnOf(relation, only)
  const isNumber = key.columns.length === 1 && column !== undefined && isNumberColumn(column) && !referencing.has(only)
  return key.isDeferrable || isNumber
}

/** Partial, expression and invalid indexes never give an identity by themselves. */
function isUsable(key: UniqueKey): boolean {
  return key.isValid && !key.isPartial && !key.hasExpressions && key.columns.length > 0
}

function isNatural(relation: Relation, key: UniqueKey, referencing: ReadonlySet<string>): boolean {
  return key.columns.every((name) => {
    const column = columnOf(relation, name)
    return column !== undefined && !column.isGenerated && (referencing.has(name) || !isFilled(relation, name, key))
  })
}

/**
 * Whether the database makes up the value of a key's column: a sequence, an identity column, a default that differs for each row. Among several columns a
 * function of the schema's own does not count: as a rule it tells the tenant. A time is what happened, whatever the default.
 */
function isFilled(relation: Relation, name: string, key: UniqueKey): boolean {
  const column = columnOf(relation, name)
  if (column === undefined) return false
  if (column.sequence !== null || column.identity !== null) return true
  if (column.defaultMakes === null || /^(timestamp|date|time)/.test(column.baseType)) return false
  return column.defaultMakes === 'random' || key.columns.length === 1
}

/** Whether a column is an id by its name or type. Any other key that nothing fills tells something: an account's number, a country's code. */
function isId(relation: Relation, name: string): boolean {
  return /(^|_)id$/i.test(name) || columnOf(relation, name)?.baseType === 'uuid'
}

function isNullable(relation: Relation, name: string): boolean {
  return columnOf(relation, name)?.isNullable ?? true
}

function columnOf(relation: Relation, name: string): Column | undefined {
  return relation.columns.find((column) => column.name === name)
}

/** Columns that a foreign key or a declaration binds to rows of a relation: their values are never this relation's own surrogate. */
function referencingColumns(references: readonly FoundReference[]): Set<string> {
  return new Set(
    references.filter((each) => each.shape === 'value' && each.field === null).flatMap((each) => each.columns),
  )
}

/** Whether new rows take this key from the archive, because nothing else fills it. */
export function isTakenFromArchive(column: Column): boolean {
  return column.identity === null && column.default === null && !isNumberColumn(column)
}

/** Whether the next value of a column can be told by counting on. */
export function isNumberColumn(column: Column): boolean {
  return /^(smallint|integer|bigint|numeric)/.test(column.baseType)
}
