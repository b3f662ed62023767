import { loadModule } from '../config/load-module.js'
import { UnderstudyError } from '../errors.js'
import { defineMigration, type Migration } from './define-migration.js'
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
  readonly up: Migration['up']
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
  const { headers, problems } = parseSqlHeaders(file.text)
  if (problems.length > 0) return problems
  return {
    file,
    description: headers.description ?? titleOf(file),
    isManualOnly: headers.isManualOnly,
    isTransactional: headers.isTransactional,
    allowLoss: headers.allowLoss,
    up: (db) => db.execute(file.text),
  }
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
    up: (db) => migration.up(db),
  }
}

function isMigration(value: unknown): value is Migration {
  if (typeof value !== 'object' || value === null) return false
  const { description, up, manualOnly, transaction, allowLoss } = value as Record<string, unknown>
  return (
    typeof description === 'string' &&
    typeof up === 'function' &&
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
