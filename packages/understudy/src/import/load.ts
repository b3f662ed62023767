import type { FileEntry } from '../archive/archive-index.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { leavesOf } from '../model/leaves.js'
import { type ContentColumn, type ContentRelation, canBeBare, relationOf, type Translation } from '../model/model.js'
import { catalogRelation, type SqlContext, sameOrBothNull, sameValue } from '../model/sql-context.js'
import type { ParkedValues } from './followers.js'

/**
 * One relation on its way into the target, and the names of its temporary tables:
 * - `stage (n, master, line)`: the archive's records as they are;
 * - `parsed (n, master, …)`: those that the target does not hold unchanged, as typed columns (`parse.ts` names them);
 * - `rows (n, is_new, h…, k…)`: for each of these, the handle of the row that it matches, or the keys allocated for a new one;
 * - `bound (n, b…, m…)`: the values of its references in this database, and which of them are missing.
 *
 * Where all records are new, `rows` holds the identity (`l…`) and what is to be bound as well, and `bound` all that `rows` says: each later step
 * then reads one table less.
 */
export interface Load {
  readonly relation: ContentRelation
  readonly entry: FileEntry
  readonly stage: string
  readonly parsed: string
  readonly rows: string
  readonly bound: string
  /** Target rows that a `content` relation must give up: `extra (h…)`. */
  readonly extra: string
  /** Columns that find a row of the target again. */
  readonly handle: readonly string[]
  readonly slots: readonly Slot[]
  /** True: `master` says where a record stands, `events.csv:12`. */
  readonly isFileset: boolean
  /** Whether any record differs from the target: else nothing of this relation is looked at any further. */
  hasDifferences: boolean
  /** Whether none of its records can match a row of the target, so that none was looked for. */
  isAllNew: boolean
  /** Whether values of its records could not be read and were blanked: then the import is refused in the end. */
  hasUnreadable: boolean
  /** The target's rows before the import. */
  rowsBefore: number
  counts: LoadCounts
  /** Values that its rows gave up for the time being although others refer to them. */
  readonly parked: ParkedValues[]
}

export interface LoadCounts {
  unchanged: number
  updates: number
  inserts: number
  deletes: number
  skipped: number
}

/** A place in a record that holds identities of rows. */
export interface Slot {
  /** Names its columns: `r3` in parsed, `b3` and `m3` in bound; `r3_1` for the first translated field of column 3. */
  readonly id: string
  /** For messages: `project_id`, `variations.parent_id`. */
  readonly path: string
  readonly translation: Translation
  readonly column: ContentColumn
  /** The type that the bound value has in the target. */
  readonly type: string
  /** True where the identity is one typed column of parsed rather than JSON. */
  readonly isTyped: boolean
}

export function createLoad(
  context: SqlContext,
  relation: ContentRelation,
  entry: FileEntry,
  index: number | string,
): Load {
  const name = (what: string) => `pg_temp.understudy_${what}_${index}`
  return {
    relation,
    entry,
    stage: name('stage'),
    parsed: name('parsed'),
    rows: name('rows'),
    bound: name('bound'),
    extra: name('extra'),
    handle: handleColumns(context, relation),
    slots: relation.columns.flatMap((column, position) => slotsOf(context, column, position + 1)),
    isFileset: false,
    hasDifferences: true,
    isAllNew: false,
    hasUnreadable: false,
    rowsBefore: 0,
    counts: { unchanged: 0, updates: 0, inserts: 0, deletes: 0, skipped: 0 },
    parked: [],
  }
}

/** The primary key where there is one, else the identity's columns, else the place in the table, which only holds while nothing writes it. */
export function handleColumns(context: SqlContext, relation: ContentRelation): readonly string[] {
  const primary = catalogRelation(context, relation).uniqueKeys.find((key) => key.isPrimary)
  if (primary !== undefined) return primary.columns
  if (relation.identity.kind === 'key' || relation.identity.kind === 'origin') return relation.identity.columns
  return ['tableoid', 'ctid']
}

function slotsOf(context: SqlContext, column: ContentColumn, position: number): Slot[] {
  const slots: Slot[] = []
  if (column.translation !== undefined) {
    const { translation } = column
    const isTyped = isTypedTranslation(context, translation)
    slots.push({ id: String(position), path: column.name, translation, column, type: column.type, isTyped })
  }
  for (const [index, field] of (column.fields ?? []).entries()) {
    if (field.translation === undefined) continue
    slots.push({
      id: `${position}_${index + 1}`,
      path: `${column.name}.${field.name}`,
      translation: field.translation,
      column,
      type: field.type,
      isTyped: false,
    })
  }
  return slots
}

/** Whether an identity is parsed as one typed column: one leaf, never the bare value of a key that is null in part. */
export function isTypedTranslation(context: SqlContext, translation: Translation): boolean {
  const [alternative] = translation.alternatives
  if (alternative === undefined || translation.shape !== 'value' || translation.discriminator !== null) return false
  return !canBeBare(translation) && leavesOf(context.model, relationOf(context.model, alternative.target)).length === 1
}

/** `t.id = x.h1 and …`: the row behind `row` is the one whose handle `known` holds. */
export function sameRow(context: SqlContext, load: Load, row: string, known: string): string {
  return sameColumns(context, load, (name) => `${row}.${quoteIdentifier(name)}`, known)
}

/** `l.t1 = x.h1 and …`: the line behind `line`, read with the handle beside it, is that of the row whose handle `known` holds. */
export function sameHandle(context: SqlContext, load: Load, line: string, known: string): string {
  return sameColumns(context, load, (_, index) => `${line}.t${index + 1}`, known)
}

function sameColumns(
  context: SqlContext,
  load: Load,
  value: (name: string, index: number) => string,
  known: string,
): string {
  const columns = catalogRelation(context, load.relation).columns
  return load.handle
    .map((name, index) => {
      const [a, b] = [value(name, index), `${known}.h${index + 1}`]
      const column = columns.find((each) => each.name === name)
      return column?.isNullable === true
        ? sameOrBothNull(column.baseType, a, b)
        : sameValue(context, load.relation, name, a, b)
    })
    .join(' and ')
}

/** Gives the planner the statistics of a temporary table, which nothing else gathers; few rows it plans well without. */
export async function analyzeTemporary(session: Session, load: Load, table: string): Promise<void> {
  if (load.entry.records >= MIN_ROWS_TO_ANALYZE) await session.execute(`analyze ${table}`)
}

const MIN_ROWS_TO_ANALYZE = 500

export function hasChanges({ counts }: Load): boolean {
  return counts.inserts + counts.updates + counts.deletes > 0
}
