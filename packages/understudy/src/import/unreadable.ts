import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral } from '../database/quoting.js'
import type { Problem } from '../errors.js'
import { relationOf } from '../model/model.js'
import { catalogRelation, type SqlContext } from '../model/sql-context.js'
import type { Load } from './load.js'
import { slotLeafExpressions } from './match.js'
import { bare, parsedColumn, parsedName } from './parse.js'
import { plural, readProblem } from './problems.js'

/** The temporary table of cells that cannot be read: `(n, position, reason)`; position 0 where it is no single column's fault. */
export function unreadableTable(load: Load): string {
  return `pg_temp.${bare(load.stage)}_unreadable`
}

/**
 * Finds the values of the staged records that the target's types refuse, after a statement has failed on one. A function of the session tries
 * every record, and of those that fail every column: `pg_input_is_valid` would be quicker, but knows neither arrays of JSON nor types whose
 * input function throws, and is missing before PostgreSQL 16. The values then give way to null, so that the rest can be looked at as well.
 */
export async function findUnreadable(session: Session, context: SqlContext, load: Load): Promise<Problem[]> {
  const name = `pg_temp.${bare(load.stage)}_reads`
  await session.execute(
    `create function ${name}(text, out place int, out reason text) returns setof record language plpgsql as ${quoteLiteral(readingBody(context, load))}`,
  )
  await session.execute(
    `create temporary table ${bare(unreadableTable(load))} on commit drop as
     select s.n, f.place as position, f.reason from ${load.stage} s cross join lateral ${name}(s.line) f`,
  )
  const cells = await session.query<{ position: number }>(
    `select distinct position from ${unreadableTable(load)} order by position`,
  )
  const problems: Problem[] = []
  for (const { position } of cells) problems.push(...(await describeCells(session, context, load, position)))
  if (problems.length > 0) await blank(session, load)
  load.hasUnreadable = problems.length > 0
  return problems
}

async function describeCells(session: Session, context: SqlContext, load: Load, position: number): Promise<Problem[]> {
  const column = load.relation.columns[position - 1]
  const type = catalogRelation(context, load.relation).columns.find((each) => each.name === column?.name)?.type
  const value = column === undefined ? 'null' : `s.line::json ->> ${quoteLiteral(column.key)}`
  return await readProblem(
    session,
    load,
    {
      kind: 'unreadable value',
      columns: column === undefined ? [] : [column.name],
      message: (rows) =>
        column === undefined
          ? `${plural(rows, 'record', 'records')} cannot be read`
          : `${plural(rows, 'value does', 'values do')} not fit ${type}`,
    },
    `select u.n, ${value} as value, u.reason as other, null::bigint as other_n
       from ${unreadableTable(load)} u join ${load.stage} s on s.n = u.n
      where u.position = ${position}`,
  )
}

/** In a JSON object the last of two equal keys counts; a record that is none goes. */
async function blank(session: Session, load: Load): Promise<void> {
  const keys = load.relation.columns.map((column, index) => `(${index + 1}, ${quoteLiteral(column.key)})`)
  if (keys.length > 0) {
    await session.execute(
      `update ${load.stage} s set line = left(s.line, -1) || b.nulls || '}'
         from (select u.n, string_agg(',' || to_json(k.key)::text || ':null', '') as nulls
                 from ${unreadableTable(load)} u
                 join (values ${keys.join(', ')}) k(position, key) on k.position = u.position
                group by u.n) b
        where b.n = s.n`,
    )
  }
  await session.execute(
    `delete from ${load.stage} s using ${unreadableTable(load)} u where u.n = s.n and u.position = 0`,
  )
}

/** Reads the whole record; where that fails, each column on its own. */
function readingBody(context: SqlContext, load: Load): string {
  const parts = load.relation.columns.map((column, index) => {
    const { field, outputs, laterals } = parsedColumn(context, load, column, index + 1)
    return {
      field,
      laterals,
      outputs: [...outputs, ...leavesRead(context, load, index + 1, quoteIdentifier(column.key))],
    }
  })
  const name = parsedName(context, load)
  const whole = {
    field: [...name.map(({ key, type }) => `${quoteIdentifier(key)} ${type}`), ...parts.flatMap((part) => part.field)],
    outputs: [...name.map(({ key }) => `x.${quoteIdentifier(key)}`), ...parts.flatMap((part) => part.outputs)],
    laterals: parts.flatMap((part) => part.laterals),
  }
  const blocks = parts.map(
    (part, index) =>
      `begin ${reading(part)} exception when others then place := ${index + 1}; reason := sqlerrm; return next; end;`,
  )
  return `
    declare whole_reason text;
    begin
      begin ${reading(whole)} return; exception when others then whole_reason := sqlerrm; end;
      ${blocks.join('\n      ')}
      if place is null then place := 0; reason := whole_reason; return next; end if;
    end`
}

interface Reading {
  readonly field: readonly string[]
  readonly outputs: readonly string[]
  readonly laterals: readonly string[]
}

function reading({ field, outputs, laterals }: Reading): string {
  if (field.length === 0) return 'perform $1::json;'
  return `perform ${outputs.join(', ')} from json_to_record($1::json) as x(${field.join(', ')}) ${laterals.join(' ')};`
}

/** The casts that matching and binding do to an identity of several parts, which parsing leaves as JSON. */
function leavesRead(context: SqlContext, load: Load, position: number, key: string): string[] {
  return load.slots
    .filter((slot) => slot.id === String(position) && !slot.isTyped && slot.translation.shape === 'value')
    .filter((slot) => slot.translation.discriminator === null)
    .flatMap((slot) =>
      slot.translation.alternatives.flatMap((alternative) =>
        slotLeafExpressions(context, `x.${key}`, relationOf(context.model, alternative.target), false),
      ),
    )
}
