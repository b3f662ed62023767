import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteQualified } from '../database/quoting.js'
import { UnderstudyError } from '../errors.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'
import { handleOf, type NullIdentities, ownColumn } from './null-identities.js'
import { templateExpression } from './template.js'

/** What a fill gives to the rows of one relation. */
export interface FilledRelation {
  readonly relation: string
  readonly column: string
  readonly rows: number
  /** Up to five: `id 7: users.anna`. */
  readonly samples: readonly string[]
}

const MAX_SAMPLES = 5

/**
 * Works out an identity for each row without one, in a temporary table, and finds what is wrong with them before a row is touched: values that are
 * null, borne twice among them, or by a row that has its identity already.
 */
export async function planFill(
  session: Session,
  context: SqlContext,
  found: NullIdentities,
  template: string,
): Promise<{ filled: FilledRelation; problems: string[] }> {
  const { relation, column, type, label } = found
  const value = templateExpression(template, relation, { instance: context.instance })
  const from = fromRelation(context, relation)
  const handle = handleOf(context, relation).map(
    (name) => `'${name.replaceAll("'", "''")} ' || ${ownColumn(name)}::text`,
  )
  await refusing(`the values for ${label}.${column} cannot be made`, async () => {
    await session.execute(
      `create temporary table ${found.fillTable} (place tid, tableoid_ oid, row text, value ${type}) on commit drop`,
    )
    // With a parameter the server takes one statement only, whatever the template holds.
    await session.execute(
      `insert into pg_temp.${found.fillTable} (place, tableoid_, row, value)
       select f.place, f.tableoid_, f.row, f.value::${type}
         from (select t.ctid as place, t.tableoid as tableoid_, ${handle.join(` || ', ' || `)} as row, ${value} as value
                 from ${from} t
                where ${ownColumn(column)} is null and $1::boolean) f`,
      [true],
    )
  })
  const rows = await session.query<{ sample: string; total: number }>(
    `select row || ': ' || coalesce(value::text, 'null') as sample, count(*) over () as total
       from pg_temp.${found.fillTable}
      order by row
      limit ${MAX_SAMPLES}`,
  )
  const filled = { relation: label, column, rows: rows[0]?.total ?? 0, samples: rows.map((row) => row.sample) }
  return { filled, problems: await findProblems(session, from, found) }
}

async function findProblems(session: Session, from: string, { label, column, fillTable }: NullIdentities) {
  const problems: string[] = []
  const table = `pg_temp.${fillTable}`
  const look = async (select: string, describe: (count: number, samples: string) => string) => {
    const rows = await session.query<{ sample: string; total: number }>(
      `select d.sample, count(*) over () as total from (${select}) d order by 1 limit ${MAX_SAMPLES}`,
    )
    const [first] = rows
    const samples = rows.map((row) => row.sample).join(', ')
    if (first !== undefined) problems.push(`${label}.${column}: ${describe(first.total, samples)}`)
  }
  await look(
    `select f.row as sample from ${table} f where f.value is null`,
    (count, samples) => `the template gives null for ${rowsOf(count)}: ${samples}`,
  )
  await look(
    `select f.value::text as sample from ${table} f where f.value is not null group by f.value having count(*) > 1`,
    (count, samples) => `the template gives ${count === 1 ? 'a value' : `${count} values`} to several rows: ${samples}`,
  )
  await look(
    `select v.value::text as sample
       from (select f.value, true as is_new from ${table} f
              union all
             select ${ownColumn(column)}, false from ${from} t) v
      where v.value is not null
      group by v.value
     having bool_or(v.is_new) and bool_or(not v.is_new)`,
    (count, samples) => `${rowsOf(count)} would get a value that another row has: ${samples}`,
  )
  return problems
}

function rowsOf(count: number): string {
  return count === 1 ? '1 row' : `${count} rows`
}

/** Writes what was worked out. The relation is locked, so rows still stand where they stood. */
export async function writeFill(
  session: Session,
  context: SqlContext,
  found: NullIdentities,
  expected: FilledRelation,
): Promise<void> {
  const { relation, column, label } = found
  const written = await refusing(`the identities of ${label} cannot be written`, () =>
    session.execute(
      `update ${fromRelation(context, relation)} t
          set ${quoteIdentifier(column)} = f.value
         from pg_temp.${found.fillTable} f
        where t.ctid = f.place and t.tableoid = f.tableoid_`,
    ),
  )
  if (written === expected.rows) return
  throw new UnderstudyError('IDENTIFY_REFUSED', `${written} of ${expected.rows} rows of ${label} were written`, {
    hint: 'Look for a trigger or a policy that holds rows back. Nothing was written.',
  })
}

export async function lockForFill(session: Session, { relation }: NullIdentities): Promise<void> {
  await session.script(`lock table ${quoteQualified(relation)} in share row exclusive mode`)
}

async function refusing<T>(message: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const facts = describeSqlError(error)
    if (facts === undefined) throw error
    throw new UnderstudyError('IDENTIFY_REFUSED', message, {
      detail: [facts.message, facts.detail].filter(Boolean).join('\n'),
      hint:
        facts.hint ??
        'Nothing was written. Correct the template; columns that need quotes keep them in braces: {"my column"}.',
      cause: error,
    })
  }
}
