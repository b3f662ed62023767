import { relative } from 'node:path'
import { describeSqlError } from '../database/failures.js'
import { TransactionEnded } from '../database/own-transaction.js'
import { UnderstudyError } from '../errors.js'
import type { LoadedMigration, MigrationScript } from './load-migration.js'
import { TRANSACTION_HINT } from './run-script.js'
import type { Backup } from './safeguards.js'
import { resolveHint } from './unfinished.js'

/** One error that names the migration, the place in its file, and all that the server said; `left` is what it left behind. */
export function describeMigrationFailure(
  error: unknown,
  {
    migration,
    script,
    archive,
  }: { readonly migration: LoadedMigration; readonly script: MigrationScript; readonly archive?: Backup | undefined },
  left?: string,
): UnderstudyError {
  const { file, isTransactional } = migration
  const ended = error instanceof TransactionEnded ? error : null
  // A dry run has no archive, and nothing of it stands.
  const needsAttention = !isTransactional || (ended !== null && archive !== undefined)
  const said = error instanceof Error ? error.message : String(error)
  const sql = describeSqlError(error)
  const own = error instanceof UnderstudyError ? error : null
  const place = `${relative('.', script.path)}${isTransactional ? placeInFile(error, script) : ''}`
  const facts = sql ? [`SQLSTATE ${sql.sqlstate}`, sql.detail, sql.where] : [own?.detail, ended?.failure]
  const outcome = ended?.outcome ?? 'It ran without a transaction: what came before the error was not rolled back.'
  const hint = [
    ended ? TRANSACTION_HINT : (sql?.hint ?? own?.hint),
    needsAttention ? resolveHint(file.id, archive?.name ?? null) : undefined,
  ]
    .filter(Boolean)
    .join(' ')
  return new UnderstudyError(own?.code ?? 'MIGRATION_FAILED', `migration ${file.id} failed: ${said}`, {
    detail: [place, ...facts, left, needsAttention ? `${outcome} It needs attention.` : undefined]
      .filter(Boolean)
      .join('\n'),
    hint: hint || undefined,
    cause: error,
  })
}

/**
 * `:12`, the line of an SQL file where the server found the error. It counts characters, not UTF-16 units. Without a transaction the
 * script is sent in parts, each of which counts from its own beginning.
 */
function placeInFile(error: unknown, { sql }: MigrationScript): string {
  const position = Number(typeof error === 'object' && error !== null ? Reflect.get(error, 'position') : undefined)
  if (sql === null || !(position > 0)) return ''
  const before = Array.from(sql).slice(0, position - 1)
  return `:${before.filter((character) => character === '\n').length + 1}`
}
