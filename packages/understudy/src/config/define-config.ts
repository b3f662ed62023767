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
  /**
   * References that no foreign key declares, and rules for those that one does, by `table.column` or `table.column.field`. False: the column is
   * called like a reference and is none, so that nothing warns of it.
   */
  readonly references?: Readonly<Record<string, ReferenceConfig | false>> | undefined
  /** What happens to the target's triggers while an import writes. Default `suspend`. */
  readonly triggers?: TriggerPolicy | undefined
  /** What happens to a row whose reference finds no target. Default `fail`. */
  readonly onMissing?: MissingPolicy | undefined
  /** Materialized views that an import refreshes before it commits, if it wrote anything: `view` or `schema.view`, `*` for any characters. */
  readonly refresh?: readonly string[] | undefined
  readonly migrations?: MigrationsConfig | undefined
  /** The steps of an import by name, in their order. Default: none; everything is loaded at once, and no seed runs. */
  readonly dataPackages?: Readonly<Record<string, DataPackageConfig>> | undefined
  /** The folder of the project's own checks. Default `checks`. */
  readonly checks?: string | undefined
}

export type Environment = 'development' | 'safe' | 'production'
export type TriggerPolicy = 'suspend' | 'fire'
export type MissingPolicy = 'fail' | 'null' | 'skip' | 'placeholder'
export type DanglingPolicy = 'fail' | 'null'
export type NoneConfig = string | number | readonly (string | number)[]

export interface RelationConfig {
  /** The columns that identify a row, or `origin` (where it was born), or `content` (all of it). */
  readonly identity?: readonly string[] | 'origin' | 'content' | undefined
  /**
   * The column that refers to the row's owner; null where it has none. Makes the identity `content`. Needed where `content` refers to rows of
   * several relations; where it refers to one only, that is its owner.
   */
  readonly owner?: string | null | undefined
  /** Columns whose values mean something in one database only. */
  readonly surrogate?: readonly string[] | undefined
  /** By column, an SQL expression that is exported in place of the value: `{ password: "''" }`. */
  readonly mask?: Readonly<Record<string, string>> | undefined
  /**
   * Columns that an import fills in new rows only: a row that is there keeps its own value, and differs by no other. For passwords, which another
   * database has masked.
   */
  readonly keep?: readonly string[] | undefined
  readonly triggers?: TriggerPolicy | undefined
  /** True: not content. */
  readonly exclude?: boolean | undefined
  /**
   * The row that stands in for a missing target: `{ xmlid: 'setup' }`. Where the target has no row with these values, one is made of them, so
   * they must satisfy what the table asks: `{ xmlid: 'setup', name: 'To be set up' }`.
   */
  readonly placeholder?: Readonly<Record<string, unknown>> | undefined
  /**
   * Columns that triggers keep as copies of other values: by column, the SQL expression that computes it anew from the row, which it names
   * `<relation>.<column>`. An import computes them where they are out of date, in the order given, and writes no row for them alone;
   * `understudy validate` finds the rows where the two differ.
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
      /** The value, or several, that stands for no row: `0` in a column that must not be null. It travels as it is. */
      readonly none?: NoneConfig | undefined
    }
  | {
      /** The column beside it whose value says which target is meant. */
      readonly by: string
      /** A `table.column` for each value of that column. */
      readonly to: Readonly<Record<string, string>>
      readonly onDangling?: DanglingPolicy | undefined
      readonly none?: NoneConfig | undefined
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
  /** True: an archive is written and verified before every run of migrations. Default: where NODE_ENV or `environment` says production. */
  readonly backup?: boolean | undefined
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

export type ImportMode = 'init' | 'replace'

export interface DataPackageConfig {
  /** One line for the report. */
  readonly title: string
  /** The relations that it loads: `table` or `schema.table`, `*` stands for any characters. Every relation of an archive belongs to one package. */
  readonly relations?: readonly string[] | undefined
  /** Scripts that run before rows are compared, so that the import finds what they make. */
  readonly seeds?: readonly SeedConfig[] | undefined
  /** Scripts that run when all rows are written and all references bound. */
  readonly after?: readonly SeedConfig[] | undefined
  /** True: reports what became of references whose target was missing, in this import and earlier ones. */
  readonly assignments?: boolean | undefined
  /** True: runs the checks of `validate` inside the import; a failing error rolls it back. */
  readonly validation?: boolean | undefined
  /** The modes it takes part in. Default: all. */
  readonly modes?: readonly ImportMode[] | undefined
}

/** An `.sql` file or a module with `export default defineSeed(…)`, relative to the configuration; with `modes`, in these only. */
export type SeedConfig = string | { readonly file: string; readonly modes: readonly ImportMode[] }

/** Returns the configuration as it is; gives editors its types. */
export function defineConfig(config: UnderstudyConfig): UnderstudyConfig {
  return config
}
