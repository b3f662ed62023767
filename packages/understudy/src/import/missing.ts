import type { Session } from '../database/port.js'
import type { Problem } from '../errors.js'
import { relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import { attempt } from './attempt.js'
import { bindReferences, findMissing, type MissingTarget } from './bind.js'
import { plainReferences } from './bound-columns.js'
import { rememberLate, rememberPlain } from './late-references.js'
import type { Load } from './load.js'
import { type Placeholder, preparePlaceholders, type WantedPlaceholder } from './placeholders.js'
import type { MissingPolicy } from './plan.js'
import { describeProblem } from './problems.js'

export interface MissingOptions {
  readonly onMissing: MissingPolicy
  readonly isDryRun: boolean
}

export interface Settled {
  /** For the plan: what was done where a target is missing. */
  readonly notes: readonly string[]
  /** Where the policy is `fail`, or cannot be followed. */
  readonly problems: readonly Problem[]
  /** Rows that must be written first: they stand in for others. */
  readonly placeholders: readonly Placeholder[]
}

/** Binds all references, and deals with those whose target is nowhere by the policy. */
export async function settleMissing(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
  options: MissingOptions,
): Promise<Settled> {
  const list = [...loads.values()].filter((load) => load.hasDifferences)
  const notes: string[] = []
  for (;;) {
    const missing: MissingTarget[] = []
    for (const load of list) {
      await attempt(load, 'bind the references of', () => bindReferences(session, context, load, loads))
      missing.push(...(await findMissing(session, load)))
    }
    const problems = missing.map(({ problem }) => problem)
    if (problems.length === 0) return { notes, problems, placeholders: [] }
    if (options.onMissing === 'fail') return { notes, problems, placeholders: [] }
    if (options.onMissing === 'null') return await standIn(session, context, missing, new Map(), 'null')
    if (options.onMissing === 'placeholder') {
      const prepared = await preparePlaceholders(session, context, loads, wantedOf(missing), options.isDryRun)
      if (prepared.problems.length > 0) return { notes, problems: prepared.problems, placeholders: [] }
      const settled = await standIn(session, context, missing, prepared.placeholders, 'the placeholder')
      const made = [...prepared.placeholders.values()].filter(({ insert }) => insert !== null)
      return { ...settled, notes: [...settled.notes, ...made.map(({ note }) => note)], placeholders: made }
    }
    notes.push(...problems.map((problem) => `${describeProblem(problem)}: skipped`))
    for (const load of list) await skipMissing(session, load)
  }
}

/** The columns of each target that references ask for, by its label. */
function wantedOf(missing: readonly MissingTarget[]): Map<string, WantedPlaceholder> {
  const wanted = new Map<string, WantedPlaceholder>()
  for (const { slot } of missing) {
    for (const { target, targetColumn } of slot?.translation.alternatives ?? []) {
      const label = relationLabel(target)
      const columns = wanted.get(label)?.columns ?? []
      wanted.set(label, { target, columns: [...new Set([...columns, targetColumn])] })
    }
  }
  return wanted
}

/** Puts null or a placeholder where a target is missing, and keeps the identity for a later archive. */
async function standIn(
  session: Session,
  context: SqlContext,
  missing: readonly MissingTarget[],
  placeholders: ReadonlyMap<string, Placeholder>,
  what: string,
): Promise<Settled> {
  const notes: string[] = []
  const problems: Problem[] = []
  for (const { load, slot, plain, columns, problem } of missing) {
    const isInside = slot !== null && (slot.translation.shape !== 'value' || slot.id.includes('_'))
    const hasStandIn =
      slot?.translation.alternatives.every(({ target }) => placeholders.has(relationLabel(target))) ?? false
    if (!hasStandIn && !isInside && !isNullable(load, columns)) {
      problems.push({ ...problem, message: `${problem.message}, and the column must not be null` })
      continue
    }
    const isRemembered = plain !== null && (await rememberPlain(session, context, load, plain))
    const now = slot === null || isInside ? 'null' : what
    const waits = isRemembered || (slot !== null && !isInside)
    notes.push(`${describeProblem(problem)}: ${now}${waits ? ' until it arrives' : ''}`)
    // A plain reference that is marked as missing is written as null; so are elements and fields inside a value.
    if (isInside) await session.execute(`update ${load.bound} set m${slot.id} = false where m${slot.id}`)
    else if (slot !== null) await rememberLate(session, context, load, slot, placeholders)
  }
  return { notes, problems, placeholders: [] }
}

function isNullable(load: Load, columns: readonly string[]): boolean {
  return load.relation.columns.some((column) => columns.includes(column.name) && column.isNullable)
}

/** Takes the rows with missing targets out of the import. What refers to a new row among them is missing its target next. */
async function skipMissing(session: Session, load: Load): Promise<void> {
  const flags = [
    ...load.slots.map((slot) => `b.m${slot.id}`),
    ...plainReferences(load).map((_, index) => `b.m_${index}`),
  ]
  if (flags.length === 0) return
  const [counts] = await session.query<{ inserts: number; updates: number }>(
    `with gone as (delete from ${load.rows} w using ${load.bound} b where b.n = w.n and (${flags.join(' or ')}) returning w.is_new, w.n),
          lines as (delete from ${load.parsed} p using gone where p.n = gone.n)
     select count(*) filter (where is_new) as inserts, count(*) filter (where not is_new) as updates from gone`,
  )
  load.counts.inserts -= counts?.inserts ?? 0
  load.counts.updates -= counts?.updates ?? 0
  load.counts.skipped += (counts?.inserts ?? 0) + (counts?.updates ?? 0)
}
