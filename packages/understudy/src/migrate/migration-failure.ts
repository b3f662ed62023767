import { relative } from 'node:path'
import { describeSqlError } from '../database/failures.js'
import { UnderstudyError } from '../errors.js'
import type { LoadedMigration } from './load-migration.js'

/** One error that names the migration, the place in its file, and all that the server said. */
export function describeMigrationFailure(error: unknown, migration: LoadedMigration): UnderstudyError {
  const { file, isTransactional } = migration
  const said = error instanceof Error ? error.message : String(error)
  const sql = describeSqlError(error)
  const own = error instanceof UnderstudyError ? error : null
  const place = `${relative('.', file.path)}${placeInFile(error, migration)}`
  const facts = sql ? [`SQLSTATE ${sql.sqlstate}`, sql.detail, sql.where] : [own?.detail]
  const outcome = isTransactional
    ? []
    : ['It ran without a transaction: what came before the error was not rolled back.']
  return new UnderstudyError(own?.code ?? 'MIGRATION_FAILED', `migration ${file.id} failed: ${said}`, {
    detail: [place, ...facts, ...outcome].filter(Boolean).join('\n'),
    hint: sql?.hint ?? own?.hint,
    cause: error,
  })
}

/** `:12`, the line of an SQL file where the server found the error. It counts characters, not UTF-16 units. */
function placeInFile(error: unknown, { file, isTransactional }: LoadedMigration): string {
  const position = Number(typeof error === 'object' && error !== null ? Reflect.get(error, 'position') : undefined)
  // Without a transaction the script was sent in parts, each of which counts from its own beginning.
  if (file.kind !== 'sql' || !isTransactional || !(position > 0)) return ''
  const before = Array.from(file.text).slice(0, position - 1)
  return `:${before.filter((character) => character === '\n').length + 1}`
}
