import { describeSqlError } from '../database/failures.js'
import { isLockFailure } from '../database/locked-transaction.js'
import { UnderstudyError } from '../errors.js'
import { relationLabel } from '../model/model.js'
import type { Load } from './load.js'

/** Does a step of the import for one relation; what the database refuses becomes an error that names the relation. */
export async function attempt<T>(load: Load, action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const facts = describeSqlError(error)
    if (facts === undefined || isLockFailure(error)) throw error
    const relation = facts.table ?? relationLabel(load.relation)
    const lines = [
      facts.detail,
      facts.column === undefined ? undefined : `column ${facts.column}`,
      facts.constraint === undefined ? undefined : `constraint ${facts.constraint}`,
    ]
    throw new UnderstudyError('IMPORT_REFUSED_BY_DATABASE', `cannot ${action} ${relation}: ${facts.message}`, {
      detail: lines.filter((line) => line !== undefined).join('\n') || undefined,
      hint: facts.hint ?? 'Nothing was written. Mend the row in the source or the target, and import again.',
      cause: error,
    })
  }
}
