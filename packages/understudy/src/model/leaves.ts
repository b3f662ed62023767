import {
  type ContentColumn,
  type ContentModel,
  type ContentRelation,
  type Encoding,
  isVarying,
  type RelationName,
  relationLabel,
  relationOf,
} from './model.js'
import { catalogRelation, type SqlContext } from './sql-context.js'

/** One plain value of an identity, references resolved down to it. */
export interface Leaf {
  /** How it came here, for messages: `project_id.slug`. */
  readonly path: string
  readonly type: string
  readonly encoding: Encoding
  readonly isNullable: boolean
  /** Whether it is the JSON of a whole identity: of a reference whose target varies by row, and with it what an identity is made of. */
  readonly isDocument?: boolean
  /** The column that it is; null for an origin, a digest, a number among equals. */
  readonly column: { readonly relation: RelationName; readonly name: string } | null
}

/**
 * The plain values that make up a relation's identity: a key's columns, with every reference among them replaced by the leaves of its target;
 * one text for an origin. A relation known by its content has none.
 */
export function leavesOf(model: ContentModel, relation: ContentRelation): Leaf[] {
  switch (relation.identity.kind) {
    case 'origin':
      return [{ path: 'origin', type: 'text', encoding: 'json', isNullable: false, column: null }]
    case 'content':
      return contentLeaves(model, relation)
    case 'key':
      return relation.identity.columns.flatMap((name) => {
        const column = relation.columns.find((each) => each.name === name)
        if (column === undefined) throw new Error(`${relationLabel(relation)} has no column ${name}`)
        return keyLeaves(model, relation, column)
      })
  }
}

/** The leaves of one column of a key. */
export function keyLeaves(model: ContentModel, relation: ContentRelation, column: ContentColumn): Leaf[] {
  const { name, type, encoding, isNullable, translation } = column
  const [target] = translation?.alternatives ?? []
  if (target === undefined) return [{ path: name, type, encoding, isNullable, column: { relation, name } }]
  if (translation === undefined || isVarying(translation))
    return [{ path: name, type: 'text', encoding: 'json', isNullable, isDocument: true, column: null }]
  return leavesOf(model, relationOf(model, target.target)).map((leaf) => ({
    ...leaf,
    path: `${name}.${leaf.path}`,
    isNullable: leaf.isNullable || isNullable,
  }))
}

/** The owner's leaves, a digest of the row with all that it owns, and a number among equals. */
function contentLeaves(model: ContentModel, relation: ContentRelation): Leaf[] {
  const owner = relation.identity.kind === 'content' ? relation.identity.owner : null
  const column = relation.columns.find((each) => each.name === owner)
  const [target] = column?.translation?.alternatives ?? []
  const above = target === undefined ? [] : leavesOf(model, relationOf(model, target.target))
  return [
    ...above.map((leaf) => ({ ...leaf, path: `${owner}.${leaf.path}` })),
    { path: 'digest', type: 'text', encoding: 'json', isNullable: false, column: null },
    { path: 'n', type: 'bigint', encoding: 'json', isNullable: false, column: null },
  ]
}

/** The type of a column as the database at hand has it. */
export function columnType(context: SqlContext, relation: ContentRelation, name: string): string {
  return catalogRelation(context, relation).columns.find((column) => column.name === name)?.type ?? 'text'
}
