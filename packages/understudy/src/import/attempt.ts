import { describeSqlError, type SqlErrorFacts } from '../database/failures.js'
import { isLockFailure } from '../database/locked-transaction.js'
import { UnderstudyError } from '../errors.js'
import { relationLabel } from '../model/model.js'
import { isSecretName } from '../model/secrets.js'
import type { Load } from './load.js'

const RESTRICT_VIOLATION = '23001'
const FOREIGN_KEY_VIOLATION = '23503'
const INSUFFICIENT_PRIVILEGE = '42501'
const OUT_OF_MEMORY = '53200'
/** Tables, indexes, sequences, and up to six temporary tables with what belongs to them (counted: 24 for a table with two indexes). */
const MORE_LOCKS =
  'Nothing was written. An import holds about 25 locks for each of its relations until it ends; the server has room for max_locks_per_transaction × max_connections. Set max_locks_per_transaction to 25 × relations / max_connections at the least, and restart the server.'

/** Does a step of the import for one relation; what the database refuses becomes an error that names the relation. */
export async function attempt<T>(load: Load, action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const facts = describeSqlError(error)
    if (facts === undefined || isLockFailure(error)) throw error
    const own = relationLabel(load.relation)
    const referring = action === 'delete' ? referringRelation(facts) : undefined
    const relation = referring === undefined ? (facts.table ?? own) : own
    const lines = [
      referring === undefined ? undefined : `rows of ${referring} refer to rows that go`,
      mayHoldSecrets(load, facts) ? undefined : facts.detail,
      facts.column === undefined ? undefined : `column ${facts.column}`,
      facts.constraint === undefined ? undefined : `constraint ${facts.constraint}`,
    ]
    const code = facts.sqlstate === INSUFFICIENT_PRIVILEGE ? 'PRIVILEGE_MISSING' : 'IMPORT_REFUSED_BY_DATABASE'
    throw new UnderstudyError(code, `cannot ${action} ${relation}: ${facts.message}`, {
      detail: lines.filter((line) => line !== undefined).join('\n') || undefined,
      hint:
        hintFor(facts) ??
        (referring !== undefined && load.relation.identity.kind === 'content'
          ? hintForContent(own)
          : 'Nothing was written. Mend the row in the source or the target, and import again.'),
      cause: error,
    })
  }
}

/** The relation whose rows refer to those that were to be deleted; the server calls it the error's table. */
function referringRelation({ sqlstate, schema, table }: SqlErrorFacts): string | undefined {
  const isReferredTo = sqlstate === FOREIGN_KEY_VIOLATION || sqlstate === RESTRICT_VIOLATION
  return isReferredTo && schema !== undefined && table !== undefined
    ? relationLabel({ schema, name: table })
    : undefined
}

function hintForContent(label: string): string {
  return `Nothing was written. A row known by its content is replaced where that changed, so a row that others refer to needs another identity: choose one for ${label} in the configuration of the source (\`relations\`) and export again, or let the foreign key be deferrable.`
}

/** What to do, where the database or we know it. */
export function hintFor({ sqlstate, message, hint }: SqlErrorFacts): string | undefined {
  const lacksLocks = sqlstate === OUT_OF_MEMORY && message.includes('shared memory')
  return lacksLocks ? MORE_LOCKS : hint
}

/** 23502 null, 23514 check: their detail is the failing row, all of it. Others name single columns. */
function mayHoldSecrets(load: Load, { sqlstate, detail }: SqlErrorFacts): boolean {
  const names = load.relation.columns.map((column) => column.name).filter(isSecretName)
  return names.length > 0 && (/^235(02|14)$/.test(sqlstate) || names.some((name) => detail?.includes(name) === true))
}
