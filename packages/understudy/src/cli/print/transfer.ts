import type { OnProgress, ProgressEvent } from '../../progress.js'
import type { Output } from './output.js'
import { printable } from './table.js'
import { formatBytes, formatCount, formatDuration, formatRate } from './units.js'

/** Shows what an export or an import is at: one line rewritten while it goes on, one that stays for each relation that is through. */
export function transferProgress(output: Output): OnProgress {
  const startedAt = new Map<string, number>()
  return (event) => {
    const { step, relation, isDone } = event
    const name = relation === null ? step : `${step} ${printable(relation)}`
    const now = performance.now()
    const started = startedAt.get(name) ?? now
    startedAt.set(name, started)
    const line = () => progressLine(name, event, now - started)
    if (isDone) output.progress.finish(output.errorStyle.dim(line()))
    else output.progress.update(line)
  }
}

function progressLine(name: string, event: ProgressEvent, durationMs: number): string {
  const { relation, rows, totalRows, bytes, isDone } = event
  const total = totalRows === null || isDone ? '' : ` of ${formatCount(totalRows)}`
  const facts = [
    rows > 0 || relation !== null ? `${formatCount(rows)}${total} rows` : '',
    bytes > 0 ? formatBytes(bytes) : '',
    rows > 0 ? formatRate(rows, durationMs) : '',
    isDone ? formatDuration(durationMs) : '',
  ]
  return [name, ...facts].filter(Boolean).join('  ')
}
