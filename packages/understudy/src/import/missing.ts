import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { UnderstudyError } from '../errors.js'
import { relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import { bindReferences, findMissing, type MissingTarget } from './bind.js'
import type { Load } from './load.js'
import type { MissingPolicy } from './plan.js'

/**
 * Binds all references, and deals with those whose target is nowhere by the policy. Returns notes for the plan. With `fail`, or where the
 * policy cannot be followed, throws `IMPORT_REFUSED` with every reference concerned.
 */
export async function settleMissing(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
  { onMissing }: { readonly onMissing: MissingPolicy },
): Promise<string[]> {
  const list = [...loads.values()]
  const notes: string[] = []
  for (;;) {
    const missing: MissingTarget[] = []
    for (const load of list) {
      await bindReferences(session, context, load, loads)
      missing.push(...(await findMissing(session, load)))
    }
    if (missing.length === 0) return notes
    const lines = missing.map(describeMissing)
    if (onMissing === 'null') {
      refuseNotNull(list, missing)
      return [...notes, ...lines.map((line) => `${line}: set to null`)]
    }
    if (onMissing !== 'skip') throw missingTargets(lines)
    notes.push(...lines.map((line) => `${line}: skipped`))
    for (const load of list) await skipMissing(session, load)
  }
}

function describeMissing({ relation, reference, target, rows, samples }: MissingTarget): string {
  const some = rows > samples.length ? ', …' : ''
  return `${relation}.${reference}: ${rows} ${rows === 1 ? 'row refers' : 'rows refer'} to ${target} that are neither in the archive nor in the target: ${samples.join(', ')}${some}`
}

function missingTargets(lines: readonly string[]): UnderstudyError {
  return new UnderstudyError('IMPORT_REFUSED', `${lines.length} references find no target`, {
    detail: lines.join('\n'),
    hint: 'Bring the targets along (export without --only or --exclude), or choose --on-missing null, skip or placeholder.',
  })
}

function refuseNotNull(loads: readonly Load[], missing: readonly MissingTarget[]): void {
  const refused = missing.filter(({ relation, reference }) =>
    loads.some(
      (load) =>
        relationLabel(load.relation) === relation &&
        load.relation.columns.some((column) => reference.split(', ').includes(column.name) && !column.isNullable),
    ),
  )
  if (refused.length === 0) return
  throw new UnderstudyError('IMPORT_REFUSED', `${refused.length} references find no target and cannot be null`, {
    detail: refused.map(describeMissing).join('\n'),
    hint: 'Bring the targets along, or choose --on-missing skip or placeholder.',
  })
}

/** Takes the rows with missing targets out of the import. What refers to a new row among them is missing its target next. */
async function skipMissing(session: Session, load: Load): Promise<void> {
  const flags = await session.query<{ name: string }>(
    `select a.attname::text as name from pg_attribute a
      where a.attrelid = '${load.bound}'::regclass and a.attnum > 0 and a.attname like 'm%'`,
  )
  if (flags.length === 0) return
  const condition = flags.map(({ name }) => `b.${quoteIdentifier(name)}`).join(' or ')
  const [counts] = await session.query<{ inserts: number; updates: number }>(
    `with gone as (delete from ${load.rows} w using ${load.bound} b where b.n = w.n and (${condition}) returning w.is_new, w.n),
          lines as (delete from ${load.parsed} p using gone where p.n = gone.n)
     select count(*) filter (where is_new) as inserts, count(*) filter (where not is_new) as updates from gone`,
  )
  load.counts.inserts -= counts?.inserts ?? 0
  load.counts.updates -= counts?.updates ?? 0
  load.counts.skipped += (counts?.inserts ?? 0) + (counts?.updates ?? 0)
}
