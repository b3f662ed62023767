/** A relation by its two names. */
export interface RelationName {
  readonly schema: string
  readonly name: string
}

/** What a database holds that travels: every content relation with its identity and its references. Plain data: it stands in an archive's index. */
export interface ContentModel {
  /** In order of schema and name. */
  readonly relations: readonly ContentRelation[]
}

export interface ContentRelation extends RelationName {
  readonly identity: Identity
  /** Columns whose values mean something in this database only: they travel as `master_id`, outside the canonical line. */
  readonly surrogate: readonly string[]
  /** The columns of a record, in the order of its line. Neither generated nor surrogate. */
  readonly columns: readonly ContentColumn[]
  readonly references: readonly Reference[]
}

/**
 * What makes a row the same row in every database.
 * - `key`: the values of `columns`, a reference among them standing for the identity of its target.
 * - `origin`: where the row was born, `<instance>:<surrogate key>`; `columns` are the surrogate key.
 * - `content`: the row's whole content, under its owner (`owner` names the owning column) or alone (`owner` null). Equal rows are counted.
 */
export type Identity =
  | { readonly kind: 'key'; readonly columns: readonly string[]; readonly reason: string }
  | { readonly kind: 'origin'; readonly columns: readonly string[]; readonly reason: string }
  | { readonly kind: 'content'; readonly owner: string | null; readonly reason: string }

export interface ContentColumn {
  readonly name: string
  /** The column's key in a record: its name, escaped where that is reserved (`master_id`, `$…`). */
  readonly key: string
  /** As `format_type` writes it, qualified: `numeric(10,2)`, `public.mood`. */
  readonly type: string
  readonly encoding: Encoding
  readonly isNullable: boolean
  /** Set where the value travels as the identity of the row that it points to. */
  readonly translation?: Translation | undefined
  /** The attributes of a composite value, where one of them points to rows: the value then travels as a JSON object. */
  readonly fields?: readonly Field[] | undefined
  /** An SQL expression of the configuration that stands in for the value. */
  readonly mask?: string | undefined
}

export interface Field {
  readonly name: string
  readonly type: string
  readonly encoding: Encoding
  readonly translation?: Translation | undefined
}

/**
 * How a value travels in a line:
 * - `json`: as `to_json` writes it (booleans, numbers, texts, dates);
 * - `array`: a JSON array of such values, or the text of its output function where a bound is not 1;
 * - `jsonb`: the JSON itself, JSON null escaped as `{"$json":null}`;
 * - `text`: the text of its output function, by a plain cast; `output`: the same where a cast to text does something else;
 * - `document`: the text of a `json` value, staged as text and cast;
 * - `money`: as numeric.
 */
export type Encoding = 'json' | 'array' | 'jsonb' | 'text' | 'output' | 'document' | 'money'

/** How a value that names a row of this database becomes the identity of that row, and back. */
export interface Translation {
  /** One value, an SQL array of them, or a JSON array of them. */
  readonly shape: 'value' | 'array' | 'jsonb array'
  /** The column that decides which alternative holds, for a reference whose target varies by row. */
  readonly discriminator: string | null
  readonly alternatives: readonly Alternative[]
  readonly onDangling: 'fail' | 'null'
  /** Values, as text, that stand for no row and travel as they are. */
  readonly none?: readonly string[] | undefined
}

export interface Alternative {
  /** The discriminator's value, or null where there is none. */
  readonly when: string | null
  readonly target: RelationName
  readonly targetColumn: string
  /** True where the two columns are of different types, so that their texts are compared. */
  readonly isTextual: boolean
  /** The pairs of columns that find the target's row. The translated column's own pair is among them. */
  readonly join: readonly JoinPair[]
}

export interface JoinPair {
  readonly column: string
  readonly targetColumn: string
}

/**
 * Whether the value may point to no row and stand there all the same: the key that it belongs to is null in another column, the column that decides
 * says that it is none of the declared references, or the value itself says that there is none.
 */
export function canBeBare(translation: Translation): boolean {
  const { shape, alternatives } = translation
  return shape === 'value' && (isVarying(translation) || alternatives.some((each) => each.join.length > 1))
}

/** Whether the rows of a relation may hold different kinds of values here. In an identity such a value is one leaf, its JSON. */
export function isVarying({ discriminator, none = [] }: Translation): boolean {
  return discriminator !== null || none.length > 0
}

/** Columns that point to rows of another relation, by a constraint or by declaration. */
export interface Reference {
  /** The constraint's name, or the declared path `column` or `column.field`. */
  readonly name: string
  readonly kind: 'foreign key' | 'declared'
  readonly columns: readonly string[]
  readonly target: RelationName
  readonly targetColumns: readonly string[]
  readonly shape: Translation['shape']
  /** True where the target's row may not exist yet when this row is written: a cycle, or the relation itself. */
  readonly isLate: boolean
  readonly isNullable: boolean
}

/** One text per relation, fit for a map's key and for messages: `users`, `stage.users`; quoted where a name needs it. */
export function relationLabel(relation: RelationName): string {
  const name = plainName.test(relation.name) ? relation.name : JSON.stringify(relation.name)
  if (relation.schema === 'public') return name
  return `${plainName.test(relation.schema) ? relation.schema : JSON.stringify(relation.schema)}.${name}`
}

const plainName = /^[^\s".]+$/

/** The relation of that name; a model is whole, so it must be there. */
export function relationOf(model: ContentModel, name: RelationName): ContentRelation {
  const found = findRelation(model, name)
  if (found === undefined) throw new Error(`${relationLabel(name)} is not in the model`)
  return found
}

export function findRelation(model: ContentModel, name: RelationName): ContentRelation | undefined {
  let index = indexes.get(model)
  if (index === undefined) {
    index = new Map(model.relations.map((relation) => [relationLabel(relation), relation]))
    indexes.set(model, index)
  }
  return index.get(relationLabel(name))
}

/**
 * Whether other rows refer to rows of this relation although it is known by its content. Such a row is named by a digest of all that it owns,
 * and its record carries that name.
 */
export function isNamedContent(model: ContentModel, relation: ContentRelation): boolean {
  if (relation.identity.kind !== 'content') return false
  const label = relationLabel(relation)
  return model.relations.some((each) => each.columns.some((column) => translationTargets(column).includes(label)))
}

/** The relations known by their content whose rows are owned by rows of this one, each with its owning column. */
export function ownedRelations(
  model: ContentModel,
  owner: ContentRelation,
): { readonly relation: ContentRelation; readonly column: ContentColumn }[] {
  return model.relations.flatMap((relation) => {
    const { identity } = relation
    if (identity.kind !== 'content' || identity.owner === null) return []
    const column = relation.columns.find((each) => each.name === identity.owner)
    if (column === undefined || !translationTargets(column).includes(relationLabel(owner))) return []
    return [{ relation, column }]
  })
}

function translationTargets(column: ContentColumn): string[] {
  const translations = [column.translation, ...(column.fields ?? []).map((field) => field.translation)]
  return translations.flatMap((each) => each?.alternatives ?? []).map((each) => relationLabel(each.target))
}

const indexes = new WeakMap<ContentModel, Map<string, ContentRelation>>()
