import { importContent } from 'understudy'
import { differences, sumOf } from './bring-into.js'
import type { Archive } from './export-master.js'
import { readRowVersions } from './row-versions.js'
import { summarisePackages } from './show-packages.js'
import type { Stage, Table } from './stage.js'
import { formatCount } from './units.js'

/** Imports the same archive a second time: nothing is left to do. */
export async function importAgain(stage: Stage, tables: readonly Table[], archive: Archive): Promise<void> {
  const { report, settings, slave, signal } = stage
  report.chapter('The same archive once more')
  const before = await readRowVersions(slave, tables)
  const imported = await report.work('imported into the slave', () =>
    importContent(settings, { database: slave, archive: archive.path, mode: 'replace', signal }),
  )
  const { plan } = imported
  const after = await readRowVersions(slave, tables)
  summarisePackages(report, imported)
  const changed = plan.relations.filter((relation) => relation.unchanged !== relation.records || relation.deletes > 0)
  report.prove(
    `its plan finds all ${formatCount(sumOf(plan.relations, 'records'), 'row')} unchanged`,
    changed.map(({ relation, records, unchanged }) => `${relation}: ${unchanged} of ${records} unchanged`),
  )
  report.say(
    '',
    'PostgreSQL keeps with each row the number of the transaction that wrote it (xmin). Before and after:',
    '',
  )
  report.prove(`none of the slave's ${formatCount(before.length, 'row')} was written`, differences(before, after))
}
