import type { Problem } from '../errors.js'
import type { SqlContext } from '../model/sql-context.js'
import { allocateKeys } from './allocate.js'
import { attempt } from './attempt.js'
import { followDeletes } from './cascades.js'
import { refuseDuplicates } from './duplicates.js'
import { describeFiring } from './firing-triggers.js'
import type { ImportRun } from './import-run.js'
import { keepOwnValues } from './keep.js'
import { planLate } from './late-references.js'
import type { Load } from './load.js'
import { countTarget, matchRows } from './match.js'
import { settleMissing } from './missing.js'
import { pairContent, parseStaged } from './parse.js'
import type { Placeholder } from './placeholders.js'
import { type ImportPlan, plannedRelations } from './plan.js'
import { readPlannedRows } from './planned-rows.js'
import { refusal } from './problems.js'
import { findUnrelated, planOwnedDeletes } from './reconcile.js'
import { findRefused } from './refusals.js'
import { matchOrder, respell, respelling } from './respell.js'
import { advanceSequences } from './sequences.js'
import { findTakenLate, nameStandIns, planGivingWay } from './stand-ins.js'
import type { Steps } from './steps.js'
import { findCollisions, type WatchedKey } from './unique-keys.js'

interface Matched {
  /** In it rows read as they will be written, and bear the identity that they wait for: in it references find them. */
  readonly context: SqlContext
  readonly doubles: ReadonlyMap<string, string>
}

export interface Planned {
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
export async function planLoads(
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
    const followed = await followDeletes(session, context, loads)
    const problems = [...earlier, ...settled.problems, ...collisions, ...waiting, ...followed.problems]
    if (run.isDryRun || problems.length > 0) problems.push(...(await findRefused(session, context, list, run.isDryRun)))
    const plan = planOf(run, list, {
      lateReferences: await planLate(session, written, loads),
      ...(run.rows === undefined ? {} : { rows: await readPlannedRows(run, context, list, followed.hasDoomed) }),
      notes: [
        ...describeSource(run, context),
        ...kept,
        ...settled.notes,
        ...followed.notes,
        ...(await describeFiring(run, context, list)),
      ],
    })
    return { loads, plan, problems, parked, placeholders: settled.placeholders }
  })
}

/** Pairs what is staged with what is there, relation by relation. */
export async function matchLoads(
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

function planOf(
  run: ImportRun,
  loads: readonly Load[],
  beside: Pick<ImportPlan, 'lateReferences' | 'rows' | 'notes'>,
): ImportPlan {
  return {
    archive: { id: run.index.id, name: run.path.replace(/^.*[\\/]/, ''), createdAt: run.index.created_at },
    target: run.target,
    mode: run.mode,
    relations: plannedRelations(loads),
    ...beside,
  }
}

/** Where several archives stand in one folder, the newest may be of this very database, and change nothing that it was meant to. */
function describeSource({ index, isFileset }: ImportRun, { instance }: SqlContext): string[] {
  const isOwn = !isFileset && instance !== null && index.source.instance === instance
  return isOwn
    ? ['this database wrote the archive itself: it brings back an earlier state, and nothing from elsewhere']
    : []
}
