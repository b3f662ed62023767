import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral } from '../database/quoting.js'
import { UnderstudyError } from '../errors.js'
import { type RelationName, relationLabel } from '../model/model.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'
import { attempt } from './attempt.js'
import { bindReferences, findMissing, type MissingTarget, plainReferences } from './bind.js'
import { rememberLate } from './late-references.js'
import type { Load, Slot } from './load.js'
import type { MissingPolicy } from './plan.js'

export interface MissingOptions {
  readonly onMissing: MissingPolicy
}

/**
 * Binds all references, and deals with those whose target is nowhere by the policy. Returns notes for the plan. With `fail`, or where the
 * policy cannot be followed, throws `IMPORT_REFUSED` with every reference concerned.
 */
export async function settleMissing(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
  options: MissingOptions,
): Promise<string[]> {
  const list = [...loads.values()].filter((load) => load.hasDifferences)
  const notes: string[] = []
  for (;;) {
    const missing: MissingTarget[] = []
    for (const load of list) {
      await attempt(load, 'bind the references of', () => bindReferences(session, context, load, loads))
      missing.push(...(await findMissing(session, load)))
    }
    if (missing.length === 0) return notes
    switch (options.onMissing) {
      case 'fail':
        throw refusal(
          missing,
          'find no target',
          'Bring the targets along (export without --only or --exclude), or choose --on-missing null, skip or placeholder.',
        )
      case 'skip':
        notes.push(...missing.map((each) => `${describeMissing(each)}: skipped`))
        for (const load of list) await skipMissing(session, load)
        break
      case 'null':
        await standInForAll(session, list, missing, () => null)
        return [...notes, ...missing.map((each) => `${describeMissing(each)}: null until it arrives`)]
      case 'placeholder': {
        const placeholders = await findPlaceholders(session, context, missing)
        await standInForAll(session, list, missing, (target) => placeholders.get(relationLabel(target)) ?? null)
        return [...notes, ...missing.map((each) => `${describeMissing(each)}: the placeholder until it arrives`)]
      }
    }
  }
}

function describeMissing({ relation, reference, target, rows, samples }: MissingTarget): string {
  const some = rows > samples.length ? ', …' : ''
  return `${relation}.${reference}: ${rows} ${rows === 1 ? 'row refers' : 'rows refer'} to ${target} that are neither in the archive nor in the target: ${samples.join(', ')}${some}`
}

function refusal(missing: readonly MissingTarget[], what: string, hint: string): UnderstudyError {
  const count = missing.length === 1 ? '1 reference' : `${missing.length} references`
  return new UnderstudyError('IMPORT_REFUSED', `${count} ${what}`, {
    detail: missing.map(describeMissing).join('\n'),
    hint,
  })
}

/** Puts null or a placeholder where a target is missing, and keeps the identity for a later archive. */
async function standInForAll(
  session: Session,
  loads: readonly Load[],
  missing: readonly MissingTarget[],
  standIn: (target: RelationName) => string | null,
): Promise<void> {
  const refused: MissingTarget[] = []
  for (const load of loads) {
    const own = missing.filter((each) => each.relation === relationLabel(load.relation))
    for (const each of own) {
      const slot = load.slots.find(({ path }) => path === each.reference)
      const target = slot?.translation.alternatives[0]?.target
      const value = target === undefined ? null : standIn(target)
      if (value === null && !isNullable(load, each.reference)) refused.push(each)
      // A plain reference that is marked as missing is written as null.
      else if (slot !== undefined) await standInFor(session, load, slot, value)
    }
  }
  if (refused.length > 0) {
    throw refusal(
      refused,
      'find no target and cannot be null',
      'Bring the targets along, or choose --on-missing skip or placeholder.',
    )
  }
}

async function standInFor(session: Session, load: Load, slot: Slot, value: string | null): Promise<void> {
  if (slot.translation.shape === 'value' && !slot.id.includes('_'))
    return await rememberLate(session, load, slot, value, value)
  // Inside arrays and composites what was found stays; the missing elements are null already.
  await session.execute(`update ${load.bound} set m${slot.id} = false where m${slot.id}`)
}

function isNullable(load: Load, reference: string): boolean {
  const names = reference.split(', ').map((path) => path.split('.')[0])
  return load.relation.columns.some((column) => names.includes(column.name) && column.isNullable)
}

/** The key of each relation's placeholder row: the row that the configuration names, which must stand in the target. */
async function findPlaceholders(
  session: Session,
  context: SqlContext,
  missing: readonly MissingTarget[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const problems: string[] = []
  for (const label of new Set(missing.flatMap((each) => each.target.split(' or ')))) {
    const relation = context.model.relations.find((each) => relationLabel(each) === label)
    if (relation === undefined) continue
    const configured = context.configured.get(label)?.placeholder
    const [key] = relation.surrogate
    if (configured === undefined || key === undefined) {
      problems.push(`${label}: no placeholder is configured (relations.${label}.placeholder)`)
      continue
    }
    const conditions = Object.entries(configured).map(
      ([name, value]) => `s.${quoteIdentifier(name)}::text = ${quoteLiteral(String(value))}`,
    )
    const rows = await session.query<{ key: string }>(
      `select s.${quoteIdentifier(key)}::text as key from ${fromRelation(context, relation)} s where ${conditions.join(' and ')} limit 2`,
    )
    const [row] = rows
    if (row === undefined || rows.length > 1)
      problems.push(
        `${label}: ${rows.length === 0 ? 'no row' : 'several rows'} in the target with ${JSON.stringify(configured)}`,
      )
    else found.set(label, row.key)
  }
  if (problems.length > 0) {
    throw new UnderstudyError('IMPORT_REFUSED', 'placeholders are missing', {
      detail: problems.join('\n'),
      hint: 'Add the rows to the target, or configure them, or choose another policy with --on-missing.',
    })
  }
  return found
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
