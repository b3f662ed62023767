import type { Column } from '../catalog/catalog.js'
import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../database/quoting.js'
import { useSearchPath } from '../database/settings.js'
import type { Problem } from '../errors.js'
import { findRelation, type RelationName } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext, sameValue } from '../model/sql-context.js'
import { newKeyExpression } from './allocate.js'
import { type Candidates, candidateSelect, literalDefault } from './candidates.js'
import type { Load } from './load.js'
import { bracketed, plainProblem } from './problems.js'
import { readRules } from './rules.js'
import { advanceSequencesOf } from './sequences.js'

/** The relation that missing references name, and its columns that they hold. */
export interface WantedPlaceholder {
  readonly target: RelationName
  readonly columns: readonly string[]
}

/** A row that stands in for missing ones. */
export interface Placeholder {
  readonly target: RelationName
  /** Its values as texts, by column. Null in a dry run, where a new row has no key yet. */
  readonly values: ReadonlyMap<string, string | null>
  /** The statement that makes it; null where it stands in the target already. */
  readonly insert: string | null
  readonly note: string
}

interface Prepared {
  /** By label. */
  readonly placeholders: ReadonlyMap<string, Placeholder>
  readonly problems: readonly Problem[]
}

/**
 * Finds the placeholder of each relation in the target; else it is to be made of the values that the configuration has. One that the target would refuse is a problem, which names what it lacks and where that is configured.
 */
export async function preparePlaceholders(
  session: Session,
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
  wanted: ReadonlyMap<string, WantedPlaceholder>,
  isDryRun: boolean,
): Promise<Prepared> {
  const placeholders = new Map<string, Placeholder>()
  const problems: Problem[] = []
  for (const [label, { target, columns }] of wanted) {
    const place: Place = { session, context, load: loads.get(label), target, label, wanted: columns, isDryRun }
    const found = await prepareOne(place)
    if (Array.isArray(found)) problems.push(...found)
    else placeholders.set(label, found)
  }
  return { placeholders, problems }
}

interface Place {
  readonly session: Session
  readonly context: SqlContext
  /** What the archive brings of the relation. */
  readonly load: Load | undefined
  readonly target: RelationName
  readonly label: string
  readonly wanted: readonly string[]
  readonly isDryRun: boolean
}

type Configured = readonly (readonly [column: string, value: unknown])[]

async function prepareOne(place: Place): Promise<Placeholder | Problem[]> {
  const { context, label, target } = place
  const configured = Object.entries(context.configured.get(label)?.placeholder ?? {})
  if (configured.length === 0) return [problem(place, null, `no placeholder is configured (${path(label)})`)]
  const known = new Set(catalogRelation(context, target).columns.map((column) => column.name))
  const unknown = configured.filter(([name]) => !known.has(name))
  if (unknown.length > 0)
    return unknown.map(([name]) =>
      problem(place, name, `the placeholder has a column that the target lacks (${path(label)})`),
    )
  const rows = await findInTarget(place, configured)
  const [row, ...others] = rows
  if (others.length > 0) {
    return [problem(place, null, `several rows are the placeholder ${describe(configured)} (${path(label)})`)]
  }
  if (row === undefined) return await planNew(place, configured)
  const values = new Map(place.wanted.map((name, index) => [name, row[`v${index}`] ?? null]))
  return { target, values, insert: null, note: '' }
}

function path(label: string, column?: string): string {
  return `relations.${label}.placeholder${column === undefined ? '' : `.${column}`}`
}

function problem({ label }: Place, column: string | null, message: string): Problem {
  return plainProblem('placeholder', label, column, message)
}

function describe(configured: Configured): string {
  return JSON.stringify(Object.fromEntries(configured))
}

type FoundRow = Record<string, string | null>

async function findInTarget({ session, context, target, wanted }: Place, configured: Configured): Promise<FoundRow[]> {
  const list = wanted.map((name, index) => `s.${quoteIdentifier(name)}::text as v${index}`)
  return await session.query<FoundRow>(
    `select ${list.join(', ')} from ${fromRelation(context, target)} s
      where ${configured.map(([name, value]) => isText(`s.${quoteIdentifier(name)}`, value)).join(' and ')} limit 2`,
  )
}

function isText(expression: string, value: unknown): string {
  return value === null ? `(${expression}) is null` : `(${expression})::text = ${quoteLiteral(textOf(value))}`
}

function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

/** A new row of the configured values; the target's defaults fill the rest. */
async function planNew(place: Place, configured: Configured): Promise<Placeholder | Problem[]> {
  const { context, target, label } = place
  const { columns } = catalogRelation(context, target)
  const given = new Map(configured)
  const problems: Problem[] = []
  for (const column of columns) {
    const value = given.get(column.name)
    const isFilled = given.has(column.name)
      ? value !== null
      : column.isNullable || column.isGenerated || column.default !== null || column.identity !== null
    const isNumbered = surrogateOf(place).includes(column.name) && newKeyExpression(context, target, column) !== null
    if (!isFilled && !column.isNullable && !(isNumbered && !given.has(column.name)))
      problems.push(
        problem(
          place,
          column.name,
          `the placeholder ${describe(configured)} lacks a value that must not be null (${path(label, column.name)})`,
        ),
      )
    else if (value !== undefined && value !== null) problems.push(...(await tryValue(place, column, textOf(value))))
  }
  if (problems.length > 0) return problems
  const values = newValues(place, configured)
  const refused = [
    ...(await findFailedChecks(place, configured, values)),
    ...(await findTaken(place, configured, values)),
  ]
  return refused.length > 0 ? refused : await describeNew(place, configured)
}

