import type { MigrateResult } from '../../migrate/migrate-up.js'
import type { MigrationState, MigrationStatus, PackageStatus } from '../../migrate/migration-status.js'
import type { Style } from './colours.js'
import { formatTable } from './table.js'
import { formatDuration } from './units.js'

export function renderMigrateResult({ applied, manual, database, durationMs }: MigrateResult, style: Style): string[] {
  const left = manual.map((id) =>
    style.dim(`${id} is manual: \`understudy migrate up --only ${id.split('_')[0]}\` runs it`),
  )
  if (applied.length === 0) return [`nothing is pending in ${database}`, ...left]
  const count = applied.length === 1 ? 'one migration' : `${applied.length} migrations`
  return [style.green(`${count} applied to ${database} in ${formatDuration(durationMs)}`), ...left]
}

export function renderMigrationStatus(status: MigrationStatus, style: Style): string[] {
  const lines = [status.database, '', ...status.packages.flatMap((one) => [...renderPackage(one, style), ''])]
  if (status.missing.length > 0)
    lines.push(style.bold('Files that are missing'), ...renderStates(status.missing, style), '')
  return [...lines, summaryOf(status, style)]
}

function renderPackage({ name, title, from, to, migrations }: PackageStatus, style: Style): string[] {
  const range = `${digits(from)}${Number.isFinite(to) ? `-${digits(to)}` : '+'}`
  const heading = `${style.bold(`${name} ${title}`)} ${style.dim(range)}`
  return migrations.length === 0 ? [heading, style.dim('no files')] : [heading, ...renderStates(migrations, style)]
}

function renderStates(states: readonly MigrationState[], style: Style): string[] {
  const colours = {
    applied: style.green,
    pending: style.yellow,
    manual: style.dim,
    changed: style.red,
    inserted: style.red,
    missing: style.red,
  }
  const columns = [
    { title: 'migration' },
    { title: 'state' },
    { title: 'applied' },
    { title: 'duration', align: 'right' as const },
    { title: 'by' },
  ]
  const rows = states.map(({ id, state, applied }) => [
    id,
    colours[state](state),
    applied ? applied.appliedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC') : '',
    applied ? formatDuration(applied.durationMs) : '',
    applied ? `understudy ${applied.toolVersion}` : '',
  ])
  return formatTable(columns, rows)
}

function summaryOf({ pendingCount, problemCount }: MigrationStatus, style: Style): string {
  if (problemCount > 0)
    return style.red(`${problemCount} do not match what was applied; nothing will run until they do`)
  if (pendingCount > 0) return style.yellow(`${pendingCount} pending: \`understudy migrate up\` runs them`)
  return style.green('nothing is pending')
}

function digits(number: number): string {
  return String(number).padStart(3, '0')
}
