import { relative } from 'node:path'
import { findTransactionStatements } from '../database/own-transaction.js'
import { UnderstudyError } from '../errors.js'
import type { LoadedMigration } from './load-migration.js'
import { TRANSACTION_HINT } from './run-script.js'

/**
 * Error: MIGRATION_FILES_INVALID with every statement that would begin or end a transaction, in the SQL files that are about to run and
 * have not opted out of theirs.
 */
export function refuseTransactionStatements(steps: readonly LoadedMigration[], direction: 'up' | 'down'): void {
  const found = steps
    .filter(({ isTransactional }) => isTransactional)
    .flatMap((step) => {
      const script = step[direction]
      const statements = findTransactionStatements(script?.sql ?? '')
      return statements.map(({ text, line }) => `${relative('.', script?.path ?? '')}:${line}: ${text}`)
    })
  if (found.length === 0) return
  throw new UnderstudyError('MIGRATION_FILES_INVALID', 'migrations would begin or end a transaction', {
    detail: found.join('\n'),
    hint: `Nothing was run. ${TRANSACTION_HINT}`,
  })
}
