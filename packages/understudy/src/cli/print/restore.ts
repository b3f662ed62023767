import type { RestoredRelation, RestorePlan } from '../../restore/plan-restore.js'
import type { RestoreResult } from '../../restore/restore-archive.js'
import type { Style } from './colours.js'
import { formatTable, printable } from './table.js'
import { formatCount, formatDuration } from './units.js'

const COUNTS = ['returning', 'changed', 'unchanged', 'removed'] as const

export function renderRestorePlan({ archive, target, relations }: RestorePlan, style: Style): string[] {
  const columns = [
    { title: 'relation' },
    { title: 'come back', align: 'right' as const },
    { title: 'overwritten', align: 'right' as const },
    { title: 'unchanged', align: 'right' as const },
    { title: 'removed', align: 'right' as const },
  ]
  const cells = (counts: Pick<RestoredRelation, (typeof COUNTS)[number]>) =>
    COUNTS.map((count) => (counts[count] === 0 ? style.dim('0') : formatCount(counts[count])))
  const total = Object.fromEntries(
    COUNTS.map((count) => [count, relations.reduce((sum, each) => sum + each[count], 0)]),
  ) as Pick<RestoredRelation, (typeof COUNTS)[number]>
  const rows = relations.map((each) => [printable(each.relation), ...cells(each)])
  return [
    `${style.bold(printable(archive.name))} of ${archive.createdAt}`,
    `back into ${style.bold(target)}`,
    '',
    ...formatTable(columns, [...rows, ['total', ...cells(total)]]),
    '',
  ]
}

export function renderRestore(
  { plan, isWritten, durationMs }: RestoreResult,
  isPlanShown: boolean,
  style: Style,
): string[] {
  const isSame = plan.relations.every(({ returning, changed, removed }) => returning + changed + removed === 0)
  const outcome = isWritten
    ? style.green(`restored in ${formatDuration(durationMs)}`)
    : style.yellow(isSame ? 'everything is as the archive has it; nothing was written' : 'nothing was written')
  return [...(isPlanShown ? [] : renderRestorePlan(plan, style)), outcome]
}
