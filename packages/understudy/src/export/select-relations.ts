import { baseTypeOf, type Catalog } from '../catalog/catalog.js'
import { UnderstudyError } from '../errors.js'
import type { BuiltModel } from '../model/build-model.js'
import { toPattern } from '../model/content-relations.js'
import { type ContentModel, type ContentRelation, relationLabel, relationOf } from '../model/model.js'

/** The relations that an export takes, and what the reader of the archive should know about them. */
export interface Selected {
  readonly relations: readonly ContentRelation[]
  readonly warnings: readonly string[]
}

/** Applies `--only` and `--exclude`. A pattern that names nothing is an error: it is a slip of the pen. */
export function selectRelations(
  catalog: Catalog,
  built: BuiltModel,
  {
    only = [],
    exclude = [],
  }: { readonly only?: readonly string[] | undefined; readonly exclude?: readonly string[] | undefined },
): Selected {
  const all = built.model.relations
  const unknown = [...only, ...exclude].filter((pattern) => !all.some((relation) => isNamed(relation, pattern)))
  if (unknown.length > 0) {
    throw new UnderstudyError('SELECTION_UNKNOWN', `no content relation is called ${unknown.join(', ')}`, {
      detail: `content relations are: ${all.map(relationLabel).join(', ') || 'none'}`,
      hint: 'See `understudy inspect` for the names. A relation outside the schema public is named schema.table.',
    })
  }
  const relations = all.filter(
    (relation) =>
      (only.length === 0 || only.some((pattern) => isNamed(relation, pattern))) &&
      !exclude.some((pattern) => isNamed(relation, pattern)),
  )
  refuseServerValues(catalog, relations)
  refuseLargeObjects(catalog, relations)
  return { relations, warnings: leftOutTargets(relations) }
}

/** The relations selected, and those whose rows their references name. */
export function relationsRead(model: ContentModel, selected: readonly ContentRelation[]): ContentRelation[] {
  const read = new Set<ContentRelation>()
  const add = (relation: ContentRelation) => {
    if (read.has(relation)) return
    read.add(relation)
    for (const column of relation.columns) {
      const translations = [column.translation, ...(column.fields ?? []).map((field) => field.translation)]
      for (const alternative of translations.flatMap((each) => each?.alternatives ?? [])) {
        add(relationOf(model, alternative.target))
      }
    }
  }
  for (const relation of selected) add(relation)
  return [...read]
}

function isNamed(relation: ContentRelation, pattern: string): boolean {
  const regex = toPattern(pattern)
  return regex.test(relation.name) || regex.test(`${relation.schema}.${relation.name}`)
}

/** What a selection leaves out but the content refers to travels as identity only. */
function leftOutTargets(relations: readonly ContentRelation[]): string[] {
  const taken = new Set(relations.map(relationLabel))
  return relations.flatMap((relation) =>
    relation.references
      .filter((reference) => !taken.has(relationLabel(reference.target)))
      .map(
        (reference) =>
          `${relationLabel(relation)}.${reference.columns.join(', ')} refers to ${relationLabel(reference.target)}, which is not in the archive: its rows travel as identities only`,
      ),
  )
}

/** Types whose values mean something inside one server, at one time, only. */
const SERVER_TYPES = new Set(['xid', 'xid8', 'cid', 'tid', 'pg_snapshot', 'txid_snapshot'])

function refuseServerValues(catalog: Catalog, relations: readonly ContentRelation[]): void {
  const isRefused = (oid: number): boolean => {
    const type = catalog.types.get(oid)
    if (type === undefined) return false
    if (type.schema === 'pg_catalog' && SERVER_TYPES.has(type.name)) return true
    const parts = [type.element, type.base, ...type.attributes.map((attribute) => attribute.typeOid)]
    return parts.some((part) => part !== null && isRefused(part))
  }
  const concerned = columnsOf(catalog, relations).filter(({ typeOid }) => isRefused(typeOid))
  if (concerned.length === 0) return
  throw new UnderstudyError(
    'VALUES_CANNOT_TRAVEL',
    `${concerned.length} columns hold values that mean something inside this server only`,
    {
      detail: concerned.map(({ label, type }) => `${label}: ${type}`).join('\n'),
      hint: 'Exclude these relations, or keep such values in a column of another type.',
    },
  )
}

function columnsOf(
  catalog: Catalog,
  relations: readonly ContentRelation[],
): { label: string; type: string; typeOid: number }[] {
  return relations.flatMap((relation) => {
    const found = catalog.relations.find((each) => each.schema === relation.schema && each.name === relation.name)
    return relation.columns.flatMap((column) => {
      const facts = found?.columns.find((each) => each.name === column.name)
      return facts === undefined
        ? []
        : [{ label: `${relationLabel(relation)}.${column.name}`, type: facts.type, typeOid: facts.typeOid }]
    })
  })
}

/** Of a large object only its number would travel. */
function refuseLargeObjects(catalog: Catalog, relations: readonly ContentRelation[]): void {
  if (!catalog.hasLargeObjects) return
  const concerned = columnsOf(catalog, relations)
    .filter(({ typeOid }) => ['oid', 'lo'].includes(baseTypeOf(catalog, typeOid).name))
    .map(({ label }) => label)
  if (concerned.length === 0) return
  throw new UnderstudyError('LARGE_OBJECTS', `large objects cannot travel: ${concerned.join(', ')}`, {
    detail: 'The database holds large objects, and these columns hold their numbers.',
    hint: 'Move the objects into bytea columns, or exclude these relations.',
  })
}
