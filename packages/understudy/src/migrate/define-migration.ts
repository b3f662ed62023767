import type { ImportInsideOptions } from '../import/import-inside.js'

/** What a migration file exports: `export default defineMigration({ … })`. */
export interface Migration {
  /** One line for `migrate status`. */
  readonly description: string
  up(db: MigrationDatabase): Promise<void> | void
  down?(db: MigrationDatabase): Promise<void> | void
  /** True: runs only when it is named, or with RUN_MANUAL_MIGRATIONS=true. */
  readonly manualOnly?: boolean
  /** False: runs outside a transaction, for statements that refuse one. Default true: all of it or none. */
  readonly transaction?: boolean
  /** What may be lost, by name: `events.old_status`. */
  readonly allowLoss?: readonly string[]
}

/** The database as a migration sees it. It sends nothing that begins or ends a transaction, unless the migration has opted out of its own. */
export interface MigrationDatabase {
  /** One statement with values `$1`, `$2`, …; returns its rows. */
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** A script of any number of statements, without values. */
  execute(script: string): Promise<void>
  /**
   * Imports a fileset as `understudy import` does, in the mode `replace`, with the data packages and their checks, inside the transaction of the
   * migration. `path` is seen from the folder of the configuration. For seeds of data; it takes the schema as it is by then.
   */
  importFileset(path: string, options?: Pick<ImportInsideOptions, 'onMissing'>): Promise<void>
}

/** Returns the migration as it is; gives editors its types. */
export function defineMigration(migration: Migration): Migration {
  return migration
}
