import type { CheckResult } from '../../validate/check.js'
import type { Validation } from '../../validate/validate-database.js'
import { failureLines } from './validation.js'

/**
 * The checks as JUnit XML, a suite per section, as build servers read it. A warning is a passed test that says something, since there is no
 * other word for it.
 */
export function renderJunit({ checks, database, durationMs }: Validation): string {
  const sections = [...new Set(checks.map(({ section }) => section))]
  const suites = sections.map((section) =>
    renderSuite(
      section,
      checks.filter((check) => check.section === section),
    ),
  )
  const counts = countsOf(checks)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${xmlText(database)}" ${counts} time="${seconds(durationMs)}">`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n')
}

function renderSuite(section: string, checks: readonly CheckResult[]): string {
  const durationMs = checks.reduce((sum, check) => sum + check.durationMs, 0)
  return [
    `  <testsuite name="${xmlText(section)}" ${countsOf(checks)} time="${seconds(durationMs)}">`,
    ...checks.map(renderCase),
    '  </testsuite>',
  ].join('\n')
}

function renderCase(check: CheckResult): string {
  const { name, section, status, severity, durationMs } = check
  const head = `    <testcase classname="${xmlText(section)}" name="${xmlText(name)}" time="${seconds(durationMs)}"`
  if (status === 'passed') return `${head}/>`
  const lines = failureLines(check)
  const text = xmlText(lines.join('\n'))
  if (status === 'broken') return `${head}><error message="${xmlText(lines[0] ?? '')}">${text}</error></testcase>`
  if (severity === 'warning') return `${head}><system-out>${text}</system-out></testcase>`
  return `${head}><failure message="${xmlText(lines[0] ?? '')}">${text}</failure></testcase>`
}

function countsOf(checks: readonly CheckResult[]): string {
  const failures = checks.filter(({ status, severity }) => status === 'failed' && severity === 'error').length
  const errors = checks.filter(({ status }) => status === 'broken').length
  return `tests="${checks.length}" failures="${failures}" errors="${errors}"`
}

function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(3)
}

/** Characters that XML 1.0 cannot hold at all become the replacement character. */
function xmlText(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
}
