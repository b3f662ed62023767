import type { Sequence } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { quoteLiteral, quoteQualified } from '../database/quoting.js'
import { sequenceState } from '../model/sequence-state.js'
import { catalogRelation, type SqlContext } from '../model/sql-context.js'
import type { Load } from './load.js'

/**
 * Moves the sequences that new rows will draw from beyond every id that stands in any column that they fill. `alter sequence … restart`
 * gives a sequence a new file, so that a rollback brings back its old value, which `setval` would not; without ownership it is moved only
 * where it lags.
 */
export async function advanceSequences(session: Session, context: SqlContext, loads: readonly Load[]): Promise<void> {
  const drawn = loads
    .filter((load) => load.counts.inserts > 0)
    .flatMap((load) => sequencesOf(context, load, load.relation.surrogate))
  await advanceAll(session, context, drawn, 'always')
}

/** Moves the sequences of columns that the import wrote itself, where they lag behind now. */
export async function catchUpSequences(session: Session, context: SqlContext, loads: readonly Load[]): Promise<void> {
  const written = loads.flatMap((load) =>
    sequencesOf(
      context,
      load,
      load.relation.columns.map((column) => column.name),
    ),
  )
  await advanceAll(session, context, written, 'where it lags')
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
  sequences: readonly Sequence[],
  when: 'always' | 'where it lags',
): Promise<void> {
  const byName = new Map(sequences.map((sequence) => [quoteQualified(sequence), sequence]))
  for (const [name, sequence] of byName) {
    const [state] = await session.query<{ next: string; lags: boolean }>(sequenceState(context, name))
    if (state === undefined || (!state.lags && (when !== 'always' || !sequence.isOwned))) continue
    if (sequence.isOwned) await session.execute(`alter sequence ${name} restart with ${state.next}`)
    else await session.query(`select setval(${quoteLiteral(name)}::regclass, $1::int8, false)`, [state.next])
  }
}
