import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { useSearchPath } from '../database/settings.js'
import type { Problem } from '../errors.js'
import { relationLabel } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext } from '../model/sql-context.js'
import { type Candidates, candidateSelect, candidatesOf } from './candidates.js'
import { hasChanges, type Load, sameRow } from './load.js'
import { bracketed, plainProblem, plural, readProblem } from './problems.js'
import { handleText } from './row-names.js'
import { type Rules, readRules, type UniqueIndex } from './rules.js'

/**
 * What the target would refuse of the rows that are about to be written: nulls, checks of tables and domains, values of unique keys that come
 * twice. Every row is asked about every rule, so it is done for a dry run, beside other problems, and after a write has failed: a write that
 * succeeds does not pay for it. What needs a foreign table's rows, an exclusion or a trigger the write itself finds.
 */
export async function findRefused(
  session: Session,
  context: SqlContext,
  loads: readonly Load[],
  isDryRun: boolean,
): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const load of loads) {
    if (load.counts.inserts + load.counts.updates === 0 || !hasChanges(load)) continue
    const rules = await readRules(session, context, load.relation)
    const candidates = candidatesOf(context, load, isDryRun)
    const tests = rowTests(context, load, rules, candidates)
    // A check's function may name a table without its schema.
    await useSearchPath(session, 'own')
    for (const test of await failingTests(session, load, rules, candidates, tests))
      problems.push(...(await describeTest(session, load, rules, candidates, test)))
    for (const index of rules.uniqueIndexes)
      problems.push(...(await findTwice(session, context, load, rules, candidates, index)))
    await useSearchPath(session, 'none')
  }
  return problems
}

/** Something that must not be true of a row. */
interface RowTest {
  readonly kind: 'null value' | 'refused value'
  readonly columns: readonly string[]
  /** The expression, over the row's columns. */
  readonly violation: string
  readonly message: (rows: number) => string
}

function rowTests(context: SqlContext, load: Load, rules: Rules, candidates: Candidates): RowTest[] {
  const { columns } = catalogRelation(context, load.relation)
  const brought = new Set(load.relation.columns.map((column) => column.name))
  const nulls = columns
    .filter((column) => !column.isNullable && !column.isGenerated && brought.has(column.name))
    .map((column): RowTest => {
      const message = (rows: number) =>
        `${plural(rows, 'value is', 'values are')} null, which the target does not allow`
      // `is null` would also hold for a composite of nulls.
      const violation = `${quoteIdentifier(column.name)} is not distinct from null`
      return { kind: 'null value', columns: [column.name], violation, message }
    })
  const checks = rules.checks.map(({ name, expression, columns: concerned }): RowTest => {
    const message = (rows: number) =>
      `${plural(rows, 'row does', 'rows do')} not pass the check ${name} ${bracketed(expression)}`
    return { kind: 'refused value', columns: concerned, violation: `(${expression}) is false`, message }
  })
  const domains = rules.domainChecks
    .filter(({ column }) => candidates.values.has(column))
    .map(({ name, column, expression }): RowTest => {
      const message = (rows: number) =>
        `${plural(rows, 'value does', 'values do')} not pass the check ${name} ${bracketed(expression)} of the column's domain`
      const violation = `(select (${expression}) is false from (select ${quoteIdentifier(column)} as value) d)`
      return { kind: 'refused value', columns: [column], violation, message }
    })
  return [...nulls, ...checks, ...domains]
}

const MAX_TESTS_AT_ONCE = 500

/** Those of the tests that some row fails, found in as few passes as can be. Of tests that fail together by an error, each is tried on its own. */
async function failingTests(
  session: Session,
  load: Load,
  rules: Rules,
  candidates: Candidates,
  tests: readonly RowTest[],
): Promise<RowTest[]> {
  const failing: RowTest[] = []
  for (let at = 0; at < tests.length; at += MAX_TESTS_AT_ONCE) {
    const some = tests.slice(at, at + MAX_TESTS_AT_ONCE)
    const flags = await tryQuery(session, async () => {
      const violations = some.map((test) => test.violation)
      const select = candidateSelect(candidates, rules, load.relation.name, violations)
      const [row] = await session.query<Record<string, boolean | null>>(
        `select ${some.map((_, index) => `bool_or(e${index + 1}) as e${index + 1}`).join(', ')} from (${select}) q`,
      )
      return row ?? {}
    })
    failing.push(...(typeof flags === 'string' ? some : some.filter((_, index) => flags[`e${index + 1}`] === true)))
  }
  return failing
}

