import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { decodeExpression, decodeLeaf, leafRecordType, recordType } from '../model/encodings.js'
import { leavesOf } from '../model/leaves.js'
import { digestSelect, lineSelect } from '../model/line-sql.js'
import { type ContentColumn, isNamedContent, relationOf } from '../model/model.js'
import { DIGEST_KEY, NUMBER_KEY, ORIGIN_KEY } from '../model/record-keys.js'
import type { SqlContext } from '../model/sql-context.js'
import { analyzeTemporary, type Load } from './load.js'

/**
 * Parses the staged lines that the target does not hold already, once: every later step reads typed columns. Column `k` of the relation is
 * `c<k>`; where it holds an identity it is `r<k>`, the one leaf or the JSON of several; the fields of a composite with references are
 * `c<k>_<f>` and `r<k>_<f>`; the row's own origin is `o`.
 */
export async function parseStaged(session: Session, context: SqlContext, load: Load): Promise<void> {
  const parts = load.relation.columns.map((column, index) => parsedColumn(context, load, column, index + 1))
  const fields = parts.flatMap((part) => part.field)
  const name = parsedName(context, load)
  fields.unshift(...name.map(({ key, type }) => `"${key}" ${type}`))
  const list = [
    's.n',
    's.master',
    ...name.map(({ key, column }) => `x."${key}" as ${column}`),
    ...parts.flatMap((part) => part.outputs),
  ]
  const record = fields.length === 0 ? '' : `cross join lateral json_to_record(s.line::json) as x(${fields.join(', ')})`
  const laterals = parts.flatMap((part) => part.laterals)
  await session.execute(
    `create temporary table ${bare(load.parsed)} on commit drop as
     select ${list.join(', ')}
       from (${remaining(context, load)}) s ${record} ${laterals.join(' ')}`,
  )
  await analyzeTemporary(session, load, load.parsed)
  const [found] = await session.query<{ any: boolean }>(`select exists (select from ${load.parsed}) as any`)
  load.hasDifferences = found?.any ?? false
}

/** What a record says of its own identity beside its columns, and where it goes. */
export function parsedName(context: SqlContext, { relation }: Load): { key: string; type: string; column: string }[] {
  if (relation.identity.kind === 'origin') return [{ key: ORIGIN_KEY, type: 'text', column: 'o' }]
  if (!isNamedContent(context.model, relation)) return []
  return [
    { key: DIGEST_KEY, type: 'text', column: 'digest' },
    { key: NUMBER_KEY, type: 'bigint', column: 'number' },
  ]
}

/**
 * The staged lines that are not in the target yet, compared by their SHA-256: the join then holds 32 bytes a row and stays in memory. The
 * target's digests are made below a gather node, so that the server can make them with several processes. Equal lines of a relation known
 * by its content are counted off, one for one. `offset 0`: no line is parsed, and no digest made, more often than is needed.
 */
function remaining(context: SqlContext, load: Load): string {
  const staged = `select g.n, g.master, g.line from ${load.stage} g`
  if (load.relation.identity.kind === 'content') {
    return `${staged} where g.n not in (select m.n from ${matchedLines(load)} m) offset 0`
  }
  if (load.rowsBefore === 0) return staged
  const digested = `select g.*, sha256(convert_to(g.line, 'UTF8')) as digest from ${load.stage} g offset 0`
  const digests = digestSelect(context, load.relation, load.relation.columns)
  return `select g.n, g.master, g.line from (${digested}) g where not exists (select from (${digests}) t where t.digest = g.digest) offset 0`
}

/** The temporary table of a content relation's staged lines that have their equal in the target. */
export function matchedLines(load: Load): string {
  return `${load.extra}_matched`
}

/**
 * For a relation known by its content: pairs staged lines with equal rows of the target, each row once, and keeps the rows left over. A row that
 * will read otherwise, because what it refers to will be written otherwise or carries it along, counts as it will read. Rows that wait for what
 * they refer to are paired next, by what they wait for.
 */
