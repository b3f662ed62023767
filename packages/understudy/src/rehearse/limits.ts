import type { ArchiveIndex } from '../archive/archive-index.js'
import type { Settings } from '../config/settings.js'
import type { Database } from '../database/port.js'
import { loadMigrations } from '../migrate/load-migration.js'
import { readProject } from '../migrate/read-project.js'

/** What a rehearsal of this archive in this scratch database cannot show, one fact a line. */
export async function findLimits(
  settings: Settings,
  index: ArchiveIndex,
  scratch: Database,
): Promise<readonly string[]> {
  const limits: string[] = []
  const { only, exclude } = index.selection
  if (only.length + exclude.length > 0)
    limits.push(`the archive holds a selection only (${[...only, ...exclude.map((name) => `not ${name}`)].join(', ')})`)
  if (scratch.driver === 'pglite') {
    limits.push('times are those of an embedded database in one process, not those of the server')
    limits.push('locks are not contended: nobody else is at work there')
  }
  const project = await readProject(settings)
  const applied = new Set(index.migrations.map(({ id }) => id))
  const pending = await loadMigrations(
    project.files.filter(({ id }) => !applied.has(id)),
    settings.root,
  )
  for (const file of scratch.driver === 'pglite' ? project.files : []) {
    if (/provider\s*=\s*'?icu|collate\s+"[^"]*-x-icu"|deterministic\s*=\s*false/i.test(file.text))
      limits.push(`${file.id} uses collations that an embedded database ignores: use --scratch-url`)
  }
  for (const { file, isTransactional, up } of pending) {
    if (!isTransactional) limits.push(`${file.id} runs without a transaction: the guard does not watch it`)
    const sql = up.sql ?? ''
    if (/\b(create|alter|drop)\s+role\b|\bgrant\b[^;]*\bto\b|\bowner\s+to\b/i.test(sql))
      limits.push(`${file.id} names roles, which the scratch database may not have`)
  }
  return limits
}