async function describeTest(
  session: Session,
  load: Load,
  rules: Rules,
  candidates: Candidates,
  test: RowTest,
): Promise<Problem[]> {
  const known = test.columns.map((column) => candidates.isKnown(column)).filter((condition) => condition !== 'true')
  const values = test.columns.map(quoteIdentifier)
  const value = test.kind === 'null value' ? 'null::text' : valueText(values)
  const select = candidateSelect(candidates, rules, load.relation.name, [test.violation, value])
  const found = `select q.n, q.e2 as value, null as other, null::bigint as other_n
                   from (${select} where ${['true', ...known].join(' and ')}) q where q.e1`
  const { kind, columns, message } = test
  const problems = await tryQuery(session, () => readProblem(session, load, { kind, columns, message }, found))
  if (typeof problems !== 'string') return problems
  const reason = `${message(2).replace(/^.*? (the check .*)$/s, '$1')} cannot be evaluated: ${problems}`
  return [plainProblem('refused value', relationLabel(load.relation), columns.join(', ') || null, reason)]
}

function valueText(values: readonly string[]): string {
  const [only] = values
  if (only === undefined) return 'null::text'
  return values.length === 1 ? `to_json(${only})::text` : `json_build_array(${values.join(', ')})::text`
}

/** Values of a unique key that two rows would have: two records, or, under a key that cannot be parked, a record and a row that stays. */
async function findTwice(
  session: Session,
  context: SqlContext,
  load: Load,
  rules: Rules,
  candidates: Candidates,
  index: UniqueIndex,
): Promise<Problem[]> {
  const known = index.columns.map((column) => candidates.isKnown(column)).filter((condition) => condition !== 'true')
  const keys = index.keys.map((_, position) => `e${position + 2}`)
  const select = `${candidateSelect(candidates, rules, load.relation.name, [index.condition ?? 'true', ...index.keys])}
                   where ${['true', ...known].join(' and ')}`
  const given = index.isNullsNotDistinct ? [] : keys.map((key) => `q.${key} is not null`)
  const condition = ['q.e1', ...given].join(' and ')
  const about = {
    kind: 'taken value' as const,
    columns: index.columns,
    message: (rows: number) => `${plural(rows, 'value comes', 'values come')} twice in the archive under ${index.name}`,
  }
  const twice = `select q.n, ${valueText(keys.map((key) => `q.${key}`))} as value, null as other, q.first as other_n
                   from (select q.*, min(q.n) over (partition by ${keys.map((key) => `q.${key}`).join(', ')}) as first
                           from (${select}) q where ${condition}) q
                  where q.first <> q.n`
  const found = await tryQuery(session, () => readProblem(session, load, about, twice))
  const problems = typeof found === 'string' ? [] : found
  if (index.isPlain || load.rowsBefore === 0) return problems
  const staying = await tryQuery(session, () =>
    readProblem(
      session,
      load,
      {
        ...about,
        message: (rows) =>
          `${plural(rows, 'value is', 'values are')} taken by another row of the target under ${index.name}`,
      },
      takenByStaying(context, load, rules, index, { select, condition }),
    ),
  )
  return typeof staying === 'string' ? problems : [...problems, ...staying]
}

/** The rows of the target that the import leaves as they are, compared by the same expressions. */
function takenByStaying(
  context: SqlContext,
  load: Load,
  rules: Rules,
  index: UniqueIndex,
  { select, condition }: { readonly select: string; readonly condition: string },
): string {
  const columns = catalogRelation(context, load.relation).columns.filter((column) => !column.isGenerated)
  const staying: Candidates = {
    from: `${fromRelation(context, load.relation)} t`,
    n: `${handleText(load, 't')}`,
    values: new Map(columns.map(({ name }) => [name, `t.${quoteIdentifier(name)}`])),
    isKnown: () => 'true',
  }
  const goes = [
    `not exists (select from ${load.rows} w where not w.is_new and ${sameRow(context, load, 't', 'w')})`,
    ...(load.relation.identity.kind === 'content'
      ? [`not exists (select from ${load.extra} x where ${sameRow(context, load, 't', 'x')})`]
      : []),
  ]
  const here = `${candidateSelect(staying, rules, load.relation.name, [index.condition ?? 'true', ...index.keys])} where ${goes.join(' and ')}`
  const keys = index.keys.map((_, position) => `e${position + 2}`)
  // Arrays compare by their elements' own equality, whatever the search path.
  const equal = keys.map((key) => `array[h.${key}] = array[q.${key}]`)
  return `select q.n, ${valueText(keys.map((key) => `q.${key}`))} as value, h.n as other, null::bigint as other_n
            from (${select}) q join (${here}) h on h.e1 and ${equal.join(' and ')}
           where ${condition}`
}

/** What the database said where it refused to evaluate, as a text. */
async function tryQuery<T extends object>(session: Session, work: () => Promise<T>): Promise<T | string> {
  await session.script('savepoint understudy_rule')
  try {
    const result = await work()
    await session.script('release savepoint understudy_rule')
    return result
  } catch (error) {
    const facts = describeSqlError(error)
    if (facts === undefined) throw error
    await session.script('rollback to savepoint understudy_rule')
    return facts.message
  }
}
