import { isLockFailure } from '../database/locked-transaction.js'
import type { Database, Encoder, Lookups, Session } from '../database/port.js'
import { quoteLiteral } from '../database/quoting.js'
import { pinSettings } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import type { MarkedLines } from '../marked-lines.js'
import { encoderOf } from '../model/encodings.js'
import { recordLines, recordRows } from '../model/line-sql.js'
import type { ContentColumn, ContentRelation } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'

/** Relations are read side by side already; processes that share out one of them on top cost the server a tenth more of its time. */
const NO_PARALLEL_PLANS = 'set local max_parallel_workers_per_gather = 0'

/** What a join whose table does not fit into its memory takes to disk, it writes and reads twice. So it gets 64 MB, unless it has more. */
const MEMORY_FOR_JOINS = `select set_config('hash_mem_multiplier', greatest(current_setting('hash_mem_multiplier')::numeric,
  least(1000, pg_size_bytes('64MB') / pg_size_bytes(current_setting('work_mem'))::numeric))::text, true)`

/**
 * Runs `work` in `jobs` sessions that all see the snapshot of `session`'s transaction, itself among them. The first failure ends them all.
 */
export async function withSnapshotWorkers(
  database: Database,
  session: Session,
  { jobs, tables, signal }: WorkerOptions,
  work: (worker: Session) => Promise<void>,
): Promise<void> {
  await planReading(session)
  if (jobs <= 1) return await work(session)
  const [exported] = await session.query<{ snapshot: string }>('select pg_export_snapshot() as snapshot')
  const snapshot = exported?.snapshot
  if (snapshot === undefined) throw new Error('the server exported no snapshot')
  const failed = new AbortController()
  const anyEnd = AbortSignal.any([failed.signal, ...(signal === undefined ? [] : [signal])])
  const helpers = Array.from({ length: jobs - 1 }, () =>
    database
      .withSession((worker) =>
        worker.transaction({ isolation: 'repeatable read', isReadOnly: true }, () =>
          worker.abortable(anyEnd, async () => {
            await worker.script(`set transaction snapshot ${quoteLiteral(snapshot)}`)
            await pinSettings(worker)
            await planReading(worker)
            if (await canLock(worker, tables)) await work(worker)
          }),
        ),
      )
      .catch(passOverFullServer),
  )
  const parts = [session.abortable(anyEnd, () => work(session)), ...helpers]
  await Promise.all(parts.map((part) => part.catch((error: unknown) => failed.abort(error))))
  anyEnd.throwIfAborted()
}

/** Where no connection is left, those that there are do all of it. */
function passOverFullServer(error: unknown): void {
  if (!(error instanceof UnderstudyError) || error.code !== 'TOO_MANY_CONNECTIONS') throw error
}

async function planReading(session: Session): Promise<void> {
  await session.script(NO_PARALLEL_PLANS)
  await session.query(MEMORY_FOR_JOINS)
}

interface WorkerOptions {
  readonly jobs: number
  /** What is read: locked by the session that gives the snapshot. */
  readonly tables: readonly string[]
  readonly signal: AbortSignal | undefined
}

/**
 * Whether a worker gets the locks that the first session holds. Somebody who wants a table alone waits for that session, and the worker would
 * wait behind him: neither would ever end, and no server sees that one worker waits for another. So it leaves its part to the others.
 */
async function canLock(worker: Session, tables: readonly string[]): Promise<boolean> {
  try {
    await worker.script(`lock table ${tables.join(', ')} in access share mode nowait`)
    return true
  } catch (error) {
    if (!isLockFailure(error)) throw error
    // The failed transaction has nothing to keep.
    await worker.script('rollback and chain')
    return false
  }
}

/** A relation's records as the snapshot has them, one JSON line each. */
export async function* readSnapshot(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
  { lookups, isInOrder = false, signal }: ReadOptions,
): AsyncGenerator<Uint8Array | MarkedLines> {
  const pageCost = isInOrder ? await preferIndexes(session) : undefined
  for await (const chunk of readRecords(session, context, relation, lookups)) {
    signal?.throwIfAborted()
    yield chunk
  }
  if (pageCost !== undefined) await setPageCost(session, pageCost)
}

/** What is in memory is read in any order at the same cost. Returns the cost that was set before. */
async function preferIndexes(session: Session): Promise<string | undefined> {
  const [cost] = await session.query<{ random: string; sequential: string }>(
    `select current_setting('random_page_cost') as random, current_setting('seq_page_cost') as sequential`,
  )
  if (cost !== undefined) await setPageCost(session, cost.sequential)
  return cost?.random
}

async function setPageCost(session: Session, cost: string): Promise<void> {
  await session.query(`select set_config('random_page_cost', $1::text, true)`, [cost])
}

interface ReadOptions {
  /** By column: what spares a join. */
  readonly lookups: Lookups
  /** Whether an index that is in memory may have the rows in their order. Default: false. */
  readonly isInOrder?: boolean | undefined
  readonly signal: AbortSignal | undefined
}

function readRecords(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
  lookups: Lookups,
): AsyncIterable<Uint8Array | MarkedLines> {
  if (relation.identity.kind === 'content') return session.readLines(recordLines(context, relation))
  const encoders = encodersOf(relation)
  const columns = relation.columns.map((column) =>
    lookups.has(column.key) || encoders.has(column.key) ? asItIs(column) : column,
  )
  return session.readRecords(recordRows(context, relation, columns), { lookups, encoders })
}

function encodersOf({ columns }: ContentRelation): Map<string, Encoder> {
  const encoders = new Map<string, Encoder>()
  for (const column of columns) {
    const encoder = encoderOf(column)
    if (encoder !== undefined) encoders.set(column.key, encoder)
  }
  return encoders
}

/** The column with its bare value, in place of its encoding or of what it points to. */
function asItIs(column: ContentColumn): ContentColumn {
  return { ...column, encoding: 'json', translation: undefined }
}
