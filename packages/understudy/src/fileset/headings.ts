import { didYouMean } from '../config/did-you-mean.js'
import { UnderstudyError } from '../errors.js'
import { isTakenFromArchive } from '../model/choose-identity.js'
import { type Leaf, leavesOf } from '../model/leaves.js'
import {
  type ContentColumn,
  type ContentModel,
  type ContentRelation,
  canBeBare,
  isNamedContent,
  type Reference,
  relationLabel,
  relationOf,
} from '../model/model.js'
import { DIGEST_KEY, NUMBER_KEY, ORIGIN_KEY } from '../model/record-keys.js'
import { catalogRelation, type SqlContext } from '../model/sql-context.js'

/** What the cells under a heading are. */
export type Cell =
  /** The value of a column, as text; `reference` where the heading names it as one, and nothing else watches it. */
  | { readonly kind: 'value'; readonly column: ContentColumn; readonly reference?: Reference | undefined }
  /** One leaf of the identity of the row that a column points to. */
  | { readonly kind: 'leaf'; readonly column: ContentColumn; readonly leaf: Leaf; readonly position: number }
  /** The identities of several rows, in the elements of an array. */
  | { readonly kind: 'elements'; readonly column: ContentColumn; readonly leaves: readonly Leaf[] }
  /** JSON as it stands in a record: composites, references whose target varies. */
  | { readonly kind: 'json'; readonly column: ContentColumn }
  /** What a record says of its own identity beside its columns. */
  | { readonly kind: 'own'; readonly key: string; readonly type: string }
  /** A surrogate key that nothing fills, so that it comes along. */
  | { readonly kind: 'master' }
  /** The identities of several rows that another relation links with this one. */
  | { readonly kind: 'links'; readonly through: Through; readonly leaves: readonly Leaf[] }

/** A relation whose rows link two others. */
export interface Through {
  readonly relation: ContentRelation
  /** Points to the row of the file. */
  readonly owner: ContentColumn
  /** Points to the rows in the cell. */
  readonly column: ContentColumn
}

const IDENTITY = 'identity'
/** The row's own identity, or that of the row pointed to, where it is one value. */
const ID = 'id'

/** The headings under which a relation is written, each with its cell; `readHeading` understands all of them. */
export function headingsOf(context: SqlContext, relation: ContentRelation): { heading: string; cell: Cell }[] {
  const columns = relation.columns.flatMap((column) => columnHeadings(context.model, column))
  return [...ownHeadings(context, relation), ...columns]
}

function ownHeadings(context: SqlContext, relation: ContentRelation): { heading: string; cell: Cell }[] {
  const own = (key: string, type: string) => ({ heading: key, cell: { kind: 'own', key, type } as const })
  const master = takenKey(context, relation)
  return [
    ...(master === null ? [] : [{ heading: master, cell: { kind: 'master' } as const }]),
    ...(relation.identity.kind === 'origin' ? [own(ORIGIN_KEY, 'text')] : []),
    ...(isNamedContent(context.model, relation) ? [own(DIGEST_KEY, 'text'), own(NUMBER_KEY, 'bigint')] : []),
  ]
}

function columnHeadings(model: ContentModel, column: ContentColumn): { heading: string; cell: Cell }[] {
  const { key, translation } = column
  if (translation === undefined) {
    return [{ heading: key, cell: { kind: column.fields === undefined ? 'value' : 'json', column } }]
  }
  const leaves = targetLeaves(model, column)
  const isPlain = translation.discriminator === null && leaves !== null
  if (isPlain && translation.shape !== 'value') {
    const path = leaves.length === 1 ? pathOf(leaves[0]) : IDENTITY
    return [{ heading: `${key}/${path}`, cell: { kind: 'elements', column, leaves } }]
  }
  if (!isPlain || canBeBare(translation)) return [{ heading: `${key}/${IDENTITY}`, cell: { kind: 'json', column } }]
  return leaves.map((leaf, position) => ({
    heading: `${key}/${pathOf(leaf)}`,
    cell: { kind: 'leaf', column, leaf, position },
  }))
}

/** The surrogate key that a new row takes from the source, because nothing in the target fills it; null where there is none. */
export function takenKey(context: SqlContext, relation: ContentRelation): string | null {
  const [name, ...others] = relation.surrogate
  const column = catalogRelation(context, relation).columns.find((each) => each.name === name)
  if (name === undefined || column === undefined || others.length > 0) return null
  return isTakenFromArchive(column) ? name : null
}

/** What stands under a heading, or what is wrong with it. `isJson`: a reference may stand under its bare name, as in a record. */
export function readHeading(
  context: SqlContext,
  relation: ContentRelation,
  heading: string,
  options: { readonly isJson?: boolean; readonly through?: ContentRelation | undefined } = {},
): Cell | string {
  if (options.through !== undefined) return linkCell(context, relation, heading, [options.through])
  const written = headingsOf(context, relation).find((each) => each.heading === heading)
  if (written !== undefined) return written.cell
  const [name = '', ...path] = heading.split('/')
  const column = relation.columns.find((each) => each.key === name || each.name === name)
  if (column === undefined) {
    if (heading === ID) return ownIdentity(context, relation)
    const links = path.length === 0 ? 'none' : linkCell(context, relation, heading, context.model.relations)
    return typeof links === 'string' ? unknownHeading(context, relation, heading) : links
  }
  if (column.translation !== undefined) return readReference(context, relation, column, path, options.isJson === true)
  if (path.length === 0) return { kind: column.fields === undefined ? 'value' : 'json', column }
  const references = naturalReferences(relation, column, path.join('/'))
  const [reference, ...others] = references.filter(({ kind }) => kind === 'declared')
  return references.length > 0
    ? { kind: 'value', column, reference: others.length === 0 ? reference : undefined }
    : `${relationLabel(relation)}.${name} points to no row by ${path.join('/')}`
}

