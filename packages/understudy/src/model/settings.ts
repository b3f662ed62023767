/** What the configuration may say about the content model. Everything is optional: the catalog alone gives a model. */
export interface ModelSettings {
  /** Schemas to look at; empty means every user schema. */
  readonly schemas: readonly string[]
  /** Names of columns that hold an identity by convention, most telling first. */
  readonly identityColumns: readonly string[]
  /** Relations that are not content: `table` or `schema.table`, `*` for any run of characters. */
  readonly exclude: readonly string[]
  readonly relations: Readonly<Record<string, RelationSettings>>
  readonly references: Readonly<Record<string, ReferenceSettings>>
}

export interface RelationSettings {
  readonly identity?: readonly string[] | 'origin' | 'content' | undefined
  /** The column through which a child is owned; makes its identity `content`. */
  readonly owner?: string | undefined
  readonly surrogate?: readonly string[] | undefined
  readonly mask?: Readonly<Record<string, string>> | undefined
  readonly exclude?: boolean | undefined
}

export type ReferenceSettings =
  | { readonly to: string; readonly by?: undefined; readonly onDangling?: 'fail' | 'null' | undefined }
  | {
      readonly by: string
      readonly to: Readonly<Record<string, string>>
      readonly onDangling?: 'fail' | 'null' | undefined
    }

export const DEFAULT_IDENTITY_COLUMNS: readonly string[] = ['xmlid', 'xml_id', 'external_id', 'guid', 'uuid']

export const DEFAULT_MODEL_SETTINGS: ModelSettings = {
  schemas: [],
  identityColumns: DEFAULT_IDENTITY_COLUMNS,
  exclude: [],
  relations: {},
  references: {},
}
