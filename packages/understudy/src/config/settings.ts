import type {
  Environment,
  ImportMode,
  MissingPolicy,
  ReferenceConfig,
  RelationConfig,
  TriggerPolicy,
} from './define-config.js'

/** The configuration as the engine gets it: every default filled in, every path absolute. Not yet compared with a catalog. */
export interface Settings {
  /** The folder of the configuration file, or where the search for one began. */
  readonly root: string
  readonly configFile: string | null
  /** `postgres://…`, possibly with a password, or `pglite:` with an absolute folder. */
  readonly database: string
  /** Where `database` comes from, for messages. */
  readonly databaseSource: DatabaseSource
  readonly archives: string
  /** Empty: every schema of a user. */
  readonly schemas: readonly string[]
  readonly environment: Environment
  readonly identityColumns: readonly string[]
  readonly exclude: readonly string[]
  /** By `table` or `schema.table`, as the configuration writes it. These records have no prototype: a table may be called `constructor`. */
  readonly relations: Readonly<Record<string, RelationConfig>>
  /** By `table.column`, `schema.table.column` or `table.column.field`, as the configuration writes it. False: the column is none. */
  readonly references: Readonly<Record<string, ReferenceConfig | false>>
  readonly triggers: TriggerPolicy
  readonly onMissing: MissingPolicy
  readonly refresh: readonly string[]
  readonly migrations: MigrationSettings
  /** The folder of the project's own checks. */
  readonly checks: string
  /** Whether the configuration names that folder: then it must be there. */
  readonly isChecksNamed: boolean
  /** In their order; empty where none is configured. */
  readonly dataPackages: readonly DataPackage[]
}

/** A step of an import. */
export interface DataPackage {
  readonly name: string
  readonly title: string
  /** Patterns of the relations that it loads. */
  readonly relations: readonly string[]
  readonly seeds: readonly Seed[]
  readonly after: readonly Seed[]
  readonly hasAssignments: boolean
  readonly isValidation: boolean
  readonly modes: readonly ImportMode[]
}

export interface Seed {
  /** Absolute. */
  readonly file: string
  readonly modes: readonly ImportMode[]
}

export type DatabaseSource = '--database' | 'DATABASE_URL' | 'configuration' | 'default'

export interface MigrationSettings {
  readonly folder: string
  /** The folder of migrations that seed data and no longer run with the others. */
  readonly archivedFolder: string
  readonly mirror: MigrationMirror | null
  /** In order of their ranges; empty where none is configured. */
  readonly packages: readonly MigrationPackage[]
  /** DB_MIGRATION_STARTWITH and DB_MIGRATION_ENDWITH, or null. */
  readonly startWith: string | null
  readonly endWith: string | null
  /** RUN_MANUAL_MIGRATIONS=true. */
  readonly includesManual: boolean
  /** Whether an archive is written before migrations run. */
  readonly backup: boolean
}

/** Where the application keeps a list of applied migrations of its own. */
export interface MigrationMirror {
  /** `table` or `schema.table`; a table of one row. */
  readonly table: string
  /** A jsonb column. */
  readonly column: string
  /** The key in it that holds the array of ids. */
  readonly key: string
}

export interface MigrationPackage {
  readonly name: string
  readonly title: string
  readonly from: number
  /** Infinity where the range is open. */
  readonly to: number
}
