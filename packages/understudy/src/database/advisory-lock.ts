import { setTimeout as sleep } from 'node:timers/promises'
import { UnderstudyError } from '../errors.js'
import { describeHolder, describeWait, HOLDER_COLUMNS, holderFacts, type LockHolder } from './lock-holder.js'
import type { Session } from './port.js'
import { PostgresSession } from './postgres-session.js'

/** The first half of every advisory lock of Understudy's: the bytes `unds`. The second half is the key. */
export const LOCK_CLASS = 0x756e6473

/** The key of whatever changes a database: imports and migrations exclude one another. */
export const LOCK_KEY = 1

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1000

export interface AdvisoryLockOptions {
  /** Default: `LOCK_KEY`. */
  readonly key?: number
  /** How long to wait; 0 asks once. */
  readonly waitMs: number
  /** Called when a wait begins, and again when another session has become the holder. */
  readonly onWait?: ((holder: LockHolder | undefined) => void) | undefined
  /** Ends the wait with its reason; `work` is not concerned. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs `work` while this session holds an advisory lock of its database. Call it before any transaction: the lock is
 * polled, so that the snapshot of a transaction inside `work` is younger than everything that the holder before committed.
 * On PGlite the folder's own lock does the same, and nothing is asked.
 *
 * Throws LOCK_NOT_AVAILABLE after `waitMs`, naming the holder; POOLER_REFUSED behind a transaction pooler, where every
 * transaction may run in another server process and a session's lock protects nothing.
 */
export async function withAdvisoryLock<T>(
  session: Session,
  options: AdvisoryLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  if (session.driver === 'pglite') return await work()
  await refusePooler(session)
  const key = options.key ?? LOCK_KEY
  await session.abortable(options.signal, () => acquire(session, key, options))
  let result: T
  try {
    result = await work()
  } catch (error) {
    // Fails only with the session, and then the server has let go of the lock itself.
    await release(session, key).catch(() => false)
    throw error
  }
  if (!(await release(session, key)))
    throw poolerRefused('The lock was gone before the work under it was done; the work is committed.')
  return result
}

async function refusePooler(session: Session): Promise<void> {
  const evidence = session instanceof PostgresSession ? await session.findTransactionPooler() : undefined
  if (evidence !== undefined) throw poolerRefused(evidence)
}

function poolerRefused(detail: string): UnderstudyError {
  return new UnderstudyError('POOLER_REFUSED', 'the connection goes through a transaction pooler', {
    detail,
    hint: 'Connect to the server itself (often another port or host name), or through a pooler in session mode.',
  })
}

async function acquire(session: Session, key: number, options: AdvisoryLockOptions): Promise<void> {
  const deadline = Date.now() + options.waitMs
  let announced: number | undefined
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    if (await tryLock(session, key)) return
    const holder = await readHolder(session, key)
    const remainingMs = deadline - Date.now()
    if (remainingMs <= 0) throw notAvailable(holder, options.waitMs)
    if (announced === undefined || (holder !== undefined && announced !== holder.pid)) options.onWait?.(holder)
    announced = holder?.pid ?? announced ?? 0
    await sleep(Math.min(pauseMs, remainingMs), undefined, { signal: options.signal })
  }
}

async function tryLock(session: Session, key: number): Promise<boolean> {
  const [row] = await session.query<{ held: boolean }>(
    'select pg_catalog.pg_try_advisory_lock($1::integer, $2::integer) as held',
    [LOCK_CLASS, key],
  )
  return row?.held === true
}

async function release(session: Session, key: number): Promise<boolean> {
  const [row] = await session.query<{ was_held: boolean }>(
    'select pg_catalog.pg_advisory_unlock($1::integer, $2::integer) as was_held',
    [LOCK_CLASS, key],
  )
  return row?.was_held === true
}

/** Who holds the lock; undefined when it was let go a moment ago. */
export async function readHolder(session: Session, key: number = LOCK_KEY): Promise<LockHolder | undefined> {
  const [holder] = await session.query<LockHolder>(
    `select ${HOLDER_COLUMNS}
     from pg_catalog.pg_locks as held
     join pg_catalog.pg_stat_activity as activity on activity.pid = held.pid
     where held.locktype = 'advisory'
       and held.objsubid = 2 /* a lock of two integers */
       and held.granted
       and held.classid = $1::bigint::oid
       and held.objid = $2::bigint::oid
       and held.database = (select oid from pg_catalog.pg_database where datname = current_database())`,
    [LOCK_CLASS, key],
  )
  return holder
}

function notAvailable(holder: LockHolder | undefined, waitMs: number): UnderstudyError {
  return new UnderstudyError('LOCK_NOT_AVAILABLE', `the database is in use by ${describeHolder(holder)}`, {
    detail: [...holderFacts(holder), `${describeWait(waitMs)} for advisory lock (${LOCK_CLASS}, …)`].join('\n'),
    hint: 'Wait until it is done. If it hangs, its owner can end it with pg_terminate_backend.',
  })
}