function surrogateOf({ context, target }: Place): readonly string[] {
  return findRelation(context.model, target)?.surrogate ?? []
}

/** Whether the column's type, its domain included, takes the value. */
async function tryValue(place: Place, column: Column, text: string): Promise<Problem[]> {
  const { session, label } = place
  await session.script('savepoint understudy_placeholder')
  try {
    await session.query(`select ${quoteLiteral(text)}::${column.type}`)
    await session.script('release savepoint understudy_placeholder')
    return []
  } catch (error) {
    const facts = describeSqlError(error)
    if (facts === undefined) throw error
    await session.script('rollback to savepoint understudy_placeholder')
    return [
      problem(
        place,
        column.name,
        `the placeholder's value ${JSON.stringify(text)} is refused: ${facts.message} (${path(label, column.name)})`,
      ),
    ]
  }
}

/** The new row's columns as expressions. */
function newValues({ context, target }: Place, configured: Configured): Map<string, string> {
  const given = new Map(configured)
  return new Map(
    catalogRelation(context, target)
      .columns.filter((column) => !column.isGenerated)
      .map((column) => {
        const value = given.get(column.name)
        const own = value === undefined || value === null ? 'null' : quoteLiteral(textOf(value))
        const expression = given.has(column.name) ? own : (literalDefault(column) ?? 'null')
        return [column.name, `(${expression})::${column.baseType}`]
      }),
  )
}

function isOpen({ context, target }: Place, configured: Configured, name: string): boolean {
  const column = catalogRelation(context, target).columns.find((each) => each.name === name)
  return column === undefined || (!configured.some(([each]) => each === name) && literalDefault(column) === undefined)
}

async function findFailedChecks(
  place: Place,
  configured: Configured,
  values: ReadonlyMap<string, string>,
): Promise<Problem[]> {
  const { session, context, target, label } = place
  const rules = await readRules(session, context, target)
  const checks = rules.checks.filter((check) => !check.columns.some((name) => isOpen(place, configured, name)))
  if (checks.length === 0) return []
  const candidates: Candidates = { from: '(select 1) p', n: '1', values, isKnown: () => 'true' }
  const select = candidateSelect(
    candidates,
    rules,
    target.name,
    checks.map(({ expression }) => `(${expression}) is false`),
  )
  await useSearchPath(session, 'own')
  const [row] = await session.query<Record<string, boolean | null>>(select)
  await useSearchPath(session, 'none')
  return checks
    .filter((_, index) => row?.[`e${index + 1}`] === true)
    .map(({ name, expression, columns }) =>
      problem(
        place,
        columns.join(', ') || null,
        `the placeholder ${describe(configured)} does not pass the check ${name} ${bracketed(expression)}; give it values that do (${path(label)})`,
      ),
    )
}

async function findTaken(
  place: Place,
  configured: Configured,
  values: ReadonlyMap<string, string>,
): Promise<Problem[]> {
  const { session, context, target, label } = place
  const problems: Problem[] = []
  for (const key of catalogRelation(context, target).uniqueKeys) {
    if (key.isPartial || key.hasExpressions || key.columns.some((name) => isOpen(place, configured, name))) continue
    const pairs = key.columns.map((name) =>
      sameValue(context, target, name, `s.${quoteIdentifier(name)}`, values.get(name) ?? 'null'),
    )
    const [row] = await session.query<{ taken: boolean }>(
      `select exists (select from ${fromRelation(context, target)} s where ${pairs.join(' and ')}) as taken`,
    )
    if (row?.taken !== true) continue
    const message = `the placeholder ${describe(configured)} would have a value of ${key.name} that another row has (${path(label)})`
    problems.push(problem(place, key.columns.join(', '), message))
  }
  return problems
}

async function describeNew(place: Place, configured: Configured): Promise<Placeholder> {
  const { session, context, target, wanted, isDryRun, label } = place
  const { columns } = catalogRelation(context, target)
  const given = new Map<string, string | null>(
    configured.map(([name, value]) => [name, value === null ? null : textOf(value)]),
  )
  if (!isDryRun) {
    await advanceSequencesOf(session, context, target)
    await useSearchPath(session, 'own')
    for (const name of new Set([...wanted, ...surrogateOf(place)])) {
      const column = columns.find((each) => each.name === name)
      const expression = column === undefined ? null : newKeyExpression(context, target, column, place.load)
      if (given.has(name) || expression === null) continue
      const [row] = await session.query<{ value: string | null }>(`select (${expression})::text as value`)
      given.set(name, row?.value ?? null)
    }
    await useSearchPath(session, 'none')
  }
  const list = [...given].map(([name, value]) => {
    const type = columns.find((each) => each.name === name)?.type ?? 'text'
    return { name: quoteIdentifier(name), value: value === null ? 'null' : `${quoteLiteral(value)}::${type}` }
  })
  return {
    target,
    values: new Map(wanted.map((name) => [name, given.get(name) ?? null])),
    insert: `insert into ${quoteQualified(target)} (${list.map(({ name }) => name).join(', ')}) overriding system value
             values (${list.map(({ value }) => value).join(', ')})`,
    note: `${label}: the placeholder ${describe(configured)} is added`,
  }
}
