import type { Diagnosis } from '../../doctor/examine-database.js'
import type { Finding } from '../../doctor/finding.js'
import type { Style } from './colours.js'
import { printable } from './table.js'

/** A line for each finding, its remedy below it, then what works. */
export function renderDiagnosis({ findings, works }: Diagnosis, style: Style): string[] {
  const width = Math.max(...findings.map(({ topic }) => topic.length))
  const signs = { good: style.green('✓'), warning: style.yellow('!'), bad: style.red('✗') }
  const lines = findings.flatMap(({ topic, state, message, remedy }: Finding) => [
    `${signs[state]} ${topic.padEnd(width)}  ${printable(message)}`,
    ...(remedy ? [`${' '.repeat(width + 4)}${style.dim(printable(remedy))}`] : []),
  ])
  const outcome = Object.entries(works).map(
    ([ability, isWorking]) =>
      `${ability.padEnd(width + 2)}  ${isWorking ? style.green('works') : style.red('will not work')}`,
  )
  return [...lines, '', ...outcome]
}
