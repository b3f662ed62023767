import type { CheckResult, ImportResult, PackageReport } from 'understudy'
import type { Report } from './report.js'
import { formatCount, formatDuration } from './units.js'

type Imported = Pick<ImportResult, 'packages'>

/** What each data package of an import did, and how the checks of the last one came out, section by section. */
export function showPackages(report: Report, { packages }: Imported): void {
  report.table(
    [
      { title: 'package' },
      { title: '' },
      { title: 'rows by scripts', align: 'right' },
      { title: 'written', align: 'right' },
      { title: 'equal already', align: 'right' },
      { title: 'time', align: 'right' },
    ],
    packages.map((each) => [
      each.name,
      each.title,
      each.seeded,
      writtenBy(each),
      each.unchanged,
      formatDuration(each.durationMs),
    ]),
  )
  const checks = checksOf(packages)
  const sections = [...new Set(checks.map(({ section }) => section))]
  report.say('The checks of the last package, which saw the database as the import was about to leave it:')
  report.table(
    [
      { title: 'section' },
      { title: 'checks', align: 'right' },
      { title: 'passed', align: 'right' },
      { title: 'failed', align: 'right' },
      { title: 'for example' },
    ],
    sections.map((section) => {
      const own = checks.filter((check) => check.section === section)
      const passed = own.filter(hasPassed).length
      return [section, own.length, passed, own.length - passed, own.at(-1)?.name]
    }),
  )
  proveChecks(report, { packages })
}

/** The same in two lines, where the reader knows the packages. */
export function summarisePackages(report: Report, { packages }: Imported): void {
  const [first, last] = [packages.at(0), packages.at(-1)]
  const written = packages.reduce((sum, each) => sum + each.seeded + writtenBy(each), 0)
  report.say(
    '',
    `  ${first?.name} to ${last?.name}: ${formatCount(written, 'row')} written, by scripts or from the archive`,
  )
  proveChecks(report, { packages })
}

function proveChecks(report: Report, { packages }: Imported): void {
  const checks = checksOf(packages)
  report.prove(
    `all ${formatCount(checks.length, 'check')} passed, before anything was committed`,
    checks.length === 0
      ? ['no check ran']
      : checks
          .filter((check) => !hasPassed(check))
          .map(({ section, name, samples }) => `${section}: ${name}: ${samples.join('; ')}`),
  )
}

function writtenBy({ inserts, updates, deletes }: PackageReport): number {
  return inserts + updates + deletes
}

function checksOf(packages: readonly PackageReport[]): readonly CheckResult[] {
  return packages.flatMap(({ checks }) => checks ?? [])
}

function hasPassed({ status }: CheckResult): boolean {
  return status === 'passed'
}
