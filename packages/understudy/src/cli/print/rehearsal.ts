import { describeLoss } from '../../guard/loss.js'
import type { Rehearsal, RehearsedStep } from '../../rehearse/rehearse.js'
import type { Style } from './colours.js'
import type { Output } from './output.js'
import { formatTable, printable } from './table.js'
import { formatCount, formatDuration } from './units.js'

/** What a rehearsal cannot show is said before it begins. */
export function showLimits(limits: readonly string[], output: Output): void {
  for (const limit of limits) output.note(`${output.errorStyle.yellow('not rehearsed:')} ${printable(limit)}`)
}

export function showStep({ step, durationMs, losses }: RehearsedStep, output: Output): void {
  output.progress.finish(`${step}  ${output.errorStyle.dim(formatDuration(durationMs))}`)
  for (const loss of losses) output.note(`  loses, as allowed: ${printable(describeLoss(loss))}`)
}

export function renderRehearsal({ scratch, steps, durationMs }: Rehearsal, style: Style): string[] {
  const rows = steps.map(({ step, durationMs, rows, losses }) => [
    step,
    formatDuration(durationMs),
    rows === null ? '' : formatCount(rows),
    losses.length === 0 ? '' : style.yellow(losses.map(({ word }) => word).join(', ')),
  ])
  const columns = [
    { title: 'step' },
    { title: 'time', align: 'right' as const },
    { title: 'rows', align: 'right' as const },
    { title: 'loses, as allowed' },
  ]
  const where = scratch === 'embedded' ? 'an embedded database' : scratch
  return [
    ...formatTable(columns, rows),
    '',
    style.green(`rehearsed in ${where} in ${formatDuration(durationMs)}; nothing was touched`),
  ]
}
