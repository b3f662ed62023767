import type { Session } from '../database/port.js'
import { quoteLiteral } from '../database/quoting.js'
import { copyColumns, keptColumns } from '../model/kept-columns.js'
import { lineSelect } from '../model/line-sql.js'
import { type ContentColumn, findRelation, relationLabel } from '../model/model.js'
import { isSecretName } from '../model/secrets.js'
import type { SqlContext } from '../model/sql-context.js'
import { plainReferences } from './bound-columns.js'
import { readCarried } from './doomed-rows.js'
import type { ImportRun } from './import-run.js'
import { waitingColumns } from './late-references.js'
import { type Load, sameHandle } from './load.js'
import { goingRows, ownerInLine, recordName } from './row-names.js'

/** The rows of one relation that one kind of change concerns. */
export interface PlannedRows {
  readonly relation: string
  /** `cascade` for rows that a foreign key deletes in turn; these are in no count of the relation, but in the notes of the plan. */
  readonly change: 'insert' | 'update' | 'delete' | 'cascade'
  /** How many there are; `rows` has as many of them as were asked for. */
  readonly total: number
  readonly rows: readonly PlannedRow[]
}

export interface PlannedRow {
  /**
   * Its identity as JSON. Where it has none its owner's, and its key (`order_id "o", id 5`): in the source, but here of a row that is deleted. In front of
   * it, in a fileset, where it stands.
   */
  readonly identity: string
  /** What an update changes; empty for the others. */
  readonly columns: readonly PlannedColumn[]
}

export interface PlannedColumn {
  readonly name: string
  /** The value as JSON, as it travels; both null where one is long, masked, secret by its name or waits for its target. */
  readonly before: string | null
  readonly after: string | null
}

/** Names the rows that the plan counts, and those that go in turn, up to `run.rows` of each relation and kind of change. */
export async function readPlannedRows(
  run: ImportRun,
  context: SqlContext,
  loads: Iterable<Load>,
  hasDoomed: boolean,
): Promise<PlannedRows[]> {
  const { session, rows: limit = 0 } = run
  const planned: PlannedRows[] = []
  for (const load of loads) {
    const add = (change: PlannedRows['change'], total: number, rows: readonly PlannedRow[]) =>
      planned.push({ relation: relationLabel(load.relation), change, total, rows })
    const { inserts, updates, deletes } = load.counts
    if (inserts > 0) add('insert', inserts, await readNames(session, newRows(load), limit))
    if (updates > 0) add('update', updates, await readUpdates(run, context, load, limit))
    if (deletes > 0) add('delete', deletes, await readNames(session, leavingRows(context, load), limit))
  }
  if (!hasDoomed) return planned
  for (const { label, total, names } of await readCarried(session, context, limit)) {
    planned.push({
      relation: label,
      change: 'cascade',
      total,
      rows: names.map((identity) => ({ identity, columns: [] })),
    })
  }
  return planned
}

async function readNames(session: Session, select: string, limit: number): Promise<PlannedRow[]> {
  const rows = await session.query<{ identity: string }>(`${select} limit $1::bigint`, [limit])
  return rows.map(({ identity }) => ({ identity, columns: [] }))
}

function newRows(load: Load): string {
  const owner = ownerInLine(load.relation, 's.line')
  const name = owner === 'null' ? recordName(load, 's') : `concat_ws(', ', ${owner}, ${recordName(load, 's')})`
  return `select ${name} as identity
            from ${load.rows} w
            join ${load.stage} s on s.n = w.n
           where w.is_new
           order by w.n`
}

function leavingRows(context: SqlContext, load: Load): string {
  const order = load.handle.map((_, index) => `g.h${index + 1}`).join(', ')
  return `select g.name as identity from (${goingRows(context, load)}) g order by ${order}`
}

const LONGEST_SHOWN = 40

/** Lines are compared key by key, as they were as wholes. Values that are not to be seen do not leave the server. */
async function readUpdates(run: ImportRun, context: SqlContext, load: Load, limit: number): Promise<PlannedRow[]> {
  const { relation, handle } = load
  const copies = copyColumns(context, relation)
  const compared = relation.columns.filter((column) => !copies.includes(column))
  const hidden = compared.filter((column) => isHidden(run, context, load, column))
  const handles = handle.map((_, index) => `w.h${index + 1}`).join(', ')
  const rows = await run.session.query<{ identity: string; columns: string | null }>(
    `select ${recordName(load, 's')} as identity, d.columns
       from (select w.n, ${handles} from ${load.rows} w where not w.is_new order by w.n limit $1::bigint) f
       join ${load.stage} s on s.n = f.n
       join (${lineSelect(context, relation, relation.columns, handle)}) l on ${sameHandle(context, load, 'l', 'f')}
       left join ${load.bound} b on b.n = f.n
       left join (${await waitingColumns(run.session, load)}) y on y.n = f.n
      cross join lateral (
            select json_agg(json_build_array(a.key, case when q.is_shown then c.value::text end,
                                                    case when q.is_shown then a.value::text end) order by a.place)::text as columns
              from json_each(s.line::json) with ordinality a(key, value, place)
              join json_each(l.line::json) c on c.key = a.key
             cross join lateral (
                   select a.key <> all (${textArray(hidden)} || ${waitingKeys(load)})
                          and greatest(length(c.value::text), length(a.value::text)) <= ${LONGEST_SHOWN} as is_shown) q
             where a.value::text <> c.value::text and a.key = any (${textArray(compared)})) d
      order by f.n`,
    [limit],
  )
  const names = new Map(relation.columns.map(({ key, name }) => [key, name]))
  return rows.map(({ identity, columns }) => {
    const differing = JSON.parse(columns ?? '[]') as [key: string, before: string | null, after: string | null][]
    return {
      identity,
      columns: differing.map(([key, before, after]) => ({ name: names.get(key) ?? key, before, after })),
    }
  })
}

/** Masked here or where the archive was written, kept, or secret by its name; and what holds references inside, which is not written as it travels. */
function isHidden(run: ImportRun, context: SqlContext, { relation, slots }: Load, column: ContentColumn): boolean {
  const archived = findRelation(run.index.model, relation)?.columns.find(({ name }) => name === column.name)
  const { mask = {} } = context.configured.get(relationLabel(relation)) ?? {}
  return (
    archived?.mask !== undefined ||
    Object.hasOwn(mask, column.name) ||
    isSecretName(column.name) ||
    keptColumns(context, relation).includes(column) ||
    slots.some((slot) => slot.column === column && (slot.translation.shape !== 'value' || slot.id.includes('_')))
  )
}

/** The keys of a record whose references find no target: something else is written in their place. */
function waitingKeys(load: Load): string {
  const waiting = [
    ...load.slots.map((slot) => ({ flag: `b.m${slot.id}`, name: slot.column.name })),
    ...plainReferences(load).flatMap(({ columns }, index) => columns.map((name) => ({ flag: `b.m_${index}`, name }))),
  ]
  const keys = waiting.map(({ flag, name }) => {
    const key = load.relation.columns.find((column) => column.name === name)?.key ?? name
    return `case when ${flag} or ${quoteLiteral(name)} = any (y.columns) then ${quoteLiteral(key)} end`
  })
  return `array_remove(array[${keys.join(', ')}]::text[], null)`
}

function textArray(columns: readonly ContentColumn[]): string {
  return `array[${columns.map(({ key }) => quoteLiteral(key)).join(', ')}]::text[]`
}
