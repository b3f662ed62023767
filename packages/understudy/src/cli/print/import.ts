import type { ImportResult } from '../../import/import-content.js'
import type { PackageReport } from '../../import/package-steps.js'
import type { ImportPlan, PlannedRelation } from '../../import/plan.js'
import type { PlannedColumn, PlannedRows } from '../../import/planned-rows.js'
import type { Style } from './colours.js'
import { type Column, formatTable, printable } from './table.js'
import { formatCount, formatDuration } from './units.js'

type Counts = Pick<PlannedRelation, (typeof COUNTS)[number]>

const COUNTS = ['inserts', 'updates', 'unchanged', 'deletes', 'skipped'] as const

const COLUMNS: readonly Column[] = [
  { title: 'relation' },
  { title: 'insert', align: 'right' },
  { title: 'update', align: 'right' },
  { title: 'unchanged', align: 'right' },
  { title: 'delete', align: 'right' },
  { title: 'skip', align: 'right' },
]

/** The plan as a table: a line per relation, and their sum. */
export function renderPlan(
  { archive, target, mode, relations, lateReferences, rows: named = [], notes }: ImportPlan,
  style: Style,
): string[] {
  const rows = relations.map((relation) => [printable(relation.relation), ...countCells(relation, style)])
  return [
    `${style.bold(printable(archive.name))} of ${archive.createdAt}`,
    `into ${style.bold(target)}, mode ${mode}`,
    '',
    ...formatTable(COLUMNS, [...rows, ['total', ...countCells(sumOf(relations), style)]]),
    '',
    ...named.flatMap((each) => renderRows(each, style)),
    ...[...lateReferences.map(describeLate), ...notes].map((note) => `${style.yellow('note:')} ${printable(note)}`),
  ]
}

const CHANGES = { insert: 'to insert', update: 'to update', delete: 'to delete', cascade: 'to delete in turn' } as const

/** A heading, and a line for each row that the plan names. */
function renderRows({ relation, change, total, rows }: PlannedRows, style: Style): string[] {
  const left = total - rows.length
  return [
    `${style.bold(printable(relation))}: ${formatCount(total)} ${CHANGES[change]}`,
    ...rows.map(
      ({ identity, columns }) =>
        `  ${printable(identity)}${columns.length === 0 ? '' : `: ${printable(columns.map(describeColumn).join(', '))}`}`,
    ),
    ...(left > 0 ? [style.dim(`  and ${formatCount(left)} more`)] : []),
    '',
  ]
}

function describeColumn({ name, before, after }: PlannedColumn): string {
  return before === null || after === null ? name : `${name} ${before} -> ${after}`
}

function describeLate({ relation, column, target, rows }: ImportPlan['lateReferences'][number]): string {
  const what = rows === 1 ? 'reference of an earlier import finds' : 'references of earlier imports find'
  return `${relation}.${column}: ${formatCount(rows)} ${what} their target in ${target}`
}

interface RenderOptions {
  readonly style: Style
  /** True where the plan was printed already, with the question. */
  readonly isPlanShown: boolean
}

export function renderImport(
  { plan, isWritten, resolvedLate, refreshedCopies, packages, durationMs }: ImportResult,
  options: RenderOptions,
): string[] {
  const { style, isPlanShown } = options
  const { inserts, updates, deletes, unchanged } = sumOf(plan.relations)
  const changes = `${formatCount(inserts)} inserted, ${formatCount(updates)} updated, ${formatCount(deletes)} deleted`
  const late = resolvedLate === 0 ? '' : `, ${formatCount(resolvedLate)} late references resolved`
  const copies = refreshedCopies === 0 ? '' : `, ${formatCount(refreshedCopies)} copies computed anew`
  const outcome = isWritten
    ? style.green(`${changes}${late}${copies}, ${formatCount(unchanged)} unchanged in ${formatDuration(durationMs)}`)
    : style.yellow('nothing was written')
  return [...(isPlanShown ? [] : renderPlan(plan, style)), ...renderPackages(packages, style), outcome]
}

const PACKAGE_COLUMNS: readonly Column[] = [
  { title: 'package' },
  { title: 'seeded', align: 'right' },
  ...COLUMNS.slice(1),
  { title: 'time', align: 'right' },
  { title: '' },
]

/** What each data package did, and the references that still wait. */
function renderPackages(packages: readonly PackageReport[], style: Style): string[] {
  if (packages.length === 0) return []
  const rows = packages.map((each) => [
    printable(each.name),
    each.seeded === 0 ? style.dim('0') : formatCount(each.seeded),
    ...countCells(each, style),
    formatDuration(each.durationMs),
    style.dim(printable(each.title)),
  ])
  const checks = packages.flatMap((each) => each.checks ?? [])
  const failed = checks.filter(({ status }) => status !== 'passed')
  const open = packages.flatMap(({ assignments }) => assignments?.open ?? [])
  return [
    ...formatTable(PACKAGE_COLUMNS, rows),
    ...open.map(
      ({ relation, column, target, rows, samples }) =>
        `${style.yellow('open:')} ${printable(`${relation}.${column}: ${formatCount(rows)} wait for ${target}: ${samples.join(', ')}`)}`,
    ),
    ...failed.map(
      ({ section, name, rows }) =>
        `${style.yellow('check:')} ${printable(`${section}: ${name}: ${formatCount(rows)} rows`)}`,
    ),
    ...(checks.length === 0
      ? []
      : [`${formatCount(checks.length - failed.length)} of ${formatCount(checks.length)} checks passed`]),
    '',
  ]
}

function countCells(counts: Counts, style: Style): string[] {
  return COUNTS.map((count) => (counts[count] === 0 ? style.dim('0') : formatCount(counts[count])))
}

function sumOf(relations: readonly PlannedRelation[]): Counts {
  const sum = (count: keyof Counts) => relations.reduce((total, relation) => total + relation[count], 0)
  return {
    inserts: sum('inserts'),
    updates: sum('updates'),
    unchanged: sum('unchanged'),
    deletes: sum('deletes'),
    skipped: sum('skipped'),
  }
}
