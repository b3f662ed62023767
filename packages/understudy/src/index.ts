export {
  type DanglingPolicy,
  defineConfig,
  type Environment,
  type MigrationPackageConfig,
  type MigrationsConfig,
  type MissingPolicy,
  type ReferenceConfig,
  type RelationConfig,
  type TriggerPolicy,
  type UnderstudyConfig,
} from './config/define-config.js'
export { type LoadOptions, loadConfig } from './config/load-config.js'
export type {
  MigrationPackage,
  MigrationSettings,
  Settings,
} from './config/settings.js'
export { ERROR_CODES, type ErrorCode, type ErrorFacts, UnderstudyError } from './errors.js'
export { defineMigration, type Migration, type MigrationDatabase } from './migrate/define-migration.js'
export type { LedgerRow } from './migrate/ledger.js'
export {
  type AppliedMigration,
  type MigrateOptions,
  type MigrateProgress,
  type MigrateResult,
  migrateUp,
} from './migrate/migrate-up.js'
export { type MigrationFile, readMigrations } from './migrate/migration-files.js'
export {
  type MigrationState,
  type MigrationStatus,
  migrationStatus,
  type PackageStatus,
} from './migrate/migration-status.js'
export { TOOL_VERSION } from './version.js'
