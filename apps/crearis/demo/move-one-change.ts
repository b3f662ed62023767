import { type ImportPlan, importContent } from 'understudy'
import { plantOneChange } from '../sample/index.js'
import { sumOf } from './bring-into.js'
import { exportLines } from './export-master.js'
import { readRowVersions } from './row-versions.js'
import { summarisePackages } from './show-packages.js'
import { query, withSample } from './sql.js'
import type { Stage, Table } from './stage.js'
import { formatCount } from './units.js'

/** Changes one value in the master and shows that exactly that row is written in the slave. */
export async function moveOneChange(stage: Stage, tables: readonly Table[]): Promise<void> {
  const { report, settings, master, slave, signal } = stage
  report.chapter('One change in the master')
  const change = await withSample(master, plantOneChange)
  report.say(`An editor of the master writes a new ${change.column} for ${change.identity}:`, `  ${change.value}`, '')
  const archive = await report.work('exported the master', () => exportLines(stage, 'master', 'master-later'))
  const source = { database: slave, archive: archive.path, mode: 'replace', signal } as const

  const dryRun = await report.work('planned, without writing', () =>
    importContent(settings, { ...source, isDryRun: true }),
  )
  const before = await readRowVersions(slave, tables)
  const imported = await report.work('imported into the slave', () => importContent(settings, source))
  const after = await readRowVersions(slave, tables)
  const [row] = await query<{ value: string }>(
    slave,
    `select ${change.column} as value from ${change.table} where xmlid = $1`,
    [change.identity],
  )

  summarisePackages(report, imported)
  report.prove(
    `the plan has 1 update in ${change.table}, and ${formatCount(sumOf(dryRun.plan.relations, 'unchanged'), 'row')} unchanged`,
    surprises(dryRun.plan, change.table),
  )
  const gone = before.filter((line) => !after.includes(line))
  const isOnlyThat = gone.length === 1 && gone[0]?.startsWith(`${change.table} `) && after.length === before.length
  report.prove(
    `1 row was written; the other ${formatCount(before.length - 1, 'row')} of the slave still stand as they did`,
    isOnlyThat ? [] : [`${gone.length} rows were written`, ...gone],
  )
  report.prove(
    'it is the right one: the slave now has the new text',
    row?.value === change.value ? [] : [String(row?.value)],
  )
}

/** What of a plan is more or less than one update in that table. */
function surprises(plan: ImportPlan, table: string): string[] {
  return plan.relations.flatMap((each) => {
    const updates = each.relation === table ? 1 : 0
    const isExpected = each.updates === updates && each.unchanged === each.records - updates && each.deletes === 0
    return isExpected
      ? []
      : [`${each.relation}: ${each.inserts} inserts, ${each.updates} updates, ${each.deletes} deletes`]
  })
}
