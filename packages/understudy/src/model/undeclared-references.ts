import type { Catalog, Column } from '../catalog/catalog.js'
import type { Settings } from '../config/settings.js'
import { type ContentModel, type ContentRelation, relationLabel } from './model.js'
import { resolveNone } from './references.js'
import { createSqlContext } from './sql-context.js'

/** A column that is called like a reference, and that neither a foreign key nor the configuration says anything about. */
export interface UndeclaredReference {
  readonly relation: string
  readonly column: string
  /** The name of the relation that it seems to mean; null where none is called so. */
  readonly guess: string | null
  /** Whether it seems to hold ids, which mean other rows elsewhere: of the relation guessed, or of that which a column beside it names (`owner_type`). */
  readonly holdsIds: boolean
}

/** By relation and column, in the model's order. Looks at the catalog only, not at rows. */
export function findUndeclaredReferences(
  catalog: Catalog,
  model: ContentModel,
  settings: Pick<Settings, 'references'>,
): UndeclaredReference[] {
  const { relations } = createSqlContext(catalog, model, null)
  const names = new Set(model.relations.map((relation) => relation.name))
  const settled = columnsWithoutReference(catalog, settings)
  return model.relations.flatMap((relation) => {
    const columns = relations.get(relationLabel(relation))?.columns ?? []
    return columns.flatMap((column) => {
      const stem = stemOf(relation, column)
      if (stem === null || settled.has(column)) return []
      const guess = targetNamed(stem, names)
      const holdsIds =
        !/_xmlid$/i.test(column.name) && (guess !== null || columns.some(({ name }) => name === `${stem}_type`))
      return [{ relation: relationLabel(relation), column: column.name, guess, holdsIds }]
    })
  })
}

export function describeUndeclared({ guess }: Pick<UndeclaredReference, 'guess'>): string {
  const perhaps = guess === null ? '' : `, perhaps to ${guess}`
  return `looks like a reference${perhaps}, but nothing declares it: its value travels as it is`
}

/** `user` of `user_id`, where that is no reference and no key. */
function stemOf(relation: ContentRelation, { name, isGenerated }: Column): string | null {
  const { identity } = relation
  const isOwnKey = identity.kind === 'key' && identity.columns.length === 1 && identity.columns[0] === name
  const isReference = relation.references.some((each) => each.columns.includes(name))
  if (isGenerated || isOwnKey || isReference || relation.surrogate.includes(name)) return null
  return /^(.+?)_(id|ids|xmlid)$/i.exec(name)?.[1] ?? null
}

/** The columns that the configuration says to be no references. */
function columnsWithoutReference(catalog: Catalog, { references }: Pick<Settings, 'references'>): Set<Column> {
  const places = Object.keys(references)
    .filter((path) => references[path] === false)
    .map((path) => resolveNone(catalog, path))
  return new Set(places.flatMap((place) => (typeof place === 'string' ? [] : [place.column])))
}

/** `user` -> `users`, `category` -> `categories`, `status` -> `status`. */
function targetNamed(stem: string, names: ReadonlySet<string>): string | null {
  const candidates = [stem, `${stem}s`, `${stem}es`, stem.replace(/y$/, 'ies')]
  return candidates.find((each) => names.has(each)) ?? null
}
