import type { Database, Session } from '../database/port.js'
import type { LoadedMigration } from './load-migration.js'

/** What stands between a migration and the data. */
export interface Safeguards {
  /**
   * Called once, under the lock, before the first of `steps` runs, and only where there is one. No session is open on an embedded
   * database meanwhile, so that it can open its own. An error stops the run.
   */
  archive(database: Database, steps: readonly LoadedMigration[]): Promise<Backup>
  /**
   * Called around the SQL of each migration: what it does before `run()` comes before the migration's first statement, what it does
   * afterwards comes before the ledger row and the commit. An error rolls all of it back. `run` may be called again after a
   * `rollback to savepoint`. Inside the transaction, unless the migration has none.
   */
  around(step: GuardedStep): Promise<void>
}

/** What the ledger says about the archive before a migration. */
export interface Backup {
  /** The archive's file name, or null where none was taken. */
  readonly name: string | null
  /** True where somebody asked for none in so many words. */
  readonly isDeclined: boolean
}

export interface GuardedStep {
  readonly session: Session
  readonly migration: LoadedMigration
  readonly direction: 'up' | 'down'
  run(): Promise<void>
}
