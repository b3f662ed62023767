import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { withPinnedSettings } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { compareImage } from './compare-image.js'
import { findDropped } from './dropped.js'
import { type Image, planImage, takeImage } from './image.js'
import type { Loss } from './loss.js'
import { readShape, type Shape } from './shape.js'
import { readSide, type Side } from './side.js'
import { findTraces, isHarmless, type Traces } from './traces.js'

const SAVEPOINT = 'understudy_guard'

/**
 * Runs a migration and returns what it loses, inside the transaction that it runs in. First it runs under a savepoint, and the catalog and
 * the transaction's counters tell whether anything can have been lost at all: nearly always not, and that costs milliseconds. Otherwise it is
 * taken back, the rows of the relations concerned are kept in temporary tables, it runs again, and both are compared.
 */
export async function runGuarded(session: Session, settings: Settings, run: () => Promise<void>): Promise<Loss[]> {
  const before = await readShape(session)
  await session.script(`savepoint ${SAVEPOINT}`)
  await run()
  const after = await readShape(session)
  const traces = findTraces(before, after)
  if (isHarmless(traces)) {
    await session.script(`release savepoint ${SAVEPOINT}`)
    return []
  }
  const reading = { timeZone: 'own' } as const
  const firstTime = await withPinnedSettings(session, reading, () => readSide(session, after, settings))
  await session.script(`rollback to savepoint ${SAVEPOINT}`)
  const kept = await withPinnedSettings(session, reading, () => keep(session, settings, { before, firstTime, traces }))
  await run()
  const shapeNow = await readShape(session)
  refuseOtherTraces(findTraces(before, shapeNow), traces)
  return await withPinnedSettings(session, reading, async () => {
    await session.query(`select set_config('work_mem', '128MB', true)`)
    const now = await readSide(session, shapeNow, settings)
    const { leftPartitions } = findTraces(before, shapeNow)
    const losses: Loss[] = [...kept.dropped]
    for (const image of kept.images)
      losses.push(...(await compareImage(session, image, { before: kept.side, after: now, leftPartitions })))
    // Another migration may run in this transaction, as in a dry run.
    for (const { table } of kept.images) await session.script(`drop table if exists ${table}, ${table}_pairs`)
    return losses
  })
}

interface Kept {
  readonly side: Side
  readonly images: readonly Image[]
  readonly dropped: readonly Loss[]
}

/** Everything is as it was before the migration: what it drops is counted, and what it touches is kept. */
async function keep(
  session: Session,
  settings: Settings,
  { before, firstTime, traces }: { readonly before: Shape; readonly firstTime: Side; readonly traces: Traces },
): Promise<Kept> {
  const side = await readSide(session, before, settings)
  const dropped = await findDropped(session, side, traces)
  const images = traces.touched.map((relation, index) =>
    planImage(relation, index + 1, {
      before: side,
      after: firstTime,
      changedComposites: traces.changedComposites,
    }),
  )
  for (const image of images) await takeImage(session, side, image)
  return { side, images, dropped }
}

/** A migration that drops or touches more when it runs a second time cannot be watched. */
function refuseOtherTraces(now: Traces, first: Traces): void {
  const known = new Set(namesOf(first))
  const more = namesOf(now).filter((name) => !known.has(name))
  if (more.length === 0) return
  throw new UnderstudyError('DATA_LOSS', 'it does another thing each time it runs, so that its losses cannot be told', {
    detail: `Only the second time: ${more.join(', ')}`,
    hint: 'The guard runs a migration twice, and takes the first run back. Let it depend on the database alone.',
  })
}

function namesOf({ droppedRelations, droppedColumns, droppedAttributes, touched }: Traces): string[] {
  return [
    ...droppedRelations.map(({ name }) => `drops ${name}`),
    ...droppedColumns.map(({ relation, column }) => `drops ${relation.name}.${column.name}`),
    ...droppedAttributes.map(({ composite, attribute }) => `drops ${composite.name}.${attribute.name}`),
    ...touched.map(({ name }) => `writes ${name}`),
  ]
}
