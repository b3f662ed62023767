import { setTimeout as sleep } from 'node:timers/promises'
import { UnderstudyError } from '../errors.js'
import { describeSqlError } from './failures.js'
import { describeHolder, describeWait, HOLDER_COLUMNS, holderFacts, type LockHolder } from './lock-holder.js'
import type { Session, TransactionOptions } from './port.js'

/** Half of PostgreSQL's default `deadlock_timeout`, and something for each table, for there may be thousands. */
const ATTEMPT_MS = 500
const PAUSE_MS = 100

/** What each mode waits for (manual, "Conflicting Lock Modes"), as `pg_locks` writes it. */
const CONFLICTS = {
  'access share': ['AccessExclusiveLock'],
  'share row exclusive': [
    'RowExclusiveLock',
    'ShareUpdateExclusiveLock',
    'ShareLock',
    'ShareRowExclusiveLock',
    'ExclusiveLock',
    'AccessExclusiveLock',
  ],
} as const

/** How long to wait for others, and whom to tell. */
export interface WaitOptions {
  /** 0 asks once. */
  readonly waitMs: number
  /** Called when a wait begins, and again when another session has become the one to wait for. */
  readonly onWait?: ((holder: LockHolder | undefined) => void) | undefined
}

export interface LockedTransactionOptions extends TransactionOptions, WaitOptions {
  /** Quoted and qualified. */
  readonly tables: readonly string[]
  readonly mode: keyof typeof CONFLICTS
  /** Ends the wait, or the statement of `work` that is running, with its reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * A transaction that begins with its locks: the snapshot of `repeatable read` is taken behind them, by the first query of `work`. After a
 * concurrent `truncate` or rewriting `alter`, an older one shows an empty table and no error.
 *
 * All tables are locked at once or none: while it waits it holds nothing, and each attempt is shorter than `deadlock_timeout`. So an
 * application that takes the same tables in another order is never the one that a deadlock is broken at, and writers queue behind a lock
 * that does not come for a moment only.
 *
 * Throws LOCK_NOT_AVAILABLE after `waitMs`, naming a session that stands in the way.
 */
export async function lockedTransaction<T>(
  session: Session,
  options: LockedTransactionOptions,
  work: () => Promise<T>,
): Promise<T> {
  const { signal } = options
  const deadline = Date.now() + options.waitMs
  let announced: number | undefined
  for (;;) {
    try {
      return await session.transaction(options, () =>
        session.abortable(signal, async () => {
          await lock(session, options)
          return await work()
        }),
      )
    } catch (error) {
      if (!(error instanceof TablesInUse)) throw error
    }
    await session.abortable(signal, async () => {
      const holder = await readHolder(session, options)
      if (Date.now() >= deadline) throw notAvailable(holder, options.waitMs)
      if (announced === undefined || (holder !== undefined && announced !== holder.pid)) options.onWait?.(holder)
      announced = holder?.pid ?? announced ?? 0
      await sleep(PAUSE_MS, undefined, { signal })
    })
  }
}

/** Whether an error says that another transaction held a row or a table for too long (55P03), or held us while we held it (40P01). */
export function isLockFailure(error: unknown): boolean {
  return ['55P03', '40P01'].includes(describeSqlError(error)?.sqlstate ?? '')
}

class TablesInUse extends Error {}

/** None of these statements takes a snapshot. */
async function lock(session: Session, { tables, mode }: LockedTransactionOptions): Promise<void> {
  if (tables.length === 0) return
  await session.script(`set local lock_timeout = 0`)
  await session.script(`set local statement_timeout = ${ATTEMPT_MS + tables.length}`)
  try {
    await session.script(`lock table ${tables.join(', ')} in ${mode} mode`)
  } catch (error) {
    if (describeSqlError(error)?.sqlstate === '57014' /* query_canceled */) throw new TablesInUse()
    throw error
  }
  await session.script('set local statement_timeout = 0')
}

/** A session that holds what the lock waits for, or waits for it in front of us; tables are locked with their partitions and heirs. */
async function readHolder(
  session: Session,
  { tables, mode }: LockedTransactionOptions,
): Promise<LockHolder | undefined> {
  const [holder] = await session.query<LockHolder>(
    `with recursive locked (oid) as (
       select to_regclass(name)::oid from unnest($1::text[]) n(name)
       union
       select i.inhrelid from pg_catalog.pg_inherits i join locked l on l.oid = i.inhparent)
     select ${HOLDER_COLUMNS}
       from pg_catalog.pg_locks held
       join pg_catalog.pg_stat_activity activity on activity.pid = held.pid
      where held.locktype = 'relation'
        and held.database = (select oid from pg_catalog.pg_database where datname = current_database())
        and held.relation in (select oid from locked)
        and held.mode = any ($2::text[])
        and held.pid <> pg_catalog.pg_backend_pid()
      order by held.granted desc, activity.xact_start
      limit 1`,
    [tables, CONFLICTS[mode]],
  )
  return holder
}

function notAvailable(holder: LockHolder | undefined, waitMs: number): UnderstudyError {
  return new UnderstudyError('LOCK_NOT_AVAILABLE', `tables are in use by ${describeHolder(holder)}`, {
    detail: [...holderFacts(holder), `${describeWait(waitMs)}; nothing was written`].join('\n'),
    hint: 'Wait until its transaction ends (see pg_stat_activity), or wait longer with `--wait`.',
  })
}