function readReference(
  context: SqlContext,
  relation: ContentRelation,
  column: ContentColumn,
  path: readonly string[],
  isJson: boolean,
): Cell | string {
  const written = columnHeadings(context.model, column)
  const leaves = targetLeaves(context.model, column)
  const wanted = path.join('/')
  if (wanted === IDENTITY || (wanted === '' && isJson)) return { kind: 'json', column }
  const leaf = leaves?.findIndex((each) => pathOf(each) === wanted || (wanted === ID && leaves.length === 1)) ?? -1
  const found = leaves?.[leaf]
  if (leaves !== null && found !== undefined) {
    return column.translation?.shape === 'value'
      ? { kind: 'leaf', column, leaf: found, position: leaf }
      : { kind: 'elements', column, leaves }
  }
  const names = written.map((each) => each.heading).join(', ')
  return `${relationLabel(relation)}.${column.name} refers to rows, which are named by ${names}`
}

/** `id`: the one value that identifies the row. */
function ownIdentity(context: SqlContext, relation: ContentRelation): Cell | string {
  const [name, ...others] = relation.identity.kind === 'key' ? relation.identity.columns : []
  const column = relation.columns.find((each) => each.name === name)
  if (column !== undefined && others.length === 0) {
    const [first, ...rest] = columnHeadings(context.model, column)
    if (first !== undefined && rest.length === 0) return first.cell
  }
  return `the identity of ${relationLabel(relation)} is not one value; its headings are ${identityHeadings(context, relation).join(', ')}`
}

function identityHeadings(context: SqlContext, relation: ContentRelation): string[] {
  const { identity } = relation
  if (identity.kind !== 'key') return ownHeadings(context, relation).map(({ heading }) => heading)
  return relation.columns
    .filter((column) => identity.columns.includes(column.name))
    .flatMap((column) => columnHeadings(context.model, column).map(({ heading }) => heading))
}

/** A foreign key or declared reference over values that are the same everywhere: `tld/name` or `tld/id` is the value itself. */
function naturalReferences(relation: ContentRelation, column: ContentColumn, wanted: string): Reference[] {
  return relation.references.filter((reference) => {
    const position = reference.columns.indexOf(column.name)
    if (position < 0 || reference.name.includes('.')) return false
    return wanted === ID ? reference.columns.length === 1 : reference.targetColumns[position] === wanted
  })
}

/** `b_id/id` in a file of rows of a, where a relation links a and b by its columns `a_id` and `b_id`. */
function linkCell(
  context: SqlContext,
  relation: ContentRelation,
  heading: string,
  candidates: readonly ContentRelation[],
): Cell | string {
  const [name = '', ...path] = heading.split('/')
  const found = candidates.flatMap((through): Through[] => {
    const { identity } = through
    if (identity.kind !== 'key' || identity.columns.length !== 2) return []
    const [first, second] = identity.columns.map((each) => through.columns.find((column) => column.name === each))
    return [
      [first, second],
      [second, first],
    ].flatMap(([owner, column]) => {
      if (owner === undefined || column === undefined || !pointsTo(owner, relation)) return []
      return column.name === name || candidates.length === 1 ? [{ relation: through, owner, column }] : []
    })
  })
  const [through, ...others] = found
  const leaves = through === undefined ? null : targetLeaves(context.model, through.column)
  if (through === undefined || others.length > 0 || leaves === null) return 'nothing links it'
  const isNamed = leaves.length === 1 && [ID, pathOf(leaves[0])].includes(path.join('/'))
  if (!isNamed) return `${relationLabel(through.relation)}.${through.column.name} is named by one value alone`
  return { kind: 'links', through, leaves }
}

function pointsTo({ translation }: ContentColumn, relation: ContentRelation): boolean {
  const [alternative, ...others] = translation?.alternatives ?? []
  return (
    alternative !== undefined &&
    others.length === 0 &&
    translation?.shape === 'value' &&
    relationLabel(alternative.target) === relationLabel(relation)
  )
}

/** The leaves of the one relation that a column points to; null where there are several. */
export function targetLeaves(model: ContentModel, { translation }: ContentColumn): readonly Leaf[] | null {
  const [alternative, ...others] = translation?.alternatives ?? []
  if (alternative === undefined || others.length > 0) return null
  return leavesOf(model, relationOf(model, alternative.target))
}

function pathOf(leaf: Leaf | undefined): string {
  if (leaf === undefined) throw new UnderstudyError('SESSION_MISUSED', 'an identity without a value')
  return leaf.path.replaceAll('.', '/')
}

function unknownHeading(context: SqlContext, relation: ContentRelation, heading: string): string {
  const guess = didYouMean(
    heading,
    headingsOf(context, relation).map((each) => each.heading),
  )
  return `${relationLabel(relation)} has no such column${guess === undefined ? '' : `; perhaps ${guess}`}`
}
