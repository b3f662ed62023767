import type { ArchiveIndex } from '../archive/archive-index.js'
import { openArchive } from '../archive/reader.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import { describeSqlError } from '../database/failures.js'
import { lockedTransaction, type WaitOptions } from '../database/locked-transaction.js'
import type { Session } from '../database/port.js'
import { quoteQualified } from '../database/quoting.js'
import { useSearchPath } from '../database/settings.js'
import { type Problem, UnderstudyError } from '../errors.js'
import { modelForTarget } from '../model/adapt-model.js'
import { buildModel } from '../model/build-model.js'
import { configuredRelations } from '../model/content-relations.js'
import { type RelationName, relationLabel, relationOf } from '../model/model.js'
import { createSqlContext, type SqlContext } from '../model/sql-context.js'
import type { OnProgress, ProgressEvent } from '../progress.js'
import { refuseCopy, refuseTwin } from '../registry/copies.js'
import { createRegistry, readInstance } from '../registry/registry.js'
import { allocateKeys } from './allocate.js'
import { applyLoads } from './apply.js'
import { attempt } from './attempt.js'
import { carriedAlong, describeCascades } from './cascades.js'
import { findIncompatibilities } from './compatibility.js'
import { refreshCopies } from './copies.js'
import { refuseDuplicates } from './duplicates.js'
import { followersOf } from './followers.js'
import { attachForeignKeys, detachForeignKeys } from './foreign-keys.js'
import { withSettableIdentities } from './identity-columns.js'
import { attachIndexes, detachIndexes } from './indexes.js'
import { keepOwnValues, refuseUnkept } from './keep.js'
import { planLate, resolveLate } from './late-references.js'
import { createLoad, hasChanges, type Load } from './load.js'
import { relationsToLock } from './lock.js'
import { countTarget, matchRows } from './match.js'
import { findRefreshed, refreshViews } from './materialized-views.js'
import { settleMissing } from './missing.js'
import { type PackageReport, PackageSteps } from './package-steps.js'
import type { LoadedPackage } from './packages.js'
import { pairContent, parseStaged } from './parse.js'
import type { Placeholder } from './placeholders.js'
import { type ImportMode, type ImportPlan, type MissingPolicy, plannedRelations } from './plan.js'
import { refusal } from './problems.js'
import { findUnrelated, planOwnedDeletes } from './reconcile.js'
import { recordImport, recordOrigins } from './record.js'
import { orDiagnose } from './recover.js'
import { findRefused } from './refusals.js'
import { repairCascades } from './repair.js'
import { matchOrder, respell, respelling } from './respell.js'
import { advanceSequences, catchUpSequences } from './sequences.js'
import { stageFile } from './stage.js'
import { findTakenLate, nameStandIns, planGivingWay } from './stand-ins.js'
import { resumeTriggers, suspendTriggers } from './triggers.js'
import { findCollisions, type WatchedKey } from './unique-keys.js'
import { findUnreadable } from './unreadable.js'
import { verifyWritten } from './verify.js'

export interface ImportRun {
  readonly session: Session
  readonly settings: Settings
  /** Where the target is, safe to print. */
  readonly target: string
  readonly path: string
  /** The archive's index, without the relations that are not loaded. */
  readonly index: ArchiveIndex
  /** True: the archive was made of a fileset, and a record's master_id is where it stands: `events.csv:12`. */
  readonly isFileset: boolean
  /** The data packages that take part, in their order. */
  readonly packages: readonly LoadedPackage[]
  readonly mode: ImportMode
  readonly onMissing: MissingPolicy
  readonly isDryRun: boolean
  /** True for a restore into emptied relations: new rows keep the keys that they had in the source. */
  readonly keepsKeys?: boolean | undefined
  readonly waitMs: number
  readonly onWait: WaitOptions['onWait']
  /** Throws where the plan is not the one that was agreed. */
  readonly approve: (plan: ImportPlan) => void
  readonly onProgress: OnProgress | undefined
  readonly signal: AbortSignal | undefined
  readonly journal: ImportJournal
}

