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
 * - `content`: the row's whole content, under its owner (`owner` names the reference) or alone (`owner` null). Equal rows are counted.
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
  /** An SQL expression of the configuration that stands in for the value, or absent. */
  readonly mask?: string | undefined
}

/**
 * How a value travels in a line:
 * - `json`: as `to_json` writes it (booleans, numbers, texts, dates);
 * - `array`: a JSON array of such values, or the text of its output function where a bound is not 1;
 * - `jsonb`: the JSON itself, JSON null escaped as `{"$json":null}`;
 * - `text`: the text of its output function;
 * - `money`: as numeric.
 */
export type Encoding = 'json' | 'array' | 'jsonb' | 'text' | 'money'

/** Columns that point to rows of another relation, by a constraint or by declaration. */
export interface Reference {
  /** The constraint's name, or `column` / `column.path` for a declared one. */
  readonly name: string
  readonly kind: 'foreign key' | 'declared'
  readonly columns: readonly string[]
  readonly target: RelationName
  readonly targetColumns: readonly string[]
  /** One value per row, or several in one value: an SQL array, a JSON array. */
  readonly shape: 'value' | 'array' | 'jsonb array'
  /** True where the target's row may be missing when this row is written: a cycle or the relation itself. */
  readonly isLate: boolean
}
