import type { Sequence } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { quoteLiteral, quoteQualified } from '../database/quoting.js'
import type { RelationName } from '../model/model.js'
import { sequenceState } from '../model/sequence-state.js'
import { catalogRelation, type SqlContext } from '../model/sql-context.js'
import type { Load } from './load.js'

/**
 * Moves the sequences that new rows will draw from beyond every id that stands in any column that they fill, and beyond the ids that rows of
 * the archive were born with here: a later row under such an id would have the same origin. `alter sequence … restart`
 * gives a sequence a new file, so that a rollback brings back its old value, which `setval` would not; without ownership it is moved only
 * where it lags.
 */
export async function advanceSequences(session: Session, context: SqlContext, loads: readonly Load[]): Promise<void> {
  const drawing = loads.filter((load) => load.counts.inserts > 0)
  const drawn = drawing.flatMap((load) => sequencesOf(context, load, load.relation.surrogate))
  const born = drawing.flatMap((load) => bornHere(context, load))
  await advanceAll(session, context, { sequences: drawn, born, when: 'always' })
}

/** The same for one relation that gets a row beside those of the archive. */
export async function advanceSequencesOf(session: Session, context: SqlContext, relation: RelationName): Promise<void> {
  const drawn = catalogRelation(context, relation).columns.flatMap(({ sequence }) =>
    sequence === null ? [] : [sequence],
  )
  await advanceAll(session, context, { sequences: drawn, born: [], when: 'always' })
}

/** Moves the sequences of columns that the import wrote itself, where they lag behind now. */
export async function catchUpSequences(
  session: Session,
  context: SqlContext,
  loads: readonly Load[],
  { keepsKeys = false }: { readonly keepsKeys?: boolean | undefined } = {},
): Promise<void> {
  const written = loads.flatMap((load) => {
    const { columns, surrogate } = load.relation
    return sequencesOf(context, load, [...columns.map((column) => column.name), ...(keepsKeys ? surrogate : [])])
  })
  await advanceAll(session, context, { sequences: written, born: [], when: 'where it lags' })
}

/** Ids that a sequence has given before, whether or not the rows are still there. */
interface BornHere {
  readonly sequence: Sequence
  /** Selects `highest` and `lowest`. */
  readonly select: string
}

function bornHere(context: SqlContext, load: Load): BornHere[] {
  const { identity, surrogate } = load.relation
  const [sequence] = sequencesOf(context, load, surrogate)
  if (identity.kind !== 'origin' || surrogate.length !== 1 || sequence === undefined || context.instance === null)
    return []
  const here = `${context.instance}:`
  const id = `substr(p.o, ${here.length + 1})`
  const select = `select max(b.id) as highest, min(b.id) as lowest
                    from (select case when ${id} ~ '^-?[0-9]{1,18}$' then ${id}::int8 end as id
                            from ${load.parsed} p
                           where starts_with(p.o, ${quoteLiteral(here)})) b`
  return [{ sequence, select }]
}

function sequencesOf(context: SqlContext, load: Load, names: readonly string[]): Sequence[] {
  const columns = catalogRelation(context, load.relation).columns
  return columns
    .filter((column) => names.includes(column.name))
    .flatMap(({ sequence }) => (sequence === null ? [] : [sequence]))
}

async function advanceAll(
  session: Session,
  context: SqlContext,
  {
    sequences,
    born,
    when,
  }: {
    readonly sequences: readonly Sequence[]
    readonly born: readonly BornHere[]
    readonly when: 'always' | 'where it lags'
  },
): Promise<void> {
  const byName = new Map(sequences.map((sequence) => [quoteQualified(sequence), sequence]))
  for (const [name, sequence] of byName) {
    const [state] = await session.query<{ next: string; lags: boolean }>(
      sequenceState(
        context,
        name,
        born.filter((each) => quoteQualified(each.sequence) === name).map(({ select }) => select),
      ),
    )
    if (state === undefined || (!state.lags && (when !== 'always' || !sequence.isOwned))) continue
    if (sequence.isOwned) await session.execute(`alter sequence ${name} restart with ${state.next}`)
    else await session.query(`select setval(${quoteLiteral(name)}::regclass, $1::int8, false)`, [state.next])
  }
}