export interface ImportStep {
  readonly step: string
  readonly durationMs: number
}

export interface Outcome {
  readonly plan: ImportPlan
  readonly steps: readonly ImportStep[]
  /** How many references of earlier imports got their target. */
  readonly resolvedLate: number
  /** How many copies of other values (`relations.….copies`) were computed anew. */
  readonly refreshedCopies: number
  /** Empty in a dry run. */
  readonly packages: readonly PackageReport[]
}

/** What is known of an import while it goes on, for the report of one that fails. */
export interface ImportJournal {
  plan: ImportPlan | null
  steps: ImportStep[]
}

/** A dry run ends its transaction on purpose. */
class DryRunDone extends Error {
  constructor(readonly outcome: Outcome) {
    super('the dry run is done')
  }
}

/** The whole import in one transaction; a dry run does all of it that writes no table, and rolls back. */
export async function runImport(run: ImportRun): Promise<Outcome> {
  const { session, isDryRun, waitMs, onWait, signal } = run
  try {
    const tables = isDryRun ? [] : await relationsToLock(session, run.index)
    const locks = { tables, mode: 'share row exclusive', waitMs, onWait, signal } as const
    const steps = new Steps(run)
    return await lockedTransaction(session, locks, {
      prepare: () => steps.time('lock', () => prepare(run)),
      work: (prepared) => importPrepared(run, steps, prepared),
    })
  } catch (error) {
    if (error instanceof DryRunDone) return error.outcome
    throw asRefusal(error)
  }
}

const INSUFFICIENT_PRIVILEGE = '42501'

/** What the database refuses outside the steps for one relation. */
export function asRefusal(error: unknown): unknown {
  const facts = describeSqlError(error)
  if (facts === undefined) return error
  const code = facts.sqlstate === INSUFFICIENT_PRIVILEGE ? 'PRIVILEGE_MISSING' : 'IMPORT_REFUSED_BY_DATABASE'
  return new UnderstudyError(code, facts.message, {
    detail: facts.detail,
    hint: facts.hint ?? 'Nothing was written.',
    cause: error,
  })
}

/** Inside the caller's transaction, which has locked the relations and pinned the settings. */
export async function importInTransaction(run: ImportRun): Promise<Outcome> {
  const steps = new Steps(run)
  return await importPrepared(run, steps, await steps.time('lock', () => prepare(run)))
}

async function importPrepared(run: ImportRun, steps: Steps, { context, loads: staged }: Prepared): Promise<Outcome> {
  const { session, journal } = run
  const packages = new PackageSteps(run.packages)
  await steps.time('stage', () => stageAll(run, steps, staged))
  const loads = packages.haveSeeds
    ? await steps.time('seed', () => seed(run, steps, packages, context, staged))
    : staged
  const planned = await orDiagnose(
    session,
    'staged',
    () => planLoads(run, steps, context, loads, []),
    async (error) => {
      const unreadable: Problem[] = []
      for (const load of loads.values()) unreadable.push(...(await findUnreadable(session, context, load)))
      if (unreadable.length === 0) throw error
      return await planLoads(run, steps, context, startAgain(context, loads), unreadable)
    },
  )
  journal.plan = planned.plan
  if (planned.problems.length > 0) throw refusal(planned.problems)
  run.approve(planned.plan)
  if (run.isDryRun)
    throw new DryRunDone({
      plan: planned.plan,
      steps: journal.steps,
      resolvedLate: 0,
      refreshedCopies: 0,
      packages: [],
    })
  const written = await orDiagnose(
    session,
    'planned',
    () => steps.time('write', () => writeAll(run, steps, packages, context, planned)),
    async (error) => {
      const refused = await findRefused(session, context, [...planned.loads.values()], false)
      throw refused.length > 0 ? refusal(refused) : error
    },
  )
  return {
    plan: planned.plan,
    steps: journal.steps,
    ...written,
    packages: packages.report(planned.plan, steps.spent),
  }
}

