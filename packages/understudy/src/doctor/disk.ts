import { access, constants, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Ability, bad, type Finding, good, IMPORTS, warning } from './finding.js'
import type { Patient } from './patient.js'

const MEGABYTE = 1_000_000
/** Less than this and nothing of any size can be written. */
const LEAST_FREE = 10 * MEGABYTE

/** Room for archives, and for an embedded database. The disk of a server is not ours to see. */
export async function examineDisk({ session, database, settings }: Patient): Promise<Finding[]> {
  // Of the whole database: the size of a relation would wait for who has locked it.
  const [row] = await session.query<{ bytes: string }>(
    `select pg_catalog.pg_database_size(pg_catalog.current_database())::text as bytes`,
  )
  const bytes = Number(row?.bytes ?? 0)
  const findings = await examineFolder('the folder of archives', settings.archives, ['export'], bytes)
  if (database.driver === 'pglite' && !database.label.endsWith(':memory')) {
    const folder = database.label.replace(/^pglite:/, '')
    findings.push(...(await examineFolder("the database's folder", folder, [...IMPORTS, 'migrate'], bytes)))
  }
  return findings
}

/** An archive and its spool need less than the database does, an import more, for its temporary tables: its size is the measure for both. */
async function examineFolder(
  what: string,
  folder: string,
  needs: readonly Ability[],
  databaseBytes: number,
): Promise<Finding[]> {
  const existing = await nearestFolder(folder)
  try {
    await access(existing, constants.W_OK)
  } catch {
    return [
      bad(
        'disk',
        needs,
        `${what} cannot be written to: ${existing}`,
        'Let the user who runs this write there, or configure another folder.',
      ),
    ]
  }
  const { bavail, bsize } = await statfs(existing)
  const free = bavail * bsize
  const facts = `${inMegabytes(free)} free for ${what} (${folder}), the database takes ${inMegabytes(databaseBytes)}`
  if (free < LEAST_FREE) return [bad('disk', needs, facts, 'Make room, or choose another disk.')]
  if (free < databaseBytes) return [warning('disk', facts, 'Make room: it may not be enough.')]
  return [good('disk', facts)]
}

/** The folder itself, or the one in which it would be made. */
async function nearestFolder(folder: string): Promise<string> {
  try {
    await access(folder)
    return folder
  } catch {
    const parent = dirname(folder)
    return parent === folder ? folder : await nearestFolder(parent)
  }
}

function inMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / MEGABYTE).toLocaleString('en-US')} MB`
}
