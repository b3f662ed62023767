import { basename, join } from 'node:path'
import { type ExportResult, exportContent } from 'understudy'
import { readCanonicalLines } from './lines.js'
import type { Stage } from './stage.js'
import { formatCount } from './units.js'

export interface Archive extends ExportResult {
  /** By relation, the rows as text without the master's numbers. */
  readonly lines: ReadonlyMap<string, readonly string[]>
}

const SHOWN_EVENT = '_demo.event_masken_bauen'
const SHOWN_KEYS = ['xmlid', 'name', 'project_id', 'public_user', 'location', 'tags_ids']

/** Exports the master, and shows how a row looks in the archive. */
export async function exportMaster(stage: Stage): Promise<Archive> {
  const { report } = stage
  report.chapter('The master becomes an archive')
  const archive = await report.work('exported', () => exportLines(stage, 'master'))
  const records = archive.files.reduce((sum, file) => sum + file.records, 0)
  const size = `${formatCount(records, 'row')} of ${archive.files.length} tables, ${Math.ceil(archive.bytes / 1024)} kB`
  report.say(`  ${basename(archive.path)}: ${size}`)
  report.say(
    '',
    'One event as it travels. In the database its last four values are numbers; here they are identities:',
    '',
  )
  const event = archive.lines.get('events')?.find((line) => line.includes(`"xmlid":"${SHOWN_EVENT}"`)) ?? '{}'
  const values = JSON.parse(event) as Record<string, unknown>
  report.say(...SHOWN_KEYS.map((key) => `  ${key.padEnd(11)}  ${JSON.stringify(values[key])}`))
  return archive
}

/** Exports a database into an archive of that name, and reads it. */
export async function exportLines(
  stage: Stage,
  from: 'master' | 'slave' | 'empty',
  name: string = from,
): Promise<Archive> {
  const { settings, archives, signal, [from]: database } = stage
  const exported = await exportContent(settings, { database, out: join(archives, `${name}.backup.tar.gz`), signal })
  return { ...exported, lines: await readCanonicalLines(exported.path) }
}