/**
 * Runs the seeds of all packages, before anything is compared: the import then finds what they made. An init is refused for rows that the
 * target held before. Returns the loads as they were.
 */
async function seed(
  run: ImportRun,
  steps: Steps,
  packages: PackageSteps,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
): Promise<ReadonlyMap<string, Load>> {
  const { session } = run
  if (run.mode === 'init') await refuseOccupied(run, steps, context, loads)
  await useSearchPath(session, 'own')
  await packages.seed(session)
  await useSearchPath(session, 'none')
  return startAgain(context, loads)
}

async function refuseOccupied(
  run: ImportRun,
  steps: Steps,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
): Promise<void> {
  const { session } = run
  const occupied = new Map<string, Load>()
  for (const [label, load] of loads) {
    await countTarget(session, context, load)
    if (load.rowsBefore > 0) occupied.set(label, load)
  }
  await session.script('savepoint understudy_occupied')
  await matchLoads(run, steps, context, occupied)
  const unrelated = await findUnrelated(session, context, [...occupied.values()], run)
  if (unrelated.length > 0) throw refusal(unrelated)
  await session.script('rollback to savepoint understudy_occupied; release savepoint understudy_occupied')
}

interface Matched {
  /** In it rows read as they will be written, and bear the identity that they wait for: in it references find them. */
  readonly context: SqlContext
  readonly doubles: ReadonlyMap<string, string>
}

/** Pairs what is staged with what is there, relation by relation. */
async function matchLoads(
  run: ImportRun,
  steps: Steps,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
): Promise<Matched> {
  const { session } = run
  const named = await nameStandIns(session, context)
  const written = respelling(named.context)
  for (const load of matchOrder(context, loads)) {
    steps.report('match', load)
    await countTarget(session, context, load)
    if (load.relation.identity.kind === 'content') await pairContent(session, written, load)
    await attempt(load, 'read the records of', () => parseStaged(session, context, load))
    await attempt(load, 'match the rows of', () => matchRows(session, written, load))
    await respell(session, written, load, loads)
  }
  return { context: written, doubles: named.doubles }
}

interface Planned {
  readonly loads: ReadonlyMap<string, Load>
  readonly plan: ImportPlan
  readonly problems: readonly Problem[]
  readonly parked: readonly WatchedKey[]
  readonly placeholders: readonly Placeholder[]
}

/**
 * Everything up to the first write. Problems are gathered to the end, so that all are told at once; only where the two sides have nothing in
 * common would what follows be noise.
 */
async function planLoads(
  run: ImportRun,
  steps: Steps,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
  earlier: readonly Problem[],
): Promise<Planned> {
  const { session } = run
  const list = [...loads.values()]
  const { written, standing, kept } = await steps.time('match', async () => {
    // A restore puts back what was there, to the last value.
    const notes = run.keepsKeys ? [] : await keepOwnValues(session, context, list)
    const found = await matchLoads(run, steps, context, loads)
    await refuseDuplicates(session, context, list)
    // Rows that its own seeds made are no reason to refuse an init; `seed` has looked at those that were there before.
    const mode = run.packages.some(({ seeds }) => seeds.length > 0) ? 'replace' : run.mode
    const unrelated = await findUnrelated(session, context, list, { ...run, mode })
    if (unrelated.length > 0) throw refusal([...earlier, ...unrelated])
    await planOwnedDeletes(session, context, loads)
    const standing = await planGivingWay(session, context, loads, found.doubles)
    return { written: found.context, standing, kept: notes }
  })
  const settled = await steps.time('bind', async () => {
    const differing = list.filter((load) => load.hasDifferences)
    if (!run.isDryRun) await advanceSequences(session, context, differing)
    for (const load of differing) {
      await attempt(load, 'allocate keys for', () => allocateKeys(session, context, load, run))
    }
    return await settleMissing(session, written, loads, run)
  })
  return await steps.time('check', async () => {
    const { collisions, parked } = await findCollisions(session, context, list)
    const waiting = standing.length > 0 ? standing : await findTakenLate(session, written, loads)
    const problems = [...earlier, ...settled.problems, ...collisions, ...waiting]
    if (run.isDryRun || problems.length > 0) problems.push(...(await findRefused(session, context, list, run.isDryRun)))
    const plan = planOf(run, list, {
      lateReferences: await planLate(session, written, loads),
      notes: [
        ...describeSource(run, context),
        ...kept,
        ...settled.notes,
        ...(await describeCascades(session, context, loads)),
      ],
    })
    return { loads, plan, problems, parked, placeholders: settled.placeholders }
  })
}

