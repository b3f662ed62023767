import { openArchive } from '../archive/reader.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { modelForTarget } from '../model/adapt-model.js'
import { buildModel } from '../model/build-model.js'
import { configuredRelations } from '../model/content-relations.js'
import { relationLabel, relationOf } from '../model/model.js'
import { createSqlContext, type SqlContext } from '../model/sql-context.js'
import { refuseCopy, refuseTwin } from '../registry/copies.js'
import { createRegistry, readInstance, refuseHiddenRegistry } from '../registry/registry.js'
import { findIncompatibilities } from './compatibility.js'
import type { ImportRun } from './import-run.js'
import { refuseUnkept } from './keep.js'
import { createLoad, type Load } from './load.js'
import { findRefreshed } from './materialized-views.js'
import { refusal } from './problems.js'
import { stageFile } from './stage.js'
import { Steps } from './steps.js'

export interface Prepared {
  readonly context: SqlContext
  readonly loads: Map<string, Load>
}

/** The archive's records in temporary tables, compared with nothing yet. */
export async function stageArchive(run: ImportRun): Promise<Prepared> {
  const { context, loads } = await prepare(run)
  await stageAll(run, new Steps(run), loads)
  return { context, loads }
}

/** The relations are locked: what is read of the catalog holds until the commit. */
export async function prepare(run: ImportRun): Promise<Prepared> {
  const { session, index } = run
  await letKeysCheck(session)
  await refuseHiddenRegistry(session)
  const known = await readInstance(session)
  await refuseCopy(session, known)
  // What is put back where it was bears this database's id, and a scratch database takes on that of the archive.
  if (!run.keepsKeys) await refuseTwin(session, known, index)
  const catalog = await readCatalog(session)
  const own = buildModel(catalog, run.settings)
  // With its own keys back, a bare value means the same row as it did.
  const problems = findIncompatibilities(index, catalog, run.keepsKeys ? { relations: [] } : own.model)
  if (problems.length > 0) {
    throw refusal(problems, 'IMPORT_INCOMPATIBLE')
  }
  findRefreshed(catalog.relations, run.settings.refresh)
  const configured = configuredRelations(catalog, run.settings)
  if (!run.keepsKeys) refuseUnkept(own.model, configured)
  const instance = run.isDryRun ? known : await createRegistry(session)
  const context = createSqlContext(catalog, modelForTarget(index.model, catalog), instance?.id ?? null, configured)
  const loads = new Map<string, Load>()
  for (const [position, entry] of index.files.entries()) {
    const name = { schema: entry.schema, name: entry.relation }
    if (!context.relations.has(relationLabel(name))) continue
    const load = createLoad(context, relationOf(context.model, name), entry, position + 1)
    loads.set(relationLabel(name), { ...load, isFileset: run.isFileset })
  }
  return { context, loads }
}

/** Under the role of a replica no foreign key is checked and no delete cascades: the import would leave references to nothing. */
async function letKeysCheck(session: Session): Promise<void> {
  const [setting] = await session.query<{ role: string }>(`select current_setting('session_replication_role') as role`)
  if (setting?.role !== 'replica') return
  try {
    await session.script('set local session_replication_role = origin')
  } catch (cause) {
    throw new UnderstudyError(
      'PRIVILEGE_MISSING',
      'session_replication_role is replica here: foreign keys would not be checked',
      {
        hint: 'Reset it for this role and database (alter role … reset session_replication_role, alter database … reset session_replication_role), or import with a role that may set it. Nothing was written.',
        cause,
      },
    )
  }
}

/**
 * For joins and sorts of whole relations. A small sample is enough to plan them, and costs a tenth of the usual one to take. The planner
 * believes that making a line costs next to nothing; only with cheap gathering does it let several processes make them.
 */
const BULK_SETTINGS: Readonly<Record<string, string>> = {
  work_mem: '128MB',
  maintenance_work_mem: '256MB',
  default_statistics_target: '10',
  parallel_setup_cost: '100',
  parallel_tuple_cost: '0.001',
}

export async function stageAll(run: ImportRun, steps: Steps, loads: ReadonlyMap<string, Load>): Promise<void> {
  await run.session.query(
    `select ${Object.entries(BULK_SETTINGS)
      .map(([name, value]) => `set_config('${name}', '${value}', true)`)
      .join(', ')}`,
  )
  for await (const file of openArchive(run.path, { expectedIndexSha256: run.index.index_sha256, signal: run.signal })) {
    run.signal?.throwIfAborted()
    const load = loads.get(relationLabel({ schema: file.entry.schema, name: file.entry.relation }))
    if (load === undefined) continue
    steps.turnTo(relationLabel(load.relation))
    await stageFile(run.session, load, file.lines(), run.onProgress)
  }
}

/** The same loads as they were after staging. */
export function startAgain(context: SqlContext, loads: ReadonlyMap<string, Load>): Map<string, Load> {
  return new Map(
    [...loads].map(([label, load], index) => [
      label,
      {
        ...createLoad(context, load.relation, load.entry, index + 1),
        stage: load.stage,
        hasUnreadable: load.hasUnreadable,
        isFileset: load.isFileset,
      },
    ]),
  )
}
