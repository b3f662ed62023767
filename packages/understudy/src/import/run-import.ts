import { describeSqlError } from '../database/failures.js'
import { lockedTransaction } from '../database/locked-transaction.js'
import type { Database, Session } from '../database/port.js'
import { quoteQualified } from '../database/quoting.js'
import { useSearchPath } from '../database/settings.js'
import { type Problem, UnderstudyError } from '../errors.js'
import type { SqlContext } from '../model/sql-context.js'
import { hintFor } from './attempt.js'
import type { ImportRun, Outcome } from './import-run.js'
import type { Load } from './load.js'
import { relationsToLock } from './lock.js'
import { countTarget } from './match.js'
import { PackageSteps } from './package-steps.js'
import type { ImportPlan } from './plan.js'
import { matchLoads, planLoads } from './plan-loads.js'
import { type Prepared, prepare, stageAll, startAgain } from './prepare.js'
import { refusal } from './problems.js'
import { findUnrelated } from './reconcile.js'
import { orDiagnose } from './recover.js'
import { findRefused } from './refusals.js'
import { Steps } from './steps.js'
import { findUnreadable } from './unreadable.js'
import { writePlanned } from './write-planned.js'

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
    hint: hintFor(facts) ?? 'Nothing was written.',
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
    () => steps.time('write', () => writePlanned(run, steps, packages, context, planned)),
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

const MIN_CHANGES_TO_ANALYZE = 1000

/**
 * Planner statistics of what a large part was written to: without them the first queries of the application go astray. A second session helps
 * where there may be one; what it cannot do is left to the server.
 */
export async function analyzeWritten(database: Database, session: Session, plan: ImportPlan): Promise<void> {
  const written = plan.relations
    .map((relation) => ({ relation, changes: relation.inserts + relation.updates + relation.deletes }))
    .filter(({ changes }) => changes >= MIN_CHANGES_TO_ANALYZE)
    .toSorted((a, b) => b.changes - a.changes)
  const next = written.values()
  const work = async (worker: Session) => {
    for (const { relation } of next) await worker.script(`analyze ${quoteQualified(relation)}`)
  }
  const helps = database.maxSessions > 1 && written.length > 1
  const helper = helps ? database.withSession(work).catch(() => undefined) : undefined
  await Promise.all([work(session), helper])
}
