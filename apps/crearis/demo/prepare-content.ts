import { type Database, inspectDatabase, migrateUp } from 'understudy'
import { fillMaster, fillSlave, readLocalRows } from '../sample/index.js'
import { countRows } from './row-versions.js'
import { withSample } from './sql.js'
import type { Stage, Table } from './stage.js'
import { formatCount } from './units.js'

/** Migrates the three databases, gives two of them content with different histories, and returns the tables that hold it. */
export async function prepareContent(stage: Stage): Promise<readonly Table[]> {
  const { report, settings, master, slave, empty } = stage
  for (const [name, database] of Object.entries({ master, slave, empty })) {
    await report.work(`${name}: 21 migrations`, () => migrate(stage, database))
  }
  await report.work('master: filled with content', () => withSample(master, fillMaster))
  await report.work('slave: filled with older content, in another order', () => withSample(slave, fillSlave))

  const { relations } = await report.work('master: looked at, to find the tables with content', () =>
    inspectDatabase(settings, { database: master }),
  )
  const local = formatCount((await withSample(slave, readLocalRows)).length, 'row')
  report.table(
    [{ title: 'database' }, { title: 'rows', align: 'right' }, { title: 'what it holds' }],
    [
      ['master', await countRows(master, relations), 'the content as it should be everywhere'],
      [
        'slave',
        await countRows(slave, relations),
        `rows missing, rows out of date, other numbers, ${local} of its own`,
      ],
      ['empty', await countRows(empty, relations), 'only what the migrations themselves put in'],
    ],
  )
  return relations
}

async function migrate({ settings, signal }: Stage, database: Database): Promise<void> {
  const { applied } = await migrateUp(settings, { database, from: 'A', to: 'B', signal })
  if (applied.length !== 21) throw new Error(`21 migrations were expected, ${applied.length} ran`)
}
