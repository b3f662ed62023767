import { setTimeout as sleep } from 'node:timers/promises'
import { isLockFailure } from '../database/locked-transaction.js'
import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'

/**
 * How a migration waits for the locks of tables. While it waits, everybody who comes later waits behind it, readers too; so it gives up
 * soon, lets them through, and tries again.
 */
export interface LockPatience {
  /** How long a statement may wait. Default 5,000 ms; 0 for no limit. */
  readonly lockTimeoutMs?: number | undefined
  /** How often the migration is tried. Default 6. */
  readonly lockAttempts?: number | undefined
  /** The first pause, which doubles up to 8 times itself. Default 1,000 ms. */
  readonly lockPauseMs?: number | undefined
}

export interface LockRetry {
  readonly attempt: number
  readonly attempts: number
  readonly pauseMs: number
  /** Sessions with an open transaction in this database, one line each: those that may hold the lock. */
  readonly suspects: readonly string[]
}

export interface RetryOptions extends LockPatience {
  readonly signal?: AbortSignal | undefined
  readonly onRetry?: ((retry: LockRetry) => void) | undefined
}

const DEFAULT_TIMEOUT_MS = 5000
const DEFAULT_ATTEMPTS = 6
const DEFAULT_PAUSE_MS = 1000
const LONGEST_PAUSE_FACTOR = 8

/**
 * Runs a whole transaction, again where it could not get a lock in time or met a deadlock: either way the server has undone all of it.
 *
 * Error: MIGRATION_LOCK_TIMEOUT after the last attempt, with the sessions that may hold the lock.
 */
export async function withLockRetries<T>(
  session: Session,
  options: RetryOptions,
  attemptOnce: () => Promise<T>,
): Promise<T> {
  const attempts = options.lockAttempts ?? DEFAULT_ATTEMPTS
  const firstPauseMs = options.lockPauseMs ?? DEFAULT_PAUSE_MS
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptOnce()
    } catch (error) {
      if (!isLockFailure(error)) throw error
      const suspects = await readOpenTransactions(session)
      if (attempt >= attempts) throw lockTimeout(error, attempts, suspects)
      const pauseMs = firstPauseMs * Math.min(2 ** (attempt - 1), LONGEST_PAUSE_FACTOR)
      options.onRetry?.({ attempt, attempts, pauseMs, suspects })
      await sleep(pauseMs, undefined, { signal: options.signal })
    }
  }
}

/** For the running transaction. A time-out that the database or the role has of its own stays. */
export async function limitLockWaits(session: Session, { lockTimeoutMs }: LockPatience): Promise<void> {
  await session.query(
    `select set_config('lock_timeout', $1::text, true)
     where (select setting from pg_catalog.pg_settings where name = 'lock_timeout') = '0'`,
    [String(lockTimeoutMs ?? DEFAULT_TIMEOUT_MS)],
  )
}

async function readOpenTransactions(session: Session): Promise<string[]> {
  const rows = await session.query<{ line: string }>(
    `select format(
       'process %s (%s), role %s, %s, transaction open since %s',
       pid,
       coalesce(nullif(application_name, ''), 'unnamed'),
       usename,
       state,
       to_char(xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
     ) as line
     from pg_catalog.pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
     order by xact_start
     limit 10`,
  )
  return rows.map(({ line }) => line)
}

function lockTimeout(cause: unknown, attempts: number, suspects: readonly string[]): UnderstudyError {
  const said = cause instanceof Error ? cause.message : String(cause)
  const times = attempts === 1 ? 'once' : `${attempts} times`
  return new UnderstudyError('MIGRATION_LOCK_TIMEOUT', `${said}, ${times}`, {
    detail: suspects.length === 0 ? undefined : `Who has a transaction open:\n${suspects.join('\n')}`,
    hint: 'It was rolled back. Run it again when the sessions named are done, or give it more time with `--lock-timeout`.',
    cause,
  })
}