export async function pairContent(session: Session, context: SqlContext, load: Load): Promise<void> {
  const handles = load.handle.map((_, index) => `t.t${index + 1}`)
  const withoutWaiting = { ...context, standIns: undefined }
  await session.execute(
    `create temporary table ${bare(load.extra)}_pairs on commit drop as
     select s.n, ${handles.map((handle, index) => `${handle} as h${index + 1}`).join(', ')}
       from (select n, line, row_number() over (partition by line order by n) as occurrence from ${load.stage}) s
       full join (select *, row_number() over (partition by line) as occurrence
                    from (${lineSelect(withoutWaiting, load.relation, load.relation.columns, load.handle)}) l) t
         on t.line = s.line and t.occurrence = s.occurrence
      where s.n is null or t.line is not null`,
  )
  const columns = load.handle.map((_, index) => `h${index + 1}`).join(', ')
  await session.execute(
    `create temporary table ${bare(matchedLines(load))} on commit drop as
     select n, ${columns} from ${load.extra}_pairs where n is not null`,
  )
  await session.execute(
    `create temporary table ${bare(load.extra)} on commit drop as
     select ${columns} from ${load.extra}_pairs where n is null`,
  )
  if (context.standIns !== undefined) await pairWaiting(session, context, load)
}

async function pairWaiting(session: Session, context: SqlContext, load: Load): Promise<void> {
  const isLeft = load.handle.map((_, index) => `x.h${index + 1} = l.t${index + 1}`).join(' and ')
  const isSame = load.handle.map((_, index) => `x.h${index + 1} = m.h${index + 1}`).join(' and ')
  const lines = lineSelect(context, load.relation, load.relation.columns, load.handle)
  await session.execute(
    `insert into ${matchedLines(load)}
     select s.n, ${load.handle.map((_, index) => `t.t${index + 1}`).join(', ')}
       from (select n, line, row_number() over (partition by line order by n) as occurrence
               from ${load.stage} where n not in (select n from ${matchedLines(load)})) s
       join (select l.*, row_number() over (partition by line) as occurrence from (${lines}) l join ${load.extra} x on ${isLeft}) t
         on t.line = s.line and t.occurrence = s.occurrence`,
  )
  await session.execute(`delete from ${load.extra} x using ${matchedLines(load)} m where ${isSame}`)
}

export interface ParsedColumn {
  /** Its entry in the record's definition. */
  readonly field: string[]
  readonly outputs: string[]
  readonly laterals: string[]
}

/** How a column of the record is read. */
export function parsedColumn(context: SqlContext, load: Load, column: ContentColumn, position: number): ParsedColumn {
  const key = quoteIdentifier(column.key)
  const slot = load.slots.find((each) => each.id === String(position))
  if (column.fields !== undefined) return parseComposite(column, position)
  if (slot === undefined) {
    const decoded = decodeExpression(column.encoding, column.type, `x.${key}`)
    return {
      field: [`${key} ${recordType(column.encoding, column.type)}`],
      outputs: [`${decoded} as c${position}`],
      laterals: [],
    }
  }
  const [alternative] = slot.translation.alternatives
  if (!slot.isTyped || alternative === undefined) {
    return { field: [`${key} json`], outputs: [`x.${key} as r${position}`], laterals: [] }
  }
  const [leaf] = leavesOf(context.model, relationOf(context.model, alternative.target))
  if (leaf === undefined) throw new Error(`${slot.path} refers to a relation without identity`)
  const decoded = decodeLeaf(leaf.encoding, leaf.type, `x.${key}`)
  return {
    field: [`${key} ${leafRecordType(leaf.encoding, leaf.type)}`],
    outputs: [`${decoded} as r${position}`],
    laterals: [],
  }
}

/** A composite with references inside travels as an object; its null-ness is kept beside its fields. */
function parseComposite(column: ContentColumn, position: number): ParsedColumn {
  const key = quoteIdentifier(column.key)
  const fields = (column.fields ?? []).map((field, index) => {
    const name = quoteIdentifier(field.name)
    const id = `${position}_${index + 1}`
    if (field.translation !== undefined) return { definition: `${name} json`, output: `y${position}.${name} as r${id}` }
    const decoded = decodeExpression(field.encoding, field.type, `y${position}.${name}`)
    return { definition: `${name} ${recordType(field.encoding, field.type)}`, output: `${decoded} as c${id}` }
  })
  const definitions = fields.map((field) => field.definition).join(', ')
  return {
    field: [`${key} json`],
    outputs: [`x.${key} is not null as c${position}`, ...fields.map((field) => field.output)],
    laterals: [`left join lateral json_to_record(x.${key}) as y${position}(${definitions}) on true`],
  }
}

/** A temporary table is created by its bare name. */
export function bare(table: string): string {
  return table.replace('pg_temp.', '')
}
