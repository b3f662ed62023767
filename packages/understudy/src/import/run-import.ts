import type { ArchiveIndex } from '../archive/archive-index.js'
import { openArchive } from '../archive/reader.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { quoteQualified } from '../database/quoting.js'
import { pinSettings } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { modelForTarget } from '../model/adapt-model.js'
import { buildModel } from '../model/build-model.js'
import { configuredRelations } from '../model/content-relations.js'
import { relationLabel, relationOf } from '../model/model.js'
import { createSqlContext, fromRelation, type SqlContext } from '../model/sql-context.js'
import type { OnProgress, ProgressEvent } from '../progress.js'
import { createRegistry, readInstance } from '../registry/registry.js'
import { allocateKeys } from './allocate.js'
import { applyLoads } from './apply.js'
import { attempt } from './attempt.js'
import { describeCascades } from './cascades.js'
import { findIncompatibilities } from './compatibility.js'
import { attachForeignKeys, detachForeignKeys } from './foreign-keys.js'
import { withSettableIdentities } from './identity-columns.js'
import { attachIndexes, detachIndexes } from './indexes.js'
import { createLoad, hasChanges, type Load } from './load.js'
import { lockRelations } from './lock.js'
import { matchRows } from './match.js'
import { settleMissing } from './missing.js'
import { pairContent, parseStaged } from './parse.js'
import { type ImportMode, type ImportPlan, type MissingPolicy, plannedRelations } from './plan.js'
import { planOwnedDeletes, refuseUnrelated } from './reconcile.js'
import { recordImport } from './record.js'
import { repairCascades } from './repair.js'
import { advanceSequences, catchUpSequences } from './sequences.js'
import { stageFile } from './stage.js'
import { resumeTriggers, suspendTriggers } from './triggers.js'
import { describeCollision, findCollisions, parkRows, type WatchedKey } from './unique-keys.js'
import { verifyWritten } from './verify.js'

export interface ImportRun {
  readonly session: Session
  readonly settings: Settings
  /** Where the target is, safe to print. */
  readonly target: string
  readonly path: string
  readonly index: ArchiveIndex
  readonly mode: ImportMode
  readonly onMissing: MissingPolicy
  readonly isDryRun: boolean
  readonly waitMs: number
  /** Throws where the plan is not the one that was agreed. */
  readonly approve: (plan: ImportPlan) => void
  readonly onProgress: OnProgress | undefined
  readonly signal: AbortSignal | undefined
}

export interface ImportStep {
  readonly step: string
  readonly durationMs: number
}

export interface Outcome {
  readonly plan: ImportPlan
  readonly steps: readonly ImportStep[]
}

/** A dry run ends its transaction on purpose. */
class DryRunDone extends Error {
  constructor(readonly outcome: Outcome) {
    super('the dry run is done')
  }
}

/** The whole import in one transaction; a dry run does all of it that writes no table, and rolls back. */
export async function runImport(run: ImportRun): Promise<Outcome> {
  try {
    return await run.session.transaction({}, () => importInTransaction(run))
  } catch (error) {
    if (error instanceof DryRunDone) return error.outcome
    throw asRefusal(error)
  }
}

const INSUFFICIENT_PRIVILEGE = '42501'

/** What the database refuses outside the steps for one relation. */
function asRefusal(error: unknown): unknown {
  const facts = describeSqlError(error)
  if (facts === undefined) return error
  const code = facts.sqlstate === INSUFFICIENT_PRIVILEGE ? 'PRIVILEGE_MISSING' : 'IMPORT_REFUSED_BY_DATABASE'
  return new UnderstudyError(code, facts.message, {
    detail: facts.detail,
    hint: facts.hint ?? 'Nothing was written.',
    cause: error,
  })
}

async function importInTransaction(run: ImportRun): Promise<Outcome> {
  const { session } = run
  const steps = new Steps(run)
  const { context, loads } = await steps.time('lock', () => prepare(run))
  await steps.time('stage', () => stageAll(run, loads))
  const list = [...loads.values()]
  await steps.time('match', async () => {
    for (const load of list) {
      steps.report('match', load)
      await countTarget(session, context, load)
      if (load.relation.identity.kind === 'content') await pairContent(session, context, load)
      await attempt(load, 'read the records of', () => parseStaged(session, context, load))
      await attempt(load, 'match the rows of', () => matchRows(session, context, load))
    }
    await refuseUnrelated(session, context, list, run)
    await planOwnedDeletes(session, context, loads)
  })
  const notes = await steps.time('bind', async () => {
    const differing = list.filter((load) => load.hasDifferences)
    if (!run.isDryRun) await advanceSequences(session, context, differing)
    for (const load of differing) {
      await attempt(load, 'allocate keys for', () => allocateKeys(session, context, load, run.isDryRun))
    }
    return await settleMissing(session, context, loads, run)
  })
  const parked = await steps.time('check', () => refuseCollisions(session, context, list))
  const plan = planOf(run, list, [...notes, ...(await describeCascades(session, context, loads))])
  run.approve(plan)
  if (run.isDryRun) throw new DryRunDone({ plan, steps: steps.list })
  await steps.time('write', () => writeAll(run, steps, context, loads, parked))
  return { plan, steps: steps.list }
}

