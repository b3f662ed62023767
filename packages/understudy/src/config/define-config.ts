/** What `understudy.config.ts` exports. Every field has a default; no file at all is fine too. */
export interface UnderstudyConfig {
  /**
   * `postgres://…` or `pglite:<folder>`. DATABASE_URL, in the environment or in `.env` beside the config, wins over it.
   * Relative folders are relative to the config. Default `pglite:./data/understudy`.
   */
  readonly database?: string | undefined
  /** The folder of archives. Default `data/sync`. */
  readonly archives?: string | undefined
  /** The schemas that hold content. Default: every schema of a user. */
  readonly schemas?: readonly string[] | undefined
  /** What overwrites asks for the name of a `safe` or `production` database. Default `development`, or `production` where NODE_ENV says so. */
  readonly environment?: Environment | undefined
  /** Columns whose unique key identifies a row, the preferred ones first. */
  readonly identityColumns?: readonly string[] | undefined
  /** Relations that are not content: `table` or `schema.table`, `*` stands for any characters. */
  readonly exclude?: readonly string[] | undefined
  /** By `table` or `schema.table`. */
  readonly relations?: Readonly<Record<string, RelationConfig>> | undefined
  /** References that no foreign key declares, and rules for those that one does, by `table.column` or `table.column.field`. */
  readonly references?: Readonly<Record<string, ReferenceConfig>> | undefined
  /** What happens to the target's triggers while an import writes. Default `suspend`. */
  readonly triggers?: TriggerPolicy | undefined
  /** What happens to a row whose reference finds no target. Default `fail`. */
  readonly onMissing?: MissingPolicy | undefined
  readonly migrations?: MigrationsConfig | undefined
  /** The folder of the project's own checks. Default `checks`. */
  readonly checks?: string | undefined
}

export type Environment = 'development' | 'safe' | 'production'
export type TriggerPolicy = 'suspend' | 'fire'
export type MissingPolicy = 'fail' | 'null' | 'skip' | 'placeholder'
export type DanglingPolicy = 'fail' | 'null'

export interface RelationConfig {
  /** The columns that identify a row, or `origin` (where it was born), or `content` (all of it). */
  readonly identity?: readonly string[] | 'origin' | 'content' | undefined
  /** The column that refers to the row's owner. Makes the identity `content`. */
  readonly owner?: string | undefined
  /** Columns whose values mean something in one database only. */
  readonly surrogate?: readonly string[] | undefined
  /** By column, an SQL expression that is exported in place of the value: `{ password: "''" }`. */
  readonly mask?: Readonly<Record<string, string>> | undefined
  readonly triggers?: TriggerPolicy | undefined
  /** True: not content. */
  readonly exclude?: boolean | undefined
  /** The identity of the row that stands in for a missing target: `{ xmlid: 'setup' }`. */
  readonly placeholder?: Readonly<Record<string, unknown>> | undefined
  /**
   * Columns that triggers keep as copies of other values: by column, the SQL expression that computes it anew from the row, which it names
   * `<relation>.<column>`. `understudy validate` finds the rows where the two differ.
   */
  readonly copies?: Readonly<Record<string, string>> | undefined
}

export type ReferenceConfig =
  | {
      /** `table.column` or `schema.table.column`. */
      readonly to: string
      readonly by?: undefined
      /** What an export does with a value that points to no row. Default `fail`. */
      readonly onDangling?: DanglingPolicy | undefined
    }
  | {
      /** The column beside it whose value says which target is meant. */
      readonly by: string
      /** A `table.column` for each value of that column. */
      readonly to: Readonly<Record<string, string>>
      readonly onDangling?: DanglingPolicy | undefined
    }

export interface MigrationsConfig {
  /** Default `migrations`. */
  readonly folder?: string | undefined
  /** By the name used with `--from` and `--to`. Ranges are disjoint and hold every file. Default: one package with all files. */
  readonly packages?: Readonly<Record<string, MigrationPackageConfig>> | undefined
  /** The folder of data seeds that only `migrate archived` runs. Default `archived` inside `folder`. */
  readonly archived?: string | undefined
  /** A list of applied migrations that the application keeps itself, kept in step with the ledger. */
  readonly mirror?: MigrationMirrorConfig | undefined
}

export interface MigrationMirrorConfig {
  /** `table` or `schema.table`; a table of one row. */
  readonly table: string
  /** A jsonb column of it. */
  readonly column: string
  /** The key in it whose value is the array of ids. */
  readonly key: string
}

export interface MigrationPackageConfig {
  readonly title: string
  /** The first number, and the last; without `to`, all that follow. */
  readonly from: number
  readonly to?: number | undefined
}

/** Returns the configuration as it is; gives editors its types. */
export function defineConfig(config: UnderstudyConfig): UnderstudyConfig {
  return config
}
