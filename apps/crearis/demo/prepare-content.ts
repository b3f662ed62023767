import { type Database, inspectDatabase, migrateUp } from 'understudy'
import { fillMaster, fillSlave, readLocalRows } from '../sample/index.js'
import { withSample } from './sql.js'
import type { Stage } from './stage.js'
import { formatCount } from './units.js'

/** Migrates the three databases, and gives two of them content with different histories. */
export async function prepareContent(stage: Stage): Promise<void> {
  const { report, settings, master, slave, empty } = stage
  for (const [name, database] of Object.entries({ master, slave, empty })) {
    await report.work(`${name}: 21 migrations`, () => migrate(stage, database))
  }
  await report.work('master: filled with content', () => withSample(master, fillMaster))
  await report.work('slave: filled with older content, in another order', () => withSample(slave, fillSlave))

  const counts = async (database: Database) => {
    const { relations } = await inspectDatabase(settings, { database })
    return relations.reduce((sum, { rows }) => sum + rows, 0)
  }
  const local = await withSample(slave, readLocalRows)
  report.table(
    [{ title: 'database' }, { title: 'rows', align: 'right' }, { title: 'what it holds' }],
    [
      ['master', await counts(master), 'the content as it should be everywhere'],
      [
        'slave',
        await counts(slave),
        `rows missing, rows out of date, other numbers, ${formatCount(local.length, 'row')} of its own`,
      ],
      ['empty', await counts(empty), 'only what the migrations themselves put in'],
    ],
  )
}

async function migrate({ settings, signal }: Stage, database: Database): Promise<void> {
  const { applied } = await migrateUp(settings, { database, from: 'A', to: 'B', signal })
  if (applied.length !== 21) throw new Error(`21 migrations were expected, ${applied.length} ran`)
}
