import type { BaselineResult } from '../../migrate/baseline.js'
import type { DryRunResult, DryRunStep } from '../../migrate/dry-run.js'
import type { MigrateDownResult } from '../../migrate/migrate-down.js'
import type { MigrateResult } from '../../migrate/migrate-up.js'
import type { MigrationState, MigrationStatus, PackageStatus } from '../../migrate/migration-status.js'
import type { RepairResult } from '../../migrate/repair.js'
import type { VerifyResult } from '../../migrate/verify.js'
import type { Style } from './colours.js'
import { formatTable } from './table.js'
import { formatDuration } from './units.js'

export function renderMigrateResult({ applied, manual, database, durationMs }: MigrateResult, style: Style): string[] {
  if (applied.length === 0) return [`nothing is pending in ${database}`, ...manualNotes(manual, style)]
  const done = `${countOf(applied)} applied to ${database} in ${formatDuration(durationMs)}`
  return [style.green(done), ...manualNotes(manual, style)]
}

export function renderDryRun({ steps, manual, database }: DryRunResult, style: Style): string[] {
  if (steps.length === 0) return [`nothing is pending in ${database}`, ...manualNotes(manual, style)]
  const tried = steps.filter(({ wasTried }) => wasTried)
  return [
    ...steps.flatMap((step) => renderDryStep(step, style)),
    style.green(`-- ${countOf(tried)} ran in ${database} and were rolled back; nothing was written`),
    ...manualNotes(manual, style).map((note) => `-- ${note}`),
  ]
}

function renderDryStep({ id, description, wasTried, statements, durationMs }: DryRunStep, style: Style): string[] {
  const outcome = wasTried ? formatDuration(durationMs ?? 0) : 'not tried: it, or one before it, refuses a transaction'
  const lines = statements.flatMap(({ sql, values }) => {
    const text = sql.replace(/^(\s*\n)+/, '').trimEnd()
    return [
      /(;|^)$/.test(text) ? text : `${text};`,
      ...(values.length > 0 ? [`-- values: ${JSON.stringify(values)}`] : []),
    ]
  })
  return [style.bold(`-- ${id}: ${description} (${outcome})`), ...lines, '']
}

export function renderDown({ reverted, database, durationMs }: MigrateDownResult, style: Style): string[] {
  if (reverted.length === 0) return [`nothing is to be taken back in ${database}`]
  return [style.green(`${countOf(reverted)} taken back in ${database} in ${formatDuration(durationMs)}`)]
}

export function renderBaseline({ ids, unknown, database }: BaselineResult, style: Style): string[] {
  const left = unknown.map((id) => style.yellow(`${id} has no file: nothing was recorded for it`))
  if (ids.length === 0) return [`nothing is to be recorded in ${database}`, ...left]
  return [style.green(`${countOf(ids)} recorded as applied in ${database}, from ${ids[0]} to ${ids.at(-1)}`), ...left]
}

export function renderRepair({ accepted, database }: RepairResult, style: Style): string[] {
  if (accepted.length === 0) return [`no applied migration was changed in ${database}`]
  return accepted.map(({ id }) => style.green(`${id}: its text of today is accepted`))
}

export function renderVerification(result: VerifyResult, style: Style): string[] {
  const { findings, fileCount, appliedCount, database } = result
  if (findings.length === 0)
    return [style.green(`${fileCount} files and ${appliedCount} rows of the ledger agree in ${database}`)]
  return findings.map(({ kind, id, text }) => `${style.red(`${kind}:${id}`)}  ${text}`)
}

export function renderMigrationStatus(status: MigrationStatus, style: Style): string[] {
  const lines = [status.database, '', ...status.packages.flatMap((one) => [...renderPackage(one, style), ''])]
  if (status.archived.length > 0)
    lines.push(style.bold('Archived data seeds'), ...renderStates(status.archived, style), '')
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
    unadopted: style.red,
    unfinished: style.red,
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
    typeof applied?.durationMs === 'number' ? formatDuration(applied.durationMs) : '',
    applied ? `understudy ${applied.toolVersion}${applied.method === 'baseline' ? ', baseline' : ''}` : '',
  ])
  return formatTable(columns, rows)
}

function summaryOf({ pendingCount, problemCount }: MigrationStatus, style: Style): string {
  if (problemCount === 1) return style.red('one migration needs attention; nothing will run until it has got it')
  if (problemCount > 1)
    return style.red(`${problemCount} migrations need attention; nothing will run until they have got it`)
  if (pendingCount > 0) return style.yellow(`${pendingCount} pending: \`understudy migrate up\` runs them`)
  return style.green('nothing is pending')
}

function manualNotes(manual: readonly string[], style: Style): string[] {
  return manual.map((id) => style.dim(`${id} is manual: \`understudy migrate run ${id.split('_')[0]}\` runs it`))
}

function countOf(migrations: readonly unknown[]): string {
  return migrations.length === 1 ? 'one migration' : `${migrations.length} migrations`
}

function digits(number: number): string {
  return String(number).padStart(3, '0')
}
