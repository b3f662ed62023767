import { setTimeout as sleep } from 'node:timers/promises'
import { UnderstudyError } from '../errors.js'
import { describeSqlError } from './failures.js'
import { describeHolder, describeWait, HOLDER_COLUMNS, holderFacts, type LockHolder } from './lock-holder.js'
import type { Session, TransactionOptions } from './port.js'
import { pinSettings } from './settings.js'

/** Half of PostgreSQL's default `deadlock_timeout`, and something for each table, for there may be thousands. */
const ATTEMPT_MS = 500
const PAUSE_MS = 100

/** What each mode waits for (manual, "Conflicting Lock Modes"), as `pg_locks` writes it. */
const CONFLICTS = {
  'access exclusive': [
    'AccessShareLock',
    'RowShareLock',
    'RowExclusiveLock',
    'ShareUpdateExclusiveLock',
    'ShareLock',
    'ShareRowExclusiveLock',
    'ExclusiveLock',
    'AccessExclusiveLock',
  ],
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
 * A transaction that begins with its locks and with pinned settings. The snapshot of `repeatable read` is taken behind the locks: after a
 * concurrent `truncate` or rewriting `alter`, an older one shows an empty table and no error.
 *
 * `prepare` reads the catalog, which waits for whoever alters any relation. As long as it is not through, nothing is held while waiting:
 * all tables are locked at once or none, and each attempt is shorter than `deadlock_timeout`. So an application that takes the same tables
 * in another order is never the one that a deadlock is broken at, and writers queue behind a lock that does not come for a moment only.
 *
 * Throws LOCK_NOT_AVAILABLE when `waitMs` is over, naming a session that stands in the way; the same where `work` waits that long for a row.
 */
export async function lockedTransaction<P, T>(
  session: Session,
  options: LockedTransactionOptions,
  { prepare, work }: { readonly prepare: () => Promise<P>; readonly work: (prepared: P) => Promise<T> },
): Promise<T> {
  const { signal } = options
  const deadline = Date.now() + options.waitMs
  let announced: number | undefined
  for (;;) {
    try {
      return await session.transaction(options, () =>
        session.abortable(signal, async () => {
          const prepared = await attempt(session, options, prepare)
          await limitLockWaits(session, Math.max(ATTEMPT_MS, options.waitMs))
          return await work(prepared)
        }),
      )
    } catch (error) {
      if (isLockFailure(error)) throw refused(error, await readHolderBehind(session, options))
      if (!(error instanceof InUse)) throw error
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

class InUse extends Error {}

async function attempt<P>(session: Session, options: LockedTransactionOptions, prepare: () => Promise<P>): Promise<P> {
  try {
    if (options.tables.length > 0) await lock(session, options)
    await pinSettings(session)
    await limitLockWaits(session, ATTEMPT_MS)
    return await prepare()
  } catch (error) {
    throw isLockFailure(error) ? new InUse() : error
  }
}

/** None of these statements takes a snapshot. */
async function lock(session: Session, { tables, mode }: LockedTransactionOptions): Promise<void> {
  await session.script(`set local statement_timeout = ${ATTEMPT_MS + tables.length}`)
  try {
    await session.script(`lock table ${tables.join(', ')} in ${mode} mode`)
  } catch (error) {
    throw describeSqlError(error)?.sqlstate === '57014' /* query_canceled */ ? new InUse() : error
  }
}

async function limitLockWaits(session: Session, ms: number): Promise<void> {
  await session.script(`set local lock_timeout = ${Math.round(ms)}`)
}

/** Tables are locked with their partitions and heirs. */
const LOCKED_OIDS = `recursive locked (oid) as (
       select to_regclass(name)::oid from unnest($1::text[]) n(name)
       union
       select i.inhrelid from pg_catalog.pg_inherits i join locked l on l.oid = i.inhparent)`

/**
 * A session that holds what the lock waits for, or waits for it in front of us; tables are locked with their partitions and heirs. The
 * catalog waits for whoever holds any relation alone.
 */
async function readHolder(
  session: Session,
  { tables, mode }: LockedTransactionOptions,
): Promise<LockHolder | undefined> {
  const [holder] = await session.query<LockHolder>(
    `with ${LOCKED_OIDS}
     select ${HOLDER_COLUMNS}
       from pg_catalog.pg_locks held
       join pg_catalog.pg_stat_activity activity on activity.pid = held.pid
      cross join lateral (select held.relation in (select oid from locked) as is_ours) o
      where held.locktype = 'relation'
        and held.database = (select oid from pg_catalog.pg_database where datname = current_database())
        and (held.mode = 'AccessExclusiveLock' or (o.is_ours and held.mode = any ($2::text[])))
        and held.pid <> pg_catalog.pg_backend_pid()
      order by held.granted desc, o.is_ours desc, activity.xact_start
      limit 1`,
    [tables, CONFLICTS[mode]],
  )
  return holder
}

/**
 * Who was waited for in the middle of the transaction: the server says which statement it was, but not whose lock. Of the sessions that have
 * locks on the same tables in an open transaction, the one that writes, or else has been at it for longest.
 */
async function readHolderBehind(
  session: Session,
  { tables }: LockedTransactionOptions,
): Promise<LockHolder | undefined> {
  const [holder] = await session.query<LockHolder>(
    `with ${LOCKED_OIDS}
     select ${HOLDER_COLUMNS}
       from pg_catalog.pg_locks held
       join pg_catalog.pg_stat_activity activity on activity.pid = held.pid
      where held.locktype = 'relation' and held.granted and held.relation in (select oid from locked)
        and held.database = (select oid from pg_catalog.pg_database where datname = current_database())
        and held.pid <> pg_catalog.pg_backend_pid()
      order by held.mode = 'AccessShareLock', activity.xact_start
      limit 1`,
    [tables],
  )
  return holder
}

function refused(error: unknown, holder: LockHolder | undefined): UnderstudyError {
  const facts = describeSqlError(error)
  return new UnderstudyError(
    'LOCK_NOT_AVAILABLE',
    `rows or tables that are needed are held by ${describeHolder(holder)}`,
    {
      detail: [...holderFacts(holder), facts?.message, facts?.where, facts?.detail].filter(Boolean).join('\n'),
      hint: WAIT_HINT,
      cause: error,
    },
  )
}

const WAIT_HINT =
  'Nothing was written. Wait until the other transaction ends (see pg_stat_activity), or wait longer with `--wait`.'

function notAvailable(holder: LockHolder | undefined, waitMs: number): UnderstudyError {
  return new UnderstudyError('LOCK_NOT_AVAILABLE', `tables are in use by ${describeHolder(holder)}`, {
    detail: [...holderFacts(holder), describeWait(waitMs)].join('\n'),
    hint: WAIT_HINT,
  })
}
