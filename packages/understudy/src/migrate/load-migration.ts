import { loadModule } from '../config/load-module.js'
import { UnderstudyError } from '../errors.js'
import { defineMigration, type Migration, type MigrationDatabase } from './define-migration.js'
import type { MigrationFile } from './migration-files.js'
import { parseSqlHeaders } from './sql-headers.js'

/** A file together with what it says about itself. */
export interface LoadedMigration {
  readonly file: MigrationFile
  readonly description: string
  readonly isManualOnly: boolean
  readonly isTransactional: boolean
  /** What may be lost, by name. */
  readonly allowLoss: readonly string[]
  readonly up: MigrationScript
  /** Null where there is no way back. */
  readonly down: MigrationScript | null
}

/** One direction of a migration. */
export interface MigrationScript {
  /** The file that it stands in. */
  readonly path: string
  /** The text that an SQL file sends; its lines are those of the file. Null for a module. */
  readonly sql: string | null
  run(db: MigrationDatabase): Promise<void> | void
}

/**
 * Reads the headers of SQL files and evaluates TypeScript files.
 *
 * Error: MIGRATION_FILES_INVALID with the problems of all of them.
 */
export async function loadMigrations(files: readonly MigrationFile[], root: string): Promise<LoadedMigration[]> {
  const problems: string[] = []
  const loaded: LoadedMigration[] = []
  for (const file of files) {
    const result = file.kind === 'sql' ? loadSql(file) : await loadMigrationModule(file, root)
    if (Array.isArray(result)) problems.push(...result.map((problem) => `${file.path}: ${problem}`))
    else loaded.push(result)
  }
  if (problems.length > 0)
    throw new UnderstudyError('MIGRATION_FILES_INVALID', 'migrations cannot be read', { detail: problems.join('\n') })
  return loaded
}

type Loaded = LoadedMigration | string[]

function loadSql(file: MigrationFile): Loaded {
  const { headers, sections, problems } = parseSqlHeaders(file.text)
  if (problems.length > 0) return [...problems]
  if (sections.down !== null && file.downFile !== null)
    return [`its way back stands in the file, after \`-- migrate: down\`, and in ${file.downFile.path}`]
  const inFile = sections.down === null ? null : scriptOf(file.path, sections.down)
  return {
    file,
    description: headers.description ?? titleOf(file),
    isManualOnly: headers.isManualOnly,
    isTransactional: headers.isTransactional,
    allowLoss: headers.allowLoss,
    up: scriptOf(file.path, sections.up),
    down: file.downFile === null ? inFile : scriptOf(file.downFile.path, file.downFile.text),
  }
}

function scriptOf(path: string, sql: string): MigrationScript {
  return { path, sql, run: (db) => db.execute(sql) }
}

async function loadMigrationModule(file: MigrationFile, root: string): Promise<Loaded> {
  let migration: unknown
  try {
    const module = await loadModule(file.path, { root, door: { defineMigration } })
    migration = module.default
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
  if (!isMigration(migration)) return ['expected `export default defineMigration({ description, up })`']
  return {
    file,
    description: migration.description,
    isManualOnly: migration.manualOnly ?? false,
    isTransactional: migration.transaction ?? true,
    allowLoss: migration.allowLoss ?? [],
    up: { path: file.path, sql: null, run: (db) => migration.up(db) },
    down: migration.down ? { path: file.path, sql: null, run: (db) => migration.down?.(db) } : null,
  }
}

function isMigration(value: unknown): value is Migration {
  if (typeof value !== 'object' || value === null) return false
  const { description, up, down, manualOnly, transaction, allowLoss } = value as Record<string, unknown>
  return (
    typeof description === 'string' &&
    typeof up === 'function' &&
    (down === undefined || typeof down === 'function') &&
    isBooleanIfGiven(manualOnly) &&
    isBooleanIfGiven(transaction) &&
    (allowLoss === undefined || (Array.isArray(allowLoss) && allowLoss.every((name) => typeof name === 'string')))
  )
}

function isBooleanIfGiven(value: unknown): boolean {
  return value === undefined || typeof value === 'boolean'
}

/** `019_serial_ids` reads as "serial ids". */
function titleOf(file: MigrationFile): string {
  return file.id.replace(/^\d+_/, '').replaceAll('_', ' ')
}
