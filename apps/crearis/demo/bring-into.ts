import { importContent, type PlannedRelation } from 'understudy'
import { readLocalRows } from '../sample/index.js'
import { type Archive, exportLines } from './export-master.js'
import { countEqual } from './lines.js'
import { showPackages } from './show-packages.js'
import { withSample } from './sql.js'
import type { Stage } from './stage.js'
import { formatCount } from './units.js'

/** Imports the archive into the slave, and compares what is there afterwards with the archive, line by line. */
export async function bringInto(stage: Stage, archive: Archive): Promise<void> {
  const { report, settings, slave, signal } = stage
  report.chapter('Into the slave, which has a life of its own (mode: replace)')
  const localBefore = await withSample(slave, readLocalRows)
  const imported = await report.work('imported', () =>
    importContent(settings, { database: slave, archive: archive.path, mode: 'replace', signal }),
  )
  const { plan } = imported
  showPackages(report, imported)
  const after = await report.work('exported again, to compare', () => exportLines(stage, 'slave'))
  const localAfter = await withSample(slave, readLocalRows)

  const results = plan.relations.map((planned) => {
    const lines = after.lines.get(planned.relation) ?? []
    return { planned, rows: lines.length, equal: countEqual(archive.lines.get(planned.relation) ?? [], lines) }
  })
  report.table(
    [
      { title: 'table' },
      { title: 'in the archive', align: 'right' },
      { title: 'equal already', align: 'right' },
      { title: 'updated', align: 'right' },
      { title: 'inserted', align: 'right' },
      { title: 'deleted', align: 'right' },
      { title: 'equal now', align: 'right' },
      { title: "slave's own, kept", align: 'right' },
    ],
    results.map(({ planned, rows, equal }) => [...countsOf(planned), equal, rows - equal]),
  )
  report.say(
    'Rows of page_sections have no name and no code: they are known by their content, on their page. One',
    'that differs is deleted, and that of the archive inserted.',
    '',
  )
  const unequal = results.filter(({ planned, equal }) => equal !== planned.records)
  report.prove(
    `all ${formatCount(sumOf(plan.relations, 'records'), 'row')} of the archive are in the slave, equal in every value`,
    unequal.map(({ planned, equal }) => `${planned.relation}: ${planned.records} rows, ${equal} equal`),
  )
  report.prove(
    `the ${formatCount(localBefore.length, 'row')} that only the slave has are untouched, numbers and all`,
    differences(localBefore, localAfter),
  )
}

function countsOf({ relation, records, unchanged, updates, inserts, deletes }: PlannedRelation) {
  return [relation, records, unchanged, updates, inserts, deletes]
}

export function sumOf(
  relations: readonly PlannedRelation[],
  count: 'records' | 'inserts' | 'updates' | 'deletes' | 'unchanged' | 'skipped',
): number {
  return relations.reduce((sum, relation) => sum + relation[count], 0)
}

/** Lines that stand on one side only, as evidence. */
export function differences(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `gone: ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `new: ${line}`),
  ]
}
