import { describeSqlError, type SqlErrorFacts } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { type Reference, type RelationName, relationLabel } from '../model/model.js'
import { orderByTargets } from '../model/order.js'
import { catalogRelation, type SqlContext } from '../model/sql-context.js'
import { attempt } from './attempt.js'
import { carriesAlong, returnStatements } from './followers.js'
import { hasChanges, type Load } from './load.js'
import { parkRows, stepAside } from './step-aside.js'
import type { WatchedKey } from './unique-keys.js'
import { deleteStatement, insertStatement, rewriteStatements, updateStatement } from './write.js'

/** Told before each relation's rows are written. */
export type ApplyProgress = (relation: string, rows: number) => void

/**
 * Writes the plan: deletes, children first; then rows in each other's way step aside; then updates and inserts, targets first. Relations that refer to each other in a circle are
 * written by one statement, because foreign keys are checked at a statement's end: not even a NOT NULL cycle needs deferring. Every count
 * is compared with the plan.
 */
export async function applyLoads(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
  parked: readonly WatchedKey[],
  onProgress: ApplyProgress,
): Promise<void> {
  const components = writeOrder(loads)
  for (const component of components.toReversed()) {
    for (const load of component) {
      if (load.relation.identity.kind === 'content') await deleteRows(session, context, load)
    }
  }
  // Parked rows may be found elsewhere in the table than before, where nothing but their place tells the ones to be deleted.
  await parkRows(session, context, parked)
  for (const component of components) {
    for (const load of component) onProgress(relationLabel(load.relation), load.counts.inserts + load.counts.updates)
    const [only] = component
    if (component.length === 1 && only !== undefined && !needsOneStatement(only)) await applyOne(session, context, only)
    else await applyTogether(session, context, component)
  }
  // What gives way to the row that it stood in for has been left by what referred to it only now.
  for (const load of loads.values()) {
    if (load.relation.identity.kind !== 'content') await deleteRows(session, context, load)
  }
}

async function deleteRows(session: Session, context: SqlContext, load: Load): Promise<void> {
  if (load.counts.deletes === 0) return
  const deleted = await attempt(load, 'delete', () => session.execute(deleteStatement(context, load, load.extra)))
  expectCount(context, load, 'deleted', deleted, load.counts.deletes)
}

/**
 * Components of the relations that change, targets first. Where an update may change a value that a foreign key refers to, both sides
 * are one component: at the end of the statement they agree again.
 */
function writeOrder(loads: ReadonlyMap<string, Load>): Load[][] {
  const labels = [...loads].filter(([, load]) => hasChanges(load)).map(([label]) => label)
  const changing = new Set(labels)
  const together = new Map<string, string[]>()
  for (const load of loads.values()) {
    for (const reference of load.relation.references) {
      const target = loads.get(relationLabel(reference.target))
      if (reference.kind !== 'foreign key' || target === undefined) continue
      if (target.counts.updates === 0 || namesWhatStays(target, reference)) continue
      const label = relationLabel(target.relation)
      together.set(label, [...(together.get(label) ?? []), relationLabel(load.relation)])
    }
  }
  const targetsOf = (label: string) =>
    [
      ...(loads.get(label)?.relation.references ?? []).map((reference) => relationLabel(reference.target)),
      ...(together.get(label) ?? []),
    ].filter((target) => changing.has(target))
  return orderByTargets(labels, targetsOf).map((component) =>
    component.map((label) => loads.get(label)).filter((load) => load !== undefined),
  )
}

/** Whether a reference goes by the target's identity or its surrogate key, which no update changes. */
function namesWhatStays(target: Load, reference: Reference): boolean {
  const { identity, surrogate } = target.relation
  const staying = [...surrogate, ...(identity.kind === 'key' ? identity.columns : [])]
  return reference.targetColumns.every((name) => staying.includes(name))
}

