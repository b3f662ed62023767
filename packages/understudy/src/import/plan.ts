import type { ImportMode, MissingPolicy } from '../config/define-config.js'
import { relationLabel } from '../model/model.js'
import type { PlannedLate } from './late-references.js'
import type { Load } from './load.js'
import type { PlannedRows } from './planned-rows.js'

export type { ImportMode, MissingPolicy }

/** What an import would do, or did, in counts. */
export interface ImportPlan {
  readonly archive: { readonly id: string; readonly name: string; readonly createdAt: string }
  /** Where it goes, safe to print. */
  readonly target: string
  readonly mode: ImportMode
  /** In order of schema and name. */
  readonly relations: readonly PlannedRelation[]
  /** References of earlier imports whose target arrives now. */
  readonly lateReferences: readonly PlannedLate[]
  /** The rows themselves, by relation and kind of change; absent where nobody asked for them (`rows` of the options). */
  readonly rows?: readonly PlannedRows[]
  /** What the reader should know beside the counts. */
  readonly notes: readonly string[]
}

export interface PlannedRelation {
  readonly relation: string
  readonly schema: string
  readonly name: string
  readonly records: number
  readonly inserts: number
  readonly updates: number
  readonly unchanged: number
  readonly deletes: number
  readonly skipped: number
}

export function plannedRelations(loads: Iterable<Load>): PlannedRelation[] {
  return [...loads].map((load) => ({
    relation: relationLabel(load.relation),
    schema: load.relation.schema,
    name: load.relation.name,
    records: load.entry.records,
    ...load.counts,
  }))
}

/** Whether two plans would do the same in every relation, and to the rows that they name. */
export function isSamePlan(a: ImportPlan, b: ImportPlan): boolean {
  return identityOf(a) === identityOf(b)
}

/** The relations in which two plans differ, a line each. */
export function describeDifference(before: ImportPlan, after: ImportPlan): string {
  const counts = ({ inserts, updates, deletes, skipped }: PlannedRelation) =>
    `${inserts} inserts, ${updates} updates, ${deletes} deletes, ${skipped} skipped`
  const lines = after.relations.flatMap((relation) => {
    const earlier = before.relations.find((each) => each.relation === relation.relation)
    const [was, is] = [earlier === undefined ? 'nothing' : counts(earlier), counts(relation)]
    return was === is ? [] : [`${relation.relation}: ${is}; shown were ${was}`]
  })
  return lines.join('\n') || 'The same counts, but other rows change, or wait for their target.'
}

function identityOf({ archive, relations, lateReferences, rows }: ImportPlan): string {
  return JSON.stringify([archive.id, relations, lateReferences, rows])
}

export function plannedChanges(plan: ImportPlan): number {
  return plan.relations.reduce((sum, each) => sum + each.inserts + each.updates + each.deletes, 0)
}
