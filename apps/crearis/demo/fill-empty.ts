import { importContent } from 'understudy'
import { type Archive, exportLines } from './export-master.js'
import { countEqual } from './lines.js'
import { showPackages } from './show-packages.js'
import type { Stage } from './stage.js'
import { formatCount } from './units.js'

/** Imports the archive into the empty database, exports that one too, and compares the two archives. */
export async function fillEmpty(stage: Stage, archive: Archive): Promise<void> {
  const { report, settings, empty, signal } = stage
  report.chapter('Into the empty database (mode: init)')
  report.say(
    'An import is one transaction, in the steps that the application has named: its data packages. datA_config',
    "begins with scripts of the application's own: the system data, which every installation has, and rows",
    'that stand in for whatever may be missing. The others load the archive. datF_assignments takes the',
    'stand-ins away again, and datH_validation would take everything back if a check found a mistake.',
    '',
  )
  const imported = await report.work('imported', () =>
    importContent(settings, { database: empty, archive: archive.path, mode: 'init', signal }),
  )
  showPackages(report, imported)
  const copy = await report.work('exported again, to compare', () => exportLines(stage, 'empty', 'copy'))
  report.say(
    '',
    'In the archive a row is one line of text. Two rows are equal when their lines are, in every value and',
    'every reference. The fingerprint is the SHA-256 of all lines of a table.',
  )
  const results = archive.files.map((file) => {
    const lines = copy.lines.get(file.relation) ?? []
    const digest = copy.files.find(({ relation }) => relation === file.relation)?.contentSha256
    return { file, digest, rows: lines.length, equal: countEqual(archive.lines.get(file.relation) ?? [], lines) }
  })
  report.table(
    [
      { title: 'table' },
      { title: 'rows in the archive', align: 'right' },
      { title: 'equal in the copy', align: 'right' },
      { title: 'fingerprint' },
      { title: 'of the copy' },
    ],
    results.map(({ file, digest, equal }) => [
      file.relation,
      file.records,
      equal,
      file.contentSha256.slice(0, 12),
      digest === file.contentSha256 ? 'the same' : digest?.slice(0, 12),
    ]),
  )
  const unequal = results.filter(({ file, rows, equal }) => equal !== file.records || rows !== file.records)
  const records = results.reduce((sum, { file }) => sum + file.records, 0)
  report.prove(
    `all ${formatCount(records, 'row')} of the master are in the copy, equal in every value, and no others`,
    unequal.map(
      ({ file, rows, equal }) => `${file.relation}: ${file.records} rows, ${equal} equal, ${rows} in the copy`,
    ),
  )
  report.prove(
    `the fingerprints of all ${results.length} tables are equal`,
    results.filter(({ file, digest }) => digest !== file.contentSha256).map(({ file }) => file.relation),
  )
}