/** An updated row may come to point to a new row of its own relation, or others have followed it to a value for the time being. */
function needsOneStatement(load: Load): boolean {
  const label = relationLabel(load.relation)
  if (load.parked.length > 0) return true
  const isSelfReferring = load.relation.references.some((reference) => relationLabel(reference.target) === label)
  return isSelfReferring && load.counts.updates > 0 && load.counts.inserts > 0
}

async function applyOne(session: Session, context: SqlContext, load: Load): Promise<void> {
  const update = updateStatement(context, load)
  if (load.counts.updates > 0 && update !== null) {
    const updated = await attempt(load, 'update', () => updateRows(session, context, load, update))
    expectCount(context, load, 'updated', updated, load.counts.updates)
  }
  if (load.counts.inserts > 0) {
    const inserted = await attempt(load, 'insert into', () => session.execute(insertStatement(load)))
    expectCount(context, load, 'inserted', inserted, load.counts.inserts)
  }
}

async function updateRows(session: Session, context: SqlContext, load: Load, update: string): Promise<number> {
  return await writeInTurn(session, context, [load], (rewritten) => {
    if (!rewritten.has(load)) return session.execute(update)
    const { remove, insert } = rewriteStatements(context, load, 'gone')
    return session.execute(`with gone as (${remove}) ${insert}`)
  })
}

/**
 * Writes, and where rows collide on their way under a key that could not be looked at beforehand, lets them step aside and writes again,
 * with another value for the time being each time. Where rows cannot step aside for each other, they are deleted and inserted again, if nothing
 * would follow the delete.
 */
async function writeInTurn<T>(
  session: Session,
  context: SqlContext,
  component: readonly Load[],
  write: (rewritten: ReadonlySet<Load>) => Promise<T>,
): Promise<T> {
  const rewritten = new Set<Load>()
  if (!component.some((load) => load.counts.updates > 0 && hasOtherKeys(context, load))) return await write(rewritten)
  /** By key, the value to try next. */
  const tried = new Map<string, number>()
  await session.script('savepoint understudy_write')
  while (true) {
    try {
      return await write(rewritten)
    } catch (error) {
      const collision = describeSqlError(error)
      if (collision === undefined || !isCollision(collision)) throw error
      await session.script('rollback to savepoint understudy_write')
      const load = await collidedLoad(session, component, collision)
      if (load === undefined || load.counts.updates === 0 || rewritten.has(load)) throw error
      const key = `${collision.schema}.${collision.constraint}`
      const place = await stepAside(session, context, load, collision, tried.get(key) ?? 0)
      if (place === null && isFollowed(context, load)) throw error
      if (place === null) rewritten.add(load)
      else tried.set(key, place + 1)
      await session.script('release savepoint understudy_write; savepoint understudy_write')
    }
  }
}

/** Whether anything but the identity keeps rows apart. */
function hasOtherKeys(context: SqlContext, { relation }: Load): boolean {
  const { uniqueKeys, hasExclusions } = catalogRelation(context, relation)
  const identity = relation.identity.kind === 'content' ? [] : relation.identity.columns
  return (
    hasExclusions ||
    uniqueKeys.some(
      (key) => key.hasExpressions || key.isPartial || !key.columns.every((name) => identity.includes(name)),
    )
  )
}

/** 23505: unique violation, 23P01: exclusion violation. */
function isCollision({ sqlstate }: SqlErrorFacts): boolean {
  return sqlstate === '23505' || sqlstate === '23P01'
}

/** The load whose relation, or a partition of it, refused a row. */
async function collidedLoad(
  session: Session,
  component: readonly Load[],
  { schema, table }: SqlErrorFacts,
): Promise<Load | undefined> {
  if (schema === undefined || table === undefined) return undefined
  const [root] = await session.query<RelationName & Record<string, unknown>>(
    `select n.nspname::text as schema, c.relname::text as name
       from (select pg_catalog.format('%I.%I', $1::text, $2::text)::regclass as oid) given
       join pg_catalog.pg_class c on c.oid = coalesce(pg_catalog.pg_partition_root(given.oid), given.oid)
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace`,
    [schema, table],
  )
  return root && component.find((load) => relationLabel(load.relation) === relationLabel(root))
}

