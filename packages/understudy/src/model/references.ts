import type { Catalog, Column, Relation } from '../catalog/catalog.js'
import type { ReferenceConfig } from '../config/define-config.js'
import { findColumnPath, shapeOf, typeAt } from './column-path.js'
import type { Candidate } from './content-relations.js'
import { relationLabel, type Translation } from './model.js'
import { noneValues } from './none-values.js'
import type { ModelSettings } from './settings.js'

/** A reference as found, its target still a relation of the catalog. */
export interface FoundReference {
  readonly name: string
  readonly kind: 'foreign key' | 'declared'
  readonly columns: readonly string[]
  /** The attribute of a composite column, for a declared one inside it. */
  readonly field: string | null
  readonly shape: Translation['shape']
  readonly discriminator: string | null
  readonly onDangling: 'fail' | 'null'
  /** Values, as text, that stand for no row. */
  readonly none?: readonly string[] | undefined
  /** One for a foreign key, several where a discriminator chooses. */
  readonly targets: readonly FoundTarget[]
}

export interface FoundTarget {
  readonly when: string | null
  readonly relation: Relation
  readonly columns: readonly string[]
}

/** All references of the content relations, by the oid of the relation that holds them. Refused constraints become problems. */
export function findReferences(
  catalog: Catalog,
  candidates: readonly Candidate[],
  settings: ModelSettings,
  problems: string[],
): Map<number, FoundReference[]> {
  const byOid = new Map(catalog.relations.map((relation) => [relation.oid, relation]))
  const found = new Map<number, FoundReference[]>()
  const { bareKeys = new Set() } = settings
  for (const { relation, label } of candidates) {
    found.set(relation.oid, foreignKeyReferences(relation, { label, byOid, bareKeys }, problems))
  }
  refusePartitionKeys(byOid, { candidates: found, bareKeys }, problems)
  for (const [path, declared] of Object.entries(settings.references)) {
    if (declared === false) {
      const place = resolveNone(catalog, path)
      if (typeof place === 'string') problems.push(`references.${path}: ${place}`)
      continue
    }
    const reference = resolveDeclared(catalog, path, declared)
    if (typeof reference === 'string') problems.push(`references.${path}: ${reference}`)
    else found.get(reference.owner.oid)?.push(reference.reference)
  }
  return found
}

interface Surroundings {
  readonly byOid: ReadonlyMap<number, Relation>
  readonly bareKeys: ReadonlySet<number>
}

function foreignKeyReferences(
  relation: Relation,
  { label, byOid, bareKeys }: Surroundings & { readonly label: string },
  problems: string[],
): FoundReference[] {
  const references: FoundReference[] = []
  for (const key of relation.foreignKeys) {
    if (key.isInherited || bareKeys.has(key.oid)) continue
    const target = rootOf(byOid, byOid.get(key.target))
    if (key.isPeriod) problems.push(`${label}: foreign key ${key.name} is over a period, which cannot be carried over`)
    else if (!key.isEnforced)
      problems.push(`${label}: foreign key ${key.name} is not enforced, so its values cannot be trusted`)
    else if (target !== undefined) {
      references.push({
        name: key.name,
        kind: 'foreign key',
        columns: key.columns,
        field: null,
        shape: 'value',
        discriminator: null,
        onDangling: 'fail',
        targets: [{ when: null, relation: target, columns: key.targetColumns }],
      })
    }
  }
  return references
}

/** The rows of a partition travel with its root, which knows nothing of a foreign key that stands on the partition alone. */
function refusePartitionKeys(
  byOid: ReadonlyMap<number, Relation>,
  { candidates, bareKeys }: Pick<Surroundings, 'bareKeys'> & { readonly candidates: ReadonlyMap<number, unknown> },
  problems: string[],
): void {
  for (const relation of byOid.values()) {
    if (!relation.isPartition) continue
    const root = rootOf(byOid, relation)
    if (root === undefined || !candidates.has(root.oid)) continue
    for (const key of relation.foreignKeys.filter(({ isInherited, oid }) => !isInherited && !bareKeys.has(oid))) {
      problems.push(
        `${relationLabel(root)}: foreign key ${key.name} stands on its partition ${relationLabel(relation)} alone; declare it on the whole table`,
      )
    }
    if (relation.kind === 'foreign table') {
      problems.push(
        `${relationLabel(root)}: its partition ${relationLabel(relation)} is a foreign table, whose rows are elsewhere`,
      )
    }
  }
}

/** A partition's rows travel with its root. */
function rootOf(byOid: ReadonlyMap<number, Relation>, relation: Relation | undefined): Relation | undefined {
  if (relation === undefined || !relation.isPartition) return relation
  return rootOf(byOid, byOid.get(relation.parents[0] ?? 0))
}

/** The reference that a line of the configuration declares, or why there is none. */
export function resolveDeclared(
  catalog: Catalog,
  path: string,
  declared: ReferenceConfig,
): { owner: Relation; reference: FoundReference } | string {
  const place = findColumnPath(catalog, path)
  if (typeof place === 'string') return place
  const { relation, column, field } = place
  const targets: FoundTarget[] = []
  const wanted = typeof declared.to === 'string' ? [[null, declared.to] as const] : Object.entries(declared.to)
  for (const [when, to] of wanted) {
    const target = findColumnPath(catalog, to)
    if (typeof target === 'string') return `to ${to}: ${target}`
    targets.push({ when, relation: target.relation, columns: [target.column.name] })
  }
  const discriminator = declared.by ?? null
  if (discriminator !== null && !relation.columns.some((each) => each.name === discriminator)) {
    return `by ${discriminator}: ${relationLabel(relation)} has no such column`
  }
  const unfit = whyUnfit(catalog, column, field)
  if (unfit !== null) return unfit
  const shape = shapeOf(catalog, column, field)
  const none = noneValues(catalog, place, declared)
  if (typeof none === 'string') return none
  if (discriminator !== null && (field !== null || shape !== 'value'))
    return `by ${discriminator}: a column beside it decides about one value only, and this is ${field === null ? 'a list' : 'a field'}`
  return {
    owner: relation,
    reference: {
      name: field === null ? column.name : `${column.name}.${field}`,
      kind: 'declared',
      columns: [column.name],
      field,
      shape,
      discriminator,
      onDangling: declared.onDangling ?? 'fail',
      none,
      targets,
    },
  }
}

/** The column that a line of the configuration says to be no reference, or why it cannot. */
export function resolveNone(catalog: Catalog, path: string): { relation: Relation; column: Column } | string {
  const place = findColumnPath(catalog, path)
  if (typeof place === 'string') return place
  const { relation, column } = place
  const key = relation.foreignKeys.find(({ columns }) => columns.includes(column.name))
  if (key !== undefined) return `the foreign key ${key.name} says that it is a reference`
  return { relation, column }
}

/** Why values of a column, or of a field in it, are no references that can be carried over; null where they may be. */
function whyUnfit(catalog: Catalog, column: Column, field: string | null): string | null {
  const type = typeAt(catalog, column, field)
  const what = field === null ? column.name : `${column.name}.${field}`
  if (type.attributes.length > 0) return `${what} is a composite: name one of its fields, which cannot lie deeper`
  if (type.schema === 'pg_catalog' && /^(int2|oid)vector$/.test(type.name))
    return `${what} is of type ${type.name}, which cannot be carried over; make it an array`
  return null
}
