import type { Database, Session } from '../database/port.js'
import { quoteLiteral } from '../database/quoting.js'
import { pinSettings } from '../database/settings.js'
import { recordSelect } from '../model/line-sql.js'
import type { ContentRelation } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'

/**
 * Runs `work` in `jobs` sessions that all see the snapshot of `session`'s transaction, itself among them. The first failure ends them all.
 */
export async function withSnapshotWorkers(
  database: Database,
  session: Session,
  { jobs, signal }: { readonly jobs: number; readonly signal: AbortSignal | undefined },
  work: (worker: Session) => Promise<void>,
): Promise<void> {
  if (jobs <= 1) return await work(session)
  const [exported] = await session.query<{ snapshot: string }>('select pg_export_snapshot() as snapshot')
  const snapshot = exported?.snapshot
  if (snapshot === undefined) throw new Error('the server exported no snapshot')
  const failed = new AbortController()
  const anyEnd = AbortSignal.any([failed.signal, ...(signal === undefined ? [] : [signal])])
  const helpers = Array.from({ length: jobs - 1 }, () =>
    database.withSession((worker) =>
      worker.transaction({ isolation: 'repeatable read', isReadOnly: true }, () =>
        worker.abortable(anyEnd, async () => {
          await worker.script(`set transaction snapshot ${quoteLiteral(snapshot)}`)
          await pinSettings(worker)
          await work(worker)
        }),
      ),
    ),
  )
  const parts = [session.abortable(anyEnd, () => work(session)), ...helpers]
  await Promise.all(parts.map((part) => part.catch((error: unknown) => failed.abort(error))))
  anyEnd.throwIfAborted()
}

/** A relation's records as the snapshot has them, one JSON line each. */
export async function* readSnapshot(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of session.readLines(recordSelect(context, relation))) {
    signal?.throwIfAborted()
    yield chunk
  }
}
