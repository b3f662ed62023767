import type { CheckResult } from '../../validate/check.js'
import type { Validation } from '../../validate/validate-database.js'
import type { Style } from './colours.js'
import { type Column, formatTable, printable } from './table.js'
import { formatCount, formatDuration } from './units.js'

const COLUMNS: readonly Column[] = [
  { title: 'section' },
  { title: 'passed', align: 'right' },
  { title: 'warned', align: 'right' },
  { title: 'failed', align: 'right' },
  { title: 'time', align: 'right' },
]

/** What failed, each with its rows, and a line per section. */
export function renderValidation(
  { checks, database, archivePath, isValid, durationMs }: Validation,
  style: Style,
): string[] {
  const sections = [...new Set(checks.map(({ section }) => section))]
  const rows = sections.map((section) =>
    sectionRow(
      checks.filter((check) => check.section === section),
      section,
    ),
  )
  const failures = checks.filter(({ status }) => status !== 'passed')
  const outcome = `${formatCount(checks.length)} ${checks.length === 1 ? 'check' : 'checks'}, ${formatCount(failures.length)} failed in ${formatDuration(durationMs)}`
  return [
    archivePath === null ? database : `${database} against ${archivePath}`,
    '',
    ...failures.flatMap((check) => [...renderFailure(check, style), '']),
    ...formatTable(COLUMNS, rows),
    '',
    isValid ? style.green(outcome) : style.red(outcome),
  ]
}

function sectionRow(checks: readonly CheckResult[], section: string): string[] {
  const count = (isCounted: (check: CheckResult) => boolean) => formatCount(checks.filter(isCounted).length)
  const isWarning = ({ status, severity }: CheckResult) => status === 'failed' && severity === 'warning'
  return [
    printable(section),
    count(({ status }) => status === 'passed'),
    count(isWarning),
    count((check) => check.status !== 'passed' && !isWarning(check)),
    formatDuration(checks.reduce((sum, check) => sum + check.durationMs, 0)),
  ]
}

function renderFailure(check: CheckResult, style: Style): string[] {
  const { name, section, severity, status } = check
  const isWarning = status === 'failed' && severity === 'warning'
  const mark = isWarning ? style.yellow('warning:') : style.red(status === 'broken' ? 'broken:' : 'failed:')
  return [
    `${mark} ${printable(name)} ${style.dim(`(${printable(section)})`)}`,
    ...failureLines(check).map((line) => `  ${line}`),
  ]
}

/** The message, and the rows: how many, and up to five of them. */
export function failureLines({ rows, samples, message }: CheckResult): string[] {
  const said = message === null ? [] : message.split('\n').map(printable)
  if (rows === 0) return said
  const more = rows > samples.length ? [`and ${formatCount(rows - samples.length)} more`] : []
  const named = samples.length === 0 ? [] : [...samples.map(printable), ...more].map((line) => `  ${line}`)
  return [...said, `${formatCount(rows)} ${rows === 1 ? 'row' : 'rows'}${named.length > 0 ? ':' : ''}`, ...named]
}
