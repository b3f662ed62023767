import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { quoteLiteral } from '../database/quoting.js'
import { relationLabel } from '../model/model.js'
import { ownLeaves, typedRows, valueExpression } from './cell-sql.js'
import { cellsOf, type FilledFile, type Heading } from './filled-file.js'
import type { Findings } from './findings.js'

const MAX_PER_HEADING = 5

/** Finds values that do not fit their columns, and nulls where there may be none. */
export async function checkValues(session: Session, file: FilledFile, findings: Findings): Promise<void> {
  const cells = cellsOf(file)
  if (!(await fits(session, file, cells, 0, null))) {
    for (const heading of cells) await findMisfits(session, file, heading, findings)
  }
  const required = cells.filter((heading) => isRequired(file, heading))
  if (required.length === 0) return
  const empty = required.map((heading) => `s.cells::json ->> '${heading.name}' is null`)
  const rows = await session.query<{ line: string; headings: boolean[] }>(
    `select s.line, json_build_array(${empty.join(', ')}) as headings from ${file.stage} s where ${empty.join(' or ')} order by s.line limit ${MAX_PER_HEADING}`,
  )
  for (const { line, headings } of rows) {
    for (const heading of required.filter((_, index) => headings[index] === true))
      findings.addValue({ file: file.name, line, heading: heading.text }, null, 'must not be null')
  }
}

/** A column that must not be null, or the one column of an identity. */
function isRequired({ relation }: FilledFile, { cell }: Heading): boolean {
  if (cell.kind === 'own' || cell.kind === 'master') return cell.kind === 'master' || cell.key === '$origin'
  if (!('column' in cell)) return false
  const { identity } = relation
  if (identity.kind === 'key' && identity.columns.length === 1 && identity.columns[0] === cell.column.name) return true
  return !cell.column.isNullable && (cell.kind !== 'leaf' || !cell.leaf.isNullable)
}

/**
 * Looks for the lines whose cell the database refuses: halves the range until one line is left, then goes on behind it. That costs a few passes
 * over a file that is bad, and nothing for one that is good, on any version of the server.
 */
async function findMisfits(session: Session, file: FilledFile, heading: Heading, findings: Findings): Promise<void> {
  const [range] = await session.query<{ last: number | null }>(`select max(line)::int as last from ${file.stage}`)
  const end = range?.last ?? 0
  let from = 0
  for (let found = 0; found < MAX_PER_HEADING; found++) {
    let refusal = await refusalOf(session, file, [heading], from, end)
    if (refusal === null) return
    let [low, high] = [from, end]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const earlier = await refusalOf(session, file, [heading], low, middle)
      if (earlier === null) low = middle + 1
      else {
        high = middle
        refusal = earlier
      }
    }
    const [row] = await session.query<{ value: string | null }>(
      `select cells::json ->> '${heading.name}' as value from ${file.stage} where line = $1::bigint`,
      [low],
    )
    const what = (await refusalOf(session, file, [heading], low, low)) ?? refusal
    findings.addValue({ file: file.name, line: low, heading: heading.text }, row?.value ?? null, what)
    from = low + 1
  }
}

async function fits(
  session: Session,
  file: FilledFile,
  headings: readonly Heading[],
  from: number,
  to: number | null,
): Promise<boolean> {
  return (await refusalOf(session, file, headings, from, to)) === null
}

/** What the database says to the cells of some lines; null where it takes them. */
async function refusalOf(
  session: Session,
  file: FilledFile,
  headings: readonly Heading[],
  from: number,
  to: number | null,
): Promise<string | null> {
  const only = {
    ...file,
    headings: headings.filter((each) => file.headings.includes(each)),
    constants: file.constants.filter(({ heading }) => headings.includes(heading)),
  }
  const counts = headings.map(({ cell, name }) => `count(${valueExpression(cell, `x.${name}`)})`)
  await session.script('savepoint understudy_fit')
  try {
    // `offset 0`: the lines are chosen first, and no other is looked at.
    const rows = typedRows({
      ...only,
      stage: `(select * from ${file.stage} where line >= ${from} ${to === null ? '' : `and line <= ${to}`} offset 0)`,
    })
    await session.query(`select ${counts.join(', ')} from ${rows}`)
    await session.script('release savepoint understudy_fit')
    return null
  } catch (error) {
    await session.script('rollback to savepoint understudy_fit; release savepoint understudy_fit')
    const facts = describeSqlError(error)
    if (facts === undefined) throw error
    return facts.message
  }
}

/** Finds rows of one relation that have the same identity, in whichever files. */
export async function checkIdentities(
  session: Session,
  files: readonly FilledFile[],
  findings: Findings,
): Promise<void> {
  const [first] = files
  if (first === undefined || first.relation.identity.kind === 'content') return
  const rows = files.map(
    (file) =>
      `select json_build_array(${ownLeaves(file).join(', ')})::text as identity, ${quoteLiteral(`${file.name}:`)} || s.line as place from ${typedRows(file)}`,
  )
  const found = await session.query<{ identity: string; places: string }>(
    `select identity, string_agg(place, ', ' order by place) as places
       from (${rows.join(' union all ')}) r
      group by identity
     having count(*) > 1
      order by 2
      limit 20`,
  )
  for (const { identity, places } of found)
    findings.add(`${places}: rows of ${relationLabel(first.relation)} have the same identity ${identity.slice(1, -1)}`)
}