/** Locks first, then reads the catalog: what is read holds until the commit. */
async function prepare(run: ImportRun): Promise<{ context: SqlContext; loads: Map<string, Load> }> {
  const { session, index } = run
  await pinSettings(session)
  if (!run.isDryRun) await lockRelations(session, index, run.waitMs)
  const catalog = await readCatalog(session)
  const own = buildModel(catalog, run.settings)
  const problems = findIncompatibilities(index, catalog, own.model)
  if (problems.length > 0) {
    throw new UnderstudyError(
      'IMPORT_INCOMPATIBLE',
      `the archive does not fit the target in ${problems.length} places`,
      {
        detail: problems.join('\n'),
        hint: 'Bring both databases to the same migrations, or export with --exclude.',
      },
    )
  }
  const instance = run.isDryRun ? await readInstance(session) : await createRegistry(session)
  const context = createSqlContext(
    catalog,
    modelForTarget(index.model, catalog),
    instance?.id ?? null,
    configuredRelations(catalog, run.settings),
  )
  const loads = new Map<string, Load>()
  for (const [position, entry] of index.files.entries()) {
    const name = { schema: entry.schema, name: entry.relation }
    if (!context.relations.has(relationLabel(name))) continue
    loads.set(relationLabel(name), createLoad(context, relationOf(context.model, name), entry, position + 1))
  }
  return { context, loads }
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

async function stageAll(run: ImportRun, loads: ReadonlyMap<string, Load>): Promise<void> {
  await run.session.query(
    `select ${Object.entries(BULK_SETTINGS)
      .map(([name, value]) => `set_config('${name}', '${value}', true)`)
      .join(', ')}`,
  )
  for await (const file of openArchive(run.path, { expectedIndexSha256: run.index.index_sha256, signal: run.signal })) {
    run.signal?.throwIfAborted()
    const load = loads.get(relationLabel({ schema: file.entry.schema, name: file.entry.relation }))
    if (load === undefined) continue
    await stageFile(run.session, load, file.lines(), run.onProgress)
  }
}

async function countTarget(session: Session, context: SqlContext, load: Load): Promise<void> {
  const [row] = await session.query<{ rows: number }>(
    `select count(*) as rows from ${fromRelation(context, load.relation)}`,
  )
  load.rowsBefore = row?.rows ?? 0
}

async function refuseCollisions(
  session: Session,
  context: SqlContext,
  loads: readonly Load[],
): Promise<readonly WatchedKey[]> {
  const { collisions, parked } = await findCollisions(session, context, loads)
  if (collisions.length === 0) return parked
  throw new UnderstudyError('IMPORT_REFUSED', 'values of unique keys are taken by other rows of the target', {
    detail: collisions.map(describeCollision).join('\n'),
    hint: 'Change one of the two rows, or make this key the identity of the relation.',
  })
}

function planOf(run: ImportRun, loads: readonly Load[], notes: readonly string[]): ImportPlan {
  return {
    archive: { id: run.index.id, name: run.path.replace(/^.*[\\/]/, ''), createdAt: run.index.created_at },
    target: run.target,
    mode: run.mode,
    relations: plannedRelations(loads),
    notes,
  }
}

async function writeAll(
  run: ImportRun,
  steps: Steps,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
  parked: readonly WatchedKey[],
): Promise<void> {
  const { session } = run
  const changing = [...loads.values()].filter(hasChanges)
  const firing = changing.filter((load) => triggerPolicy(run.settings, context, load) === 'fire')
  const suspended = await suspendTriggers(
    session,
    changing.filter((load) => !firing.includes(load)),
  )
  const detached = run.mode === 'init' ? await detachForeignKeys(session, context, changing) : []
  const indexes = run.mode === 'init' ? await detachIndexes(session, context, changing) : []
  // A generated column's or a check's function may name a table without its schema: rows are written under the database's own path.
  await pinSettings(session, { searchPath: 'own' })
  await session.execute('set constraints all deferred')
  await parkRows(session, context, parked)
  await withSettableIdentities(session, context, changing, async () => {
    await applyLoads(session, context, loads, (relation, rows) => steps.reportRelation('write', relation, rows))
    await pinSettings(session)
    await repairCascades(session, context, loads)
  })
  // A table with pending trigger events cannot be altered: deferred checks run now, while a failure still rolls everything back.
  await session.execute('set constraints all immediate')
  await attachIndexes(session, indexes)
  await attachForeignKeys(session, detached)
  await resumeTriggers(session, suspended)
  await catchUpSequences(session, context, changing)
  await verifyWritten(session, context, firing)
  await recordImport(session, context, changing, run)
}

function triggerPolicy(settings: Settings, context: SqlContext, load: Load): 'suspend' | 'fire' {
  return context.configured.get(relationLabel(load.relation))?.triggers ?? settings.triggers
}

/** Planner statistics of what a large part was written to: without them the first queries of the application go astray. */
export async function analyzeWritten(session: Session, plan: ImportPlan): Promise<void> {
  const MIN_CHANGES = 1000
  for (const relation of plan.relations) {
    if (relation.inserts + relation.updates + relation.deletes < MIN_CHANGES) continue
    await session.script(`analyze ${quoteQualified({ schema: relation.schema, name: relation.name })}`)
  }
}

/** Times the steps and reports progress. */
class Steps {
  readonly list: ImportStep[] = []

  constructor(private readonly run: ImportRun) {}

  async time<T>(step: ProgressEvent['step'], work: () => Promise<T>): Promise<T> {
    this.run.signal?.throwIfAborted()
    this.#emit(step, null, 0, false)
    const startedAt = performance.now()
    const result = await work()
    this.list.push({ step, durationMs: Math.round(performance.now() - startedAt) })
    this.#emit(step, null, 0, true)
    return result
  }

  report(step: ProgressEvent['step'], load: Load): void {
    this.reportRelation(step, relationLabel(load.relation), load.entry.records)
  }

  reportRelation(step: ProgressEvent['step'], relation: string, rows: number): void {
    this.run.signal?.throwIfAborted()
    this.#emit(step, relation, rows, false)
  }

  #emit(step: ProgressEvent['step'], relation: string | null, rows: number, isDone: boolean): void {
    this.run.onProgress?.({ step, relation, rows, totalRows: null, bytes: 0, isDone })
  }
}