/** Where several archives stand in one folder, the newest may be of this very database, and change nothing that it was meant to. */
function describeSource({ index, isFileset }: ImportRun, { instance }: SqlContext): string[] {
  const isOwn = !isFileset && instance !== null && index.source.instance === instance
  return isOwn
    ? ['this database wrote the archive itself: it brings back an earlier state, and nothing from elsewhere']
    : []
}

/** The same loads as they were after staging. */
function startAgain(context: SqlContext, loads: ReadonlyMap<string, Load>): Map<string, Load> {
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

interface Prepared {
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
async function prepare(run: ImportRun): Promise<Prepared> {
  const { session, index } = run
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

async function stageAll(run: ImportRun, steps: Steps, loads: ReadonlyMap<string, Load>): Promise<void> {
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

function planOf(
  run: ImportRun,
  loads: readonly Load[],
  beside: Pick<ImportPlan, 'lateReferences' | 'notes'>,
): ImportPlan {
  return {
    archive: { id: run.index.id, name: run.path.replace(/^.*[\\/]/, ''), createdAt: run.index.created_at },
    target: run.target,
    mode: run.mode,
    relations: plannedRelations(loads),
    ...beside,
  }
}

async function writeAll(
  run: ImportRun,
  steps: Steps,
  packages: PackageSteps,
  context: SqlContext,
  planned: Planned,
): Promise<Pick<Outcome, 'resolvedLate' | 'refreshedCopies'>> {
  const { session } = run
  const { loads, parked, placeholders } = planned
  const changing = [...loads.values()].filter(hasChanges)
  const firing = changing.filter((load) => triggerPolicy(run.settings, context, load.relation) === 'fire')
  const suspended = await suspendTriggers(session, writtenQuietly(run, context, planned))
  const detached = run.mode === 'init' ? await detachForeignKeys(session, context, changing) : []
  const indexes = run.mode === 'init' ? await detachIndexes(session, context, changing) : []
  // A generated column's or a check's function may name a table without its schema: rows are written under the database's own path.
  await useSearchPath(session, 'own')
  await session.execute('set constraints all deferred')
  for (const { insert } of placeholders) if (insert !== null) await session.execute(insert)
  let resolvedLate = 0
  await withSettableIdentities(session, context, changing, async () => {
    await applyLoads(session, context, loads, parked, (relation, rows) => steps.reportRelation('write', relation, rows))
    await useSearchPath(session, 'none')
    await recordOrigins(session, changing, run)
    await repairCascades(session, context, loads)
    resolvedLate = await resolveLate(session, context)
  })
  // A table with pending trigger events cannot be altered: deferred checks run now, while a failure still rolls everything back.
  await session.execute('set constraints all immediate')
  await attachIndexes(session, indexes)
  await attachForeignKeys(session, detached)
  await resumeTriggers(session, suspended)
  await catchUpSequences(session, context, changing, run)
  await verifyWritten(session, context, firing)
  const isSuspending = (relation: RelationName) => triggerPolicy(run.settings, context, relation) === 'suspend'
  // What is restored is as the archive has it.
  const refreshedCopies = run.keepsKeys ? 0 : await refreshCopies(session, context, isSuspending)
  if (changing.length + resolvedLate + refreshedCopies > 0) {
    await refreshViews(session, findRefreshed([...context.relations.values()], run.settings.refresh))
  }
  await recordImport(session, context, changing, run)
  await packages.finish(session, run.settings, resolvedLate)
  return { resolvedLate, refreshedCopies }
}

/** The relations that are written and whose triggers must not fire meanwhile, also those that get a placeholder or a late reference, and those that cascades reach. */
function writtenQuietly(
  run: ImportRun,
  context: SqlContext,
  { loads, plan, placeholders, parked }: Planned,
): RelationName[] {
  const late = new Set(plan.lateReferences.map(({ relation }) => relation))
  const changing = [...loads.values()].filter(hasChanges)
  const written = [
    ...changing.map((load) => load.relation),
    ...carriedAlong(context, changing),
    ...parked.flatMap(({ load, key }) =>
      key.columns.flatMap((name) => followersOf(context, load.relation, name).map(({ relation }) => relation)),
    ),
    ...placeholders.map(({ target }) => target),
    ...context.model.relations.filter((relation) => late.has(relationLabel(relation))),
  ]
  const byLabel = new Map(written.map((relation) => [relationLabel(relation), relation]))
  return [...byLabel.values()].filter((relation) => triggerPolicy(run.settings, context, relation) === 'suspend')
}

function triggerPolicy(settings: Settings, context: SqlContext, relation: RelationName): 'suspend' | 'fire' {
  return context.configured.get(relationLabel(relation))?.triggers ?? settings.triggers
}

/** Planner statistics of what a large part was written to: without them the first queries of the application go astray. */
export async function analyzeWritten(session: Session, plan: ImportPlan): Promise<void> {
  const MIN_CHANGES = 1000
  for (const relation of plan.relations) {
    if (relation.inserts + relation.updates + relation.deletes < MIN_CHANGES) continue
    await session.script(`analyze ${quoteQualified({ schema: relation.schema, name: relation.name })}`)
  }
}

/** Times the steps, and within them the relations, and reports progress. */
class Steps {
  /** Milliseconds by relation. */
  readonly spent = new Map<string, number>()
  #current: { readonly relation: string; readonly startedAt: number } | null = null

  constructor(private readonly run: ImportRun) {}

  async time<T>(step: ProgressEvent['step'], work: () => Promise<T>): Promise<T> {
    this.run.signal?.throwIfAborted()
    this.#emit(step, null, 0, false)
    const startedAt = performance.now()
    const result = await work()
    this.turnTo(null)
    this.run.journal.steps.push({ step, durationMs: Math.round(performance.now() - startedAt) })
    this.#emit(step, null, 0, true)
    return result
  }

  report(step: ProgressEvent['step'], load: Load): void {
    this.reportRelation(step, relationLabel(load.relation), load.entry.records)
  }

  reportRelation(step: ProgressEvent['step'], relation: string, rows: number): void {
    this.run.signal?.throwIfAborted()
    this.turnTo(relation)
    this.#emit(step, relation, rows, false)
  }

  /** From now on it is this relation that time is spent on. */
  turnTo(relation: string | null): void {
    const now = performance.now()
    if (this.#current !== null) {
      const before = this.spent.get(this.#current.relation) ?? 0
      this.spent.set(this.#current.relation, before + now - this.#current.startedAt)
    }
    this.#current = relation === null ? null : { relation, startedAt: now }
  }

  #emit(step: ProgressEvent['step'], relation: string | null, rows: number, isDone: boolean): void {
    this.run.onProgress?.({ step, relation, rows, totalRows: null, bytes: 0, isDone })
  }
}
