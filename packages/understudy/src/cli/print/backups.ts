import type { Backup } from '../../backups/list-backups.js'
import type { PrunedBackup } from '../../backups/plan-prune.js'
import type { PruneResult } from '../../backups/prune-backups.js'
import { relationLabel } from '../../model/model.js'
import type { Style } from './colours.js'
import { type Column, formatTable, printable } from './table.js'
import { formatBytes, formatCount } from './units.js'

const COLUMNS: readonly Column[] = [
  { title: 'archive' },
  { title: 'made' },
  { title: 'from' },
  { title: 'rows', align: 'right' },
  { title: 'size', align: 'right' },
]

/** A line per archive, then what is wrong with single ones. */
export function renderBackups(backups: readonly Backup[], folder: string, style: Style): string[] {
  if (backups.length === 0) return [`no archive in ${folder}`]
  const broken = backups.filter(({ problem }) => problem !== null)
  return [
    ...formatTable(
      COLUMNS,
      backups.map((backup) => backupRow(backup, style)),
    ),
    ...broken.flatMap(({ name, problem }) => [
      '',
      `${style.red('damaged:')} ${printable(name)}: ${printable(problem?.message ?? '')} ${style.dim(`(${problem?.code})`)}`,
      ...(problem?.detail ?? '')
        .split('\n')
        .filter(Boolean)
        .map((line) => `  ${printable(line)}`),
    ]),
  ]
}

function backupRow({ name, index, bytes }: Backup, style: Style): string[] {
  if (index === null) return [printable(name), style.red('cannot be read'), '', '', formatBytes(bytes)]
  return [
    printable(name),
    timeOf(index.created_at),
    printable(index.source.database),
    formatCount(recordsOf(index)),
    formatBytes(bytes),
  ]
}

/** Where an archive comes from, and a line per relation. */
export function renderBackup({ path, bytes, index }: Backup, style: Style): string[] {
  if (index === null) return [path]
  const { source, selection, migrations, masks, warnings, files } = index
  const facts = [
    ['made', timeOf(index.created_at)],
    ['from', `${source.database}, instance ${source.instance ?? 'unknown'}, server ${source.server_version}`],
    ['by', `understudy ${index.tool_version}`],
    ['id', index.id],
    [
      'migrations',
      migrations.length === 0 ? 'none recorded' : `${migrations.length}, the last ${migrations.at(-1)?.id}`,
    ],
    ...(selection.only.length > 0 ? [['only', selection.only.join(', ')]] : []),
    ...(selection.exclude.length > 0 ? [['without', selection.exclude.join(', ')]] : []),
    ...(masks.length > 0 ? [['masked', masks.map((mask) => `${mask.relation}.${mask.column}`).join(', ')]] : []),
    ['history', `${index.lineage.length} archives exported or imported before`],
  ]
  const columns: readonly Column[] = [
    { title: 'relation' },
    { title: 'rows', align: 'right' },
    { title: 'size', align: 'right' },
  ]
  const rows = files.map((file) => [
    printable(relationLabel({ schema: file.schema, name: file.relation })),
    formatCount(file.records),
    formatBytes(file.bytes),
  ])
  return [
    style.bold(path),
    ...facts.map(([title = '', text = '']) => `${title.padEnd(12)}${printable(text)}`),
    '',
    ...formatTable(columns, [...rows, ['total', formatCount(recordsOf(index)), formatBytes(bytes)]]),
    ...warnings.map((warning) => `${style.yellow('warning:')} ${printable(warning)}`),
  ]
}

/** What stays and what goes, with the reason. */
export function renderPrune({ backups, isWritten }: PruneResult, style: Style): string[] {
  const removed = backups.filter(({ isRemoved }) => isRemoved)
  const bytes = removed.reduce((sum, { backup }) => sum + backup.bytes, 0)
  const what = `${formatCount(removed.length)} of ${formatCount(backups.length)} archives, ${formatBytes(bytes)}`
  return [
    ...renderPrunePlan(backups, style),
    '',
    isWritten ? style.green(`removed ${what}`) : style.yellow(notRemoved(removed, what)),
  ]
}

function notRemoved(removed: readonly PrunedBackup[], what: string): string {
  return removed.length === 0 ? 'nothing to remove' : `nothing was removed; it would be ${what}`
}

/** A line per archive. */
export function renderPrunePlan(backups: readonly PrunedBackup[], style: Style): string[] {
  const rows = backups.map(({ backup, isRemoved, reason }) => [
    printable(backup.name),
    isRemoved ? style.red('goes') : 'stays',
    reason,
  ])
  return formatTable([{ title: 'archive' }, { title: '' }, { title: 'because' }], rows)
}

function recordsOf({ files }: NonNullable<Backup['index']>): number {
  return files.reduce((sum, file) => sum + file.records, 0)
}

function timeOf(iso: string): string {
  return iso.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')
}
