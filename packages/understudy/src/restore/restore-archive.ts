import type { ArchiveIndex } from '../archive/archive-index.js'
import { readArchive } from '../archive/reader.js'
import type { Settings } from '../config/settings.js'
import { withAdvisoryLock } from '../database/advisory-lock.js'
import type { LockHolder } from '../database/lock-holder.js'
import { lockedTransaction } from '../database/locked-transaction.js'
import type { Database, Session } from '../database/port.js'
import { pinSettings } from '../database/settings.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { resolveArchive } from '../import/import-content.js'
import type { ImportRun, Outcome } from '../import/import-run.js'
import { relationsToLock } from '../import/lock.js'
import { newJournal } from '../import/report.js'
import { analyzeWritten, asRefusal, importInTransaction } from '../import/run-import.js'
import type { OnProgress } from '../progress.js'
import { readLevel } from '../registry/level.js'
import { createRegistry, readInstance } from '../registry/registry.js'
import { emptyRelations, putBack } from './empty-relations.js'
import { planRestore, type RestoredRelation, type RestorePlan } from './plan-restore.js'

export interface RestoreOptions extends DatabaseOptions {
  /** A path, or `latest`: the newest archive in the settings' folder. */
  readonly archive: string
  /** True: the plan is returned and nothing is written. */
  readonly isDryRun?: boolean | undefined
  /** How many rows that came after the archive may be removed. Default: 1,000. */
  readonly maxRemoved?: number | undefined
  /** The name of the database: asked for wherever a row would be removed or changed. */
  readonly targetName?: string | undefined
  /** Asked with the plan before anything is written; false ends with `CANCELLED`. Without it the restore writes at once. */
  readonly confirm?: ((plan: RestorePlan) => Promise<boolean>) | undefined
  /** How long to wait for another run, or for a table that is in use. Default: 30 s. */
  readonly waitMs?: number | undefined
  readonly onWait?: ((holder: LockHolder | undefined) => void) | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface RestoreResult {
  readonly plan: RestorePlan
  readonly archivePath: string
  readonly isWritten: boolean
  readonly durationMs: number
}

const DEFAULT_WAIT_MS = 30_000
const DEFAULT_MAX_REMOVED = 1000

/**
 * Puts the content of a database back exactly as an archive has it, ids included; rows that came later go. Counted first, inside limits, and by the
 * database's name; whole or not at all, in one transaction that holds the relations for itself. Relations that are not in the archive stay as
 * they are.
 *
 * @throws UnderstudyError `RESTORE_REFUSED`, `TARGET_NAME_REQUIRED`, `CANCELLED`, `PLAN_CHANGED`, `LOCK_NOT_AVAILABLE`, those of an import and of
 * the archive layer
 */
export async function restoreArchive(settings: Settings, options: RestoreOptions): Promise<RestoreResult> {
  const startedAt = performance.now()
  const path = await resolveArchive(settings, options.archive)
  const index = await readArchive(path)
  refuseMasked(index)
  return await withDatabase(settings, options, async (database) => {
    const finish = (plan: RestorePlan, isWritten: boolean): RestoreResult => ({
      plan,
      archivePath: path,
      isWritten,
      durationMs: Math.round(performance.now() - startedAt),
    })
    const run = (session: Session, isDryRun: boolean) =>
      runOf(session, { settings, options, database, path, index, isDryRun })
    const plan = await database.withSession((session) => planOnly(run(session, true)))
    if (options.isDryRun === true) return finish(plan, false)
    if (differences(plan) === 0) return finish(plan, false)
    refuseBeyondLimit(plan, options.maxRemoved ?? DEFAULT_MAX_REMOVED)
    await database.withSession((session) => requireName(session, plan, options.targetName))
    if (options.confirm !== undefined && !(await options.confirm(plan)))
      throw new UnderstudyError('CANCELLED', 'the restore was declined', { hint: 'Nothing was written.' })
    const { waitMs = DEFAULT_WAIT_MS, onWait, signal } = options
    const waiting = { waitMs, onWait, signal }
    await database.withSession((session) =>
      withAdvisoryLock(session, waiting, () =>
        restoreWhole(database, run(session, false), (found) => expectSame(found, plan)),
      ),
    )
    return finish(plan, true)
  })
}

/** The same into a scratch database, which holds nothing but what migrations have seeded: nothing is counted, nobody is asked. */
export async function fillScratch(
  settings: Settings,
  {
    database,
    path,
    index,
    signal,
  }: { database: Database; path: string; index: ArchiveIndex; signal?: AbortSignal | undefined },
): Promise<void> {
  refuseMasked(index)
  await database.withSession((session) =>
    restoreWhole(
      database,
      runOf(session, { settings, options: { archive: path, signal }, database, path, index, isDryRun: false }),
    ),
  )
}

interface Facts {
  readonly settings: Settings
  readonly options: RestoreOptions
  readonly database: Database
  readonly path: string
  readonly index: ArchiveIndex
  readonly isDryRun: boolean
}

function runOf(session: Session, { settings, options, database, path, index, isDryRun }: Facts): ImportRun {
  return {
    session,
    settings,
    target: database.label,
    path,
    index,
    packages: [],
    journal: newJournal(),
    mode: 'init',
    onMissing: 'fail',
    isDryRun,
    keepsKeys: true,
    waitMs: options.waitMs ?? DEFAULT_WAIT_MS,
    onWait: options.onWait,
    isFileset: false,
    approve: () => undefined,
    onProgress: options.onProgress,
    signal: options.signal,
  }
}

class PlanDone extends Error {
  constructor(readonly plan: RestorePlan) {
    super('the plan is made')
  }
}

async function planOnly(run: ImportRun): Promise<RestorePlan> {
  try {
    return await run.session.transaction({}, async () => {
      await pinSettings(run.session)
      await refuseOtherLevel(run)
      throw new PlanDone(await planRestore(run))
    })
  } catch (error) {
    if (error instanceof PlanDone) return error.plan
    throw asRefusal(error)
  }
}

async function restoreWhole(database: Database, run: ImportRun, approve?: (plan: RestorePlan) => void): Promise<void> {
  const { session, index } = run
  let outcome: Outcome
  try {
    const { waitMs, onWait, signal } = run
    const locks = {
      tables: await relationsToLock(session, index),
      mode: 'access exclusive',
      waitMs,
      onWait,
      signal,
    } as const
    const work = async () => {
      if (approve !== undefined) {
        await session.script('savepoint understudy_plan')
        const plan = await planRestore({ ...run, isDryRun: true })
        await session.script('rollback to savepoint understudy_plan')
        await pinSettings(session)
        approve(plan)
      }
      await createRegistry(session)
      const takenOff = await emptyRelations(session, index)
      const result = await importInTransaction(run)
      await putBack(session, takenOff)
      return result
    }
    outcome = await lockedTransaction(session, locks, { prepare: () => refuseOtherLevel(run), work })
  } catch (error) {
    throw asRefusal(error)
  }
  await analyzeWritten(database, session, outcome.plan)
}

function refuseMasked({ masks }: ArchiveIndex): void {
  if (masks.length === 0) return
  throw new UnderstudyError('RESTORE_REFUSED', 'the archive holds masked values, which would overwrite the true ones', {
    detail: masks.map(({ schema, relation, column }) => `${schema}.${relation}.${column}`).join('\n'),
    hint: 'Restore from an archive that was taken before a migration, or by a configuration without masks.',
  })
}

async function refuseOtherLevel({ session, index }: ImportRun): Promise<void> {
  const level = (await readLevel(session)).filter(({ isSchema }) => isSchema)
  const [archived, here] = [new Set(index.migrations.map(({ id }) => id)), new Set(level.map(({ id }) => id))]
  const onlyHere = [...here].filter((id) => !archived.has(id))
  if (onlyHere.length === 0) return
  throw new UnderstudyError('RESTORE_REFUSED', 'the archive is from an earlier level of the schema', {
    detail: onlyHere.map((id) => `only in the database: ${id}`).join('\n'),
    hint: 'Take the migrations back with `understudy migrate down`, or bring the archive to this level with `understudy upgrade`.',
  })
}

function refuseBeyondLimit(plan: RestorePlan, maxRemoved: number): void {
  const removed = sum(plan, 'removed')
  if (removed <= maxRemoved) return
  throw new UnderstudyError('RESTORE_REFUSED', `${rows(removed)} would be removed, more than ${maxRemoved}`, {
    detail: plan.relations
      .filter((each) => each.removed > 0)
      .map((each) => `${each.relation}: ${rows(each.removed)} that came after the archive`)
      .join('\n'),
    hint: `Look at them with --dry-run. If they may go: --max-removed ${removed}`,
  })
}

async function requireName(session: Session, plan: RestorePlan, given: string | undefined): Promise<void> {
  const [row] = await session.query<{ name: string }>('select current_database()::text as name')
  const instance = await readInstance(session)
  if (row?.name === given) return
  const marked = instance?.environment === 'production' ? ', which is marked production,' : ''
  throw new UnderstudyError(
    'TARGET_NAME_REQUIRED',
    `a restore into this database${marked} removes ${rows(sum(plan, 'removed'))} and overwrites ${rows(sum(plan, 'changed'))}`,
    {
      detail: given === undefined ? undefined : `the name given, ${given}, is not its name`,
      hint: `If it is the one you mean, say its name: --target-name ${row?.name ?? ''}`,
    },
  )
}

function expectSame(found: RestorePlan, agreed: RestorePlan): void {
  if (JSON.stringify(found.relations) === JSON.stringify(agreed.relations)) return
  throw new UnderstudyError('PLAN_CHANGED', 'the database changed since the plan was shown', {
    hint: 'Nothing was written. Run the restore again and look at the new plan.',
  })
}

function rows(count: number): string {
  return count === 1 ? '1 row' : `${count} rows`
}

function differences(plan: RestorePlan): number {
  return sum(plan, 'changed') + sum(plan, 'returning') + sum(plan, 'removed')
}

function sum(plan: RestorePlan, count: keyof Omit<RestoredRelation, 'relation'>): number {
  return plan.relations.reduce((total, each) => total + each[count], 0)
}
