export {
  type AdoptedRelation,
  type Adoption,
  type AdoptionKind,
  type AdoptOptions,
  adoptDatabase,
} from './adopt/adopt-database.js'
export type { ArchiveIndex, FileEntry } from './archive/archive-index.js'
export { type OpenArchiveOptions, openArchive, readArchive, verifyArchive } from './archive/reader.js'
export { findLatestArchive, listArchives, type StoredArchive } from './archive/store.js'
export type { WrittenFolders } from './archive/write-folders.js'
export { type Backup, type BackupProblem, listBackups, showBackup, verifyBackups } from './backups/list-backups.js'
export type { PrunedBackup } from './backups/plan-prune.js'
export { type PruneOptions, type PruneResult, pruneBackups } from './backups/prune-backups.js'
export {
  type DanglingPolicy,
  type DataPackageConfig,
  defineConfig,
  type Environment,
  type MigrationMirrorConfig,
  type MigrationPackageConfig,
  type MigrationsConfig,
  type MissingPolicy,
  type NoneConfig,
  type ReferenceConfig,
  type RelationConfig,
  type SeedConfig,
  type TriggerPolicy,
  type UnderstudyConfig,
} from './config/define-config.js'
export { type LoadOptions, loadConfig } from './config/load-config.js'
export type {
  DataPackage,
  MigrationMirror,
  MigrationPackage,
  MigrationSettings,
  Seed,
  Settings,
} from './config/settings.js'
export { type OpenOptions, openDatabase } from './database/open.js'
export type { Database, LinesTarget, Session, TransactionOptions } from './database/port.js'
export type { DatabaseOptions } from './database/with-database.js'
export { type Diagnosis, examineDatabase } from './doctor/examine-database.js'
export type { Ability, Finding, Topic } from './doctor/finding.js'
export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorFacts,
  type Problem,
  type ProblemCase,
  type ProblemKind,
  UnderstudyError,
} from './errors.js'
export { type ExportedFile, type ExportOptions, type ExportResult, exportContent } from './export/export-content.js'
export {
  exportFileset,
  type FilesetFileResult,
  type FilesetOptions,
  type FilesetResult,
} from './fileset/export-fileset.js'
export type { Loss } from './guard/loss.js'
export type { FilledRelation } from './identify/fill.js'
export { type IdentifyOptions, type IdentifyResult, identifyRows, type Unidentified } from './identify/identify-rows.js'
export { defineSeed, type SeedDatabase, type SeedScript } from './import/define-seed.js'
export { type ImportOptions, type ImportResult, importContent } from './import/import-content.js'
export type { PlannedLate } from './import/late-references.js'
export type { Assignments, OpenReference, PackageReport } from './import/package-steps.js'
export type { PackageRange } from './import/packages.js'
export type { ImportMode, ImportPlan, PlannedRelation } from './import/plan.js'
export type { PlannedColumn, PlannedRow, PlannedRows } from './import/planned-rows.js'
export type { ImportReport } from './import/report.js'
export { type InitOptions, type InitResult, initConfig } from './init/init-config.js'
export {
  type Cycle,
  type InspectedReference,
  type InspectedRelation,
  type Inspection,
  inspectDatabase,
} from './inspect/inspect-database.js'
export type { KeyProposal } from './inspect/propose-keys.js'
export type { Warning, WarningKind } from './inspect/warnings.js'
export { type BaselineOptions, type BaselineResult, migrateBaseline } from './migrate/baseline.js'
export { defineMigration, type Migration, type MigrationDatabase } from './migrate/define-migration.js'
export { type DryRunResult, type DryRunStep, migrateDryRun } from './migrate/dry-run.js'
export type { SafetyOptions } from './migrate/guarded.js'
export type { LedgerRow } from './migrate/ledger.js'
export type { LockPatience, LockRetry } from './migrate/lock-retries.js'
export { type MigrateArchivedOptions, migrateArchived } from './migrate/migrate-archived.js'
export { type MigrateDownOptions, type MigrateDownResult, migrateDown } from './migrate/migrate-down.js'
export { type MigrateOptions, type MigrateResult, migrateUp } from './migrate/migrate-up.js'
export { type MigrationFile, type ReadMigrationsOptions, readMigrations } from './migrate/migration-files.js'
export {
  type MigrationState,
  type MigrationStatus,
  migrationStatus,
  type PackageStatus,
} from './migrate/migration-status.js'
export { type NewMigration, type NewMigrationOptions, newMigration } from './migrate/new-migration.js'
export {
  type AcceptedChange,
  migrateRepair,
  migrateResolve,
  type RepairOptions,
  type RepairResult,
  type ResolveOptions,
} from './migrate/repair.js'
export type { SentStatement } from './migrate/run-script.js'
export type { AppliedMigration, MigrateProgress, RunnerOptions } from './migrate/run-steps.js'
export { migrateVerify, type VerifyFinding, type VerifyResult } from './migrate/verify.js'
export type { ContentModel, ContentRelation, Identity, Reference, RelationName, Translation } from './model/model.js'
export type { OnProgress, ProgressEvent } from './progress.js'
export { type Rehearsal, type RehearsedStep, type RehearseOptions, rehearse } from './rehearse/rehearse.js'
export type { RestoredRelation, RestorePlan } from './restore/plan-restore.js'
export { type RestoreOptions, type RestoreResult, restoreArchive } from './restore/restore-archive.js'
export { type SyncOptions, type SyncResult, syncContent } from './sync/sync-content.js'
export { type UpgradeOptions, type UpgradeResult, upgradeArchive } from './upgrade/upgrade-archive.js'
export type { CheckResult, Severity } from './validate/check.js'
export { type CheckDatabase, defineCheck, type ProjectCheck } from './validate/define-check.js'
export {
  type SessionValidateOptions,
  type ValidateOptions,
  type Validation,
  validateDatabase,
  validateSession,
} from './validate/validate-database.js'
export { TOOL_VERSION } from './version.js'
