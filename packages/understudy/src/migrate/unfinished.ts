import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { describeInvalid, readInvalidIndexes } from './invalid-indexes.js'
import type { LedgerRow } from './ledger.js'

/**
 * Stops where a migration was begun, left something that no rollback took back, and was not seen to its end.
 *
 * Error: MIGRATION_UNFINISHED with the indexes that are invalid, and the commands that resolve it.
 */
export async function assertFinished(session: Session, ledger: readonly LedgerRow[]): Promise<void> {
  const unfinished = ledger.filter(({ state }) => state === 'unfinished')
  const [first] = unfinished
  if (first === undefined) return
  const lines = unfinished.map(
    ({ id, appliedAt }) => `${id}: begun at ${appliedAt}, and not seen to its end in one transaction`,
  )
  const ids = unfinished.map(({ id }) => id).join(', ')
  throw new UnderstudyError('MIGRATION_UNFINISHED', `migration ${ids} needs attention`, {
    detail: [...lines, ...describeInvalid(await readInvalidIndexes(session))].join('\n'),
    hint: resolveHint(first.id, first.archive),
  })
}

/** The commands that end the state `unfinished`. */
export function resolveHint(id: string, archive: string | null): string {
  return [
    `Look what of it stands. If you took that back, \`understudy migrate resolve ${id} --pending\` lets it run again;`,
    `if you completed it by hand, say \`understudy migrate resolve ${id} --applied\`.`,
    ...(archive === null ? [] : [`The content as it was before: \`understudy restore ${archive} --dry-run\`.`]),
  ].join(' ')
}
