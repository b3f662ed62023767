import type { Session } from '../database/port.js'
import { quoteLiteral } from '../database/quoting.js'
import { findRelation, relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import { recordHistory } from '../registry/history.js'
import { recordTransfer } from '../registry/registry.js'
import type { ImportRun } from './import-run.js'
import { recordLate } from './late-references.js'
import type { Load } from './load.js'
import { plannedRelations } from './plan.js'
import { instancesOf } from './reconcile.js'

/** Writes the import into the registry: whose rows are known by now, what waits for its target, and the lineage. */
export async function recordImport(
  session: Session,
  context: SqlContext,
  loads: readonly Load[],
  run: ImportRun,
): Promise<void> {
  if (knowsOrigins(run)) {
    for (const entry of run.index.files) {
      const name = { schema: entry.schema, name: entry.relation }
      if (findRelation(context.model, name)?.identity.kind !== 'origin') continue
      await recordHistory(session, relationLabel(name), instancesOf(entry, run))
    }
  }
  for (const load of loads) await recordLate(session, load, run.index.id)
  await recordTransfer(session, {
    direction: 'import',
    archiveId: run.index.id,
    archiveName: run.path.replace(/^.*[\\/]/, ''),
    sourceInstance: run.index.source.instance,
    mode: run.keepsKeys ? 'restore' : run.mode,
    relations: Object.fromEntries(
      run.index.files.map((file) => {
        const label = relationLabel({ schema: file.schema, name: file.relation })
        return [label, plannedRelations(loads).find((each) => each.relation === label) ?? { records: file.records }]
      }),
    ),
  })
}

/** Rows of an archive that does not know where they were born count as born here. */
function knowsOrigins(run: ImportRun): boolean {
  return run.index.source.instance !== null || run.isFileset
}

/** Writes where new rows came from into the registry; from then on they are found by it. */
export async function recordOrigins(session: Session, loads: readonly Load[], run: ImportRun): Promise<void> {
  if (!knowsOrigins(run)) return
  for (const load of loads) {
    if (load.relation.identity.kind === 'origin' && load.counts.inserts > 0) await recordOriginsOf(session, load)
  }
}

/** What stood there of rows that are gone gives way: their keys or origins may come again. */
async function recordOriginsOf(session: Session, load: Load): Promise<void> {
  const label = quoteLiteral(relationLabel(load.relation))
  const key = load.relation.surrogate.map((_, index) => `w.k${index + 1}::text`).join(` || ',' || `)
  const fresh = `select ${key} as local_key, p.o as origin from ${load.rows} w join ${load.parsed} p on p.n = w.n where w.is_new`
  await session.execute(
    `delete from understudy.origin o using (${fresh}) f
      where o.relation = ${label} and (o.local_key = f.local_key or o.origin = f.origin)`,
  )
  await session.execute(
    `insert into understudy.origin (relation, local_key, origin) select ${label}, f.local_key, f.origin from (${fresh}) f`,
  )
}
