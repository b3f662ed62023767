import { checkConstraintsNow, useSearchPath } from '../database/settings.js'
import { type RelationName, relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import { applyLoads } from './apply.js'
import { carriedAlong } from './cascades.js'
import { refreshCopies } from './copies.js'
import { followersOf } from './followers.js'
import { attachForeignKeys, detachForeignKeys } from './foreign-keys.js'
import { withSettableIdentities } from './identity-columns.js'
import type { ImportRun, Outcome } from './import-run.js'
import { attachIndexes, detachIndexes } from './indexes.js'
import { resolveLate } from './late-references.js'
import { hasChanges } from './load.js'
import { findRefreshed, refreshViews } from './materialized-views.js'
import type { PackageSteps } from './package-steps.js'
import type { Planned } from './plan-loads.js'
import { recordImport, recordOrigins } from './record.js'
import { repairCascades } from './repair.js'
import { catchUpSequences } from './sequences.js'
import type { Steps } from './steps.js'
import { resumeTriggers, suspendTriggers, triggerPolicy } from './triggers.js'
import { verifyWritten } from './verify.js'

/** All that the plan says, in the target, up to the commit. */
export async function writePlanned(
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
  await checkConstraintsNow(session)
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
