import type { IdentifyResult } from '../../identify/identify-rows.js'
import type { Style } from './colours.js'
import { formatTable, printable } from './table.js'
import { formatCount } from './units.js'

/** Rows without an identity by relation, and what they get. */
export function renderIdentities({ target, relations, filled, isWritten }: IdentifyResult, style: Style): string[] {
  if (relations.length === 0) return [style.bold(target), style.green('every row has an identity')]
  const total = formatCount(filled.reduce((sum, { rows }) => sum + rows, 0))
  const rows = relations.map(({ relation, column, rowsWithout, rows: all, samples, canBeFilled }) => {
    const planned = filled.find((each) => each.relation === relation)
    const examples = (planned?.samples ?? samples).join(', ') + (rowsWithout > samples.length ? ', …' : '')
    const remark = canBeFilled ? '' : ' (refers to another row)'
    return [
      printable(`${relation}.${column}`),
      formatCount(rowsWithout),
      formatCount(all),
      printable(examples + remark),
    ]
  })
  const columns = [
    { title: 'identity' },
    { title: 'without', align: 'right' as const },
    { title: 'rows', align: 'right' as const },
    { title: filled.length > 0 ? 'gets' : 'such as' },
  ]
  const outcome = isWritten ? style.green(`${total} rows filled`) : style.yellow('nothing was written')
  return [style.bold(target), '', ...formatTable(columns, rows), '', outcome]
}
