import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import type { Check, CheckResult, Offence } from './check.js'

export interface RunOptions {
  readonly onCheck?: ((result: CheckResult) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs checks one after the other inside the caller's transaction, each in a savepoint that is always rolled back: what one breaks, sets or
 * makes is gone before the next, and before the caller goes on.
 */
export async function runChecks(
  session: Session,
  checks: readonly Check[],
  { onCheck, signal }: RunOptions,
): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  for (const check of checks) {
    signal?.throwIfAborted()
    const result = await runCheck(session, check)
    results.push(result)
    onCheck?.(result)
  }
  return results
}

async function runCheck(session: Session, check: Check): Promise<CheckResult> {
  const { name, section, severity } = check
  const startedAt = performance.now()
  const finish = (status: CheckResult['status'], { rows, samples, message }: Offence): CheckResult => {
    const durationMs = Math.round(performance.now() - startedAt)
    return { name, section, severity, status, rows, samples, message: message ?? null, durationMs }
  }
  try {
    const offence = await inSavepoint(session, () => check.find(session))
    return finish(offence.rows > 0 || offence.message !== undefined ? 'failed' : 'passed', offence)
  } catch (error) {
    return finish('broken', { rows: 0, samples: [], message: `could not be checked: ${explain(error)}` })
  }
}

/** Runs work and takes back whatever it did to the transaction: rows, temporary tables, settings. */
export async function inSavepoint<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.script('savepoint understudy_check')
  try {
    return await work()
  } finally {
    await session.script('rollback to savepoint understudy_check; release savepoint understudy_check')
  }
}

/** Our own errors (a lost connection, a damaged archive) end the run: no further check could tell anything. */
function explain(error: unknown): string {
  if (error instanceof UnderstudyError) throw error
  const facts = describeSqlError(error)
  if (facts === undefined) return error instanceof Error ? error.message : String(error)
  return [facts.message, facts.detail, facts.hint].filter((line) => line !== undefined).join('\n')
}
