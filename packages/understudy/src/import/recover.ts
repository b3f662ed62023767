import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'

/**
 * Does `work` behind a savepoint. Where the database refuses a value, goes back to the savepoint and lets `diagnose` find out more; the
 * good path pays two short statements.
 */
export async function orDiagnose<T>(
  session: Session,
  name: string,
  work: () => Promise<T>,
  diagnose: (error: unknown) => Promise<T>,
): Promise<T> {
  const savepoint = `understudy_${name}`
  await session.script(`savepoint ${savepoint}`)
  let result: T
  try {
    result = await work()
  } catch (error) {
    if (!isAboutValues(error)) throw error
    await session.script(`rollback to savepoint ${savepoint}`)
    return await diagnose(error)
  }
  await session.script(`release savepoint ${savepoint}`)
  return result
}

/**
 * Whether a server's error may lie in the rows. Not in them: 08 connections, 25 transactions, 40 rollbacks, 53 to 58 resources, operators and
 * the system, 42501 a missing privilege.
 */
export function isAboutValues(error: unknown): boolean {
  const facts = describeSqlError(error) ?? (error instanceof Error ? describeSqlError(error.cause) : undefined)
  return facts !== undefined && !/^(08|25|40|53|55|57|58|42501)/.test(facts.sqlstate)
}