/** Whether a delete would act on other rows, or be refused at once, or would not act on them where an update does. */
function isFollowed(context: SqlContext, load: Load): boolean {
  const { oid } = catalogRelation(context, load.relation)
  const { identity, columns } = load.relation
  const fixed = identity.kind === 'key' ? identity.columns : []
  const changing = columns.map(({ name }) => name).filter((name) => !fixed.includes(name))
  if (carriesAlong(context, load.relation, changing)) return true
  return [...context.relations.values()].some((relation) =>
    relation.foreignKeys.some((key) => key.target === oid && key.onDelete !== 'no action'),
  )
}

async function applyTogether(session: Session, context: SqlContext, component: readonly Load[]): Promise<void> {
  const [first] = component
  if (first === undefined) return
  const rows = await attempt(first, 'write', () =>
    writeInTurn(session, context, component, async (rewritten) => {
      const parts = partsTogether(context, component, rewritten)
      if (parts.length === 0) return {}
      const bodies = parts.map(({ name, statement }) => `${name} as (${statement})`)
      const counts = parts.map(({ name }) => `(select count(*) from ${name}) as ${name}`)
      const [row] = await session.query<Record<string, number>>(
        `with ${bodies.join(',\n')} select ${counts.join(', ')}`,
      )
      return row ?? {}
    }),
  )
  for (const [index, load] of component.entries()) {
    if (`u${index}` in rows) expectCount(context, load, 'updated', rows[`u${index}`] ?? 0, load.counts.updates)
    if (`i${index}` in rows) expectCount(context, load, 'inserted', rows[`i${index}`] ?? 0, load.counts.inserts)
  }
}

/** Inserts wait for all updates, by counting their rows: an update may free a unique value that an insert takes. */
function partsTogether(
  context: SqlContext,
  component: readonly Load[],
  rewritten: ReadonlySet<Load>,
): { name: string; statement: string }[] {
  const parts: { name: string; statement: string }[] = []
  const updates: string[] = []
  for (const [index, load] of component.entries()) {
    const update = updateStatement(context, load)
    if (load.counts.updates === 0 || update === null) continue
    const rewrite = rewritten.has(load) ? rewriteStatements(context, load, `g${index}`) : null
    if (rewrite !== null) parts.push({ name: `g${index}`, statement: rewrite.remove })
    parts.push({ name: `u${index}`, statement: `${rewrite?.insert ?? update} returning 1` })
    updates.push(`(select count(*) from u${index})`)
  }
  const afterUpdates = updates.length === 0 ? '' : ` and ${updates.join(' + ')} >= 0`
  for (const [index, load] of component.entries()) {
    if (load.counts.inserts === 0) continue
    parts.push({ name: `i${index}`, statement: `${insertStatement(load)}${afterUpdates} returning 1` })
  }
  const parked = component.flatMap((load) => load.parked)
  for (const [index, statement] of returnStatements(context, parked, component).entries()) {
    parts.push({ name: `r${index}`, statement: `${statement} returning 1` })
  }
  return parts
}

function expectCount(context: SqlContext, load: Load, what: string, actual: number, expected: number): void {
  if (actual === expected) return
  const { triggers } = catalogRelation(context, load.relation)
  const firing = triggers.filter(({ state }) => state === 'origin' || state === 'always').map(({ name }) => name)
  throw new UnderstudyError(
    'IMPORT_COUNT_MISMATCH',
    `${relationLabel(load.relation)}: ${actual} rows were ${what}, the plan has ${expected}`,
    {
      detail: firing.length === 0 ? undefined : `triggers of the relation: ${firing.join(', ')}`,
      hint: 'A trigger or a rule of the target changed what was written; nothing was kept. See the setting `triggers`.',
    },
  )
}
