import { relative } from 'node:path'
import type { ExportResult } from '../../export/export-content.js'
import type { FilesetResult } from '../../fileset/export-fileset.js'
import type { Style } from './colours.js'
import { type Column, formatTable, printable } from './table.js'
import { formatBytes, formatCount, formatDuration, formatRate } from './units.js'

const COLUMNS: readonly Column[] = [
  { title: 'relation' },
  { title: 'rows', align: 'right' },
  { title: 'size', align: 'right' },
  { title: 'time', align: 'right' },
  { title: 'rate', align: 'right' },
]

/** What was written: a line per relation, warnings, and the archive's path. */
export function renderExport(
  { files, warnings, folders, path, bytes, durationMs }: ExportResult,
  style: Style,
): string[] {
  const rows = files.map((file) => [
    printable(file.relation),
    formatCount(file.records),
    formatBytes(file.bytes),
    formatDuration(file.durationMs),
    formatRate(file.records, file.durationMs),
  ])
  const total = files.reduce((sum, { records }) => sum + records, 0)
  return [
    ...formatTable(COLUMNS, rows),
    '',
    ...warnings.map((warning) => `${style.yellow('warning:')} ${printable(warning)}`),
    ...(folders === null ? [] : [relative('.', folders.index), ...folders.documents.map((one) => relative('.', one))]),
    style.green(relative('.', path)),
    `${formatCount(total)} rows, ${formatBytes(bytes)}, ${formatDuration(durationMs)}`,
  ]
}

/** What was written: a line per file, warnings, and the folder. */
export function renderFileset({ files, warnings, path, durationMs }: FilesetResult, style: Style): string[] {
  const columns: readonly Column[] = [
    { title: 'relation' },
    { title: 'file' },
    { title: 'rows', align: 'right' },
    { title: 'size', align: 'right' },
  ]
  const rows = files.map((one) => [printable(one.relation), one.file, formatCount(one.records), formatBytes(one.bytes)])
  const total = files.reduce((sum, { records }) => sum + records, 0)
  return [
    ...formatTable(columns, rows),
    '',
    ...warnings.map((warning) => `${style.yellow('warning:')} ${printable(warning)}`),
    style.green(relative('.', path)),
    `${formatCount(total)} rows, ${formatDuration(durationMs)}`,
  ]
}
