import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { Database, Session } from '../database/port.js'
import { withDatabase } from '../database/with-database.js'

/**
 * Whether two URLs lead to one database, however they spell its host or its folder. Servers are asked by a lock: what one session holds, another can
 * not get in the same database, and can in every other. Fingerprint and instance id would not tell a copy of the server's files from the original.
 */
export async function isSameDatabase(from: string, to: string, signal?: AbortSignal): Promise<boolean> {
  if (from === to) return true
  const folders = [folderOf(from), folderOf(to)]
  if (folders.every((folder) => folder !== null)) return await isSameFolder(folders)
  if (folders.some((folder) => folder !== null)) return false
  const key = randomBytes(8).readBigInt64BE().toString()
  return await withDatabase({ database: from }, { signal }, (source) =>
    withDatabase({ database: to }, { signal }, (target) =>
      holding(source, key, async () => !(await holding(target, key, async (isHeld) => isHeld))),
    ),
  )
}

/** Gives `use` whether the lock was to be had. It ends with its transaction, so that a pooler does no harm, and a replica grants it too. */
async function holding<T>(database: Database, key: string, use: (isHeld: boolean) => Promise<T>): Promise<T> {
  return await database.withSession((session) =>
    session.transaction({ isReadOnly: true }, async () => await use(await tryLock(session, key))),
  )
}

async function tryLock(session: Session, key: string): Promise<boolean> {
  const [row] = await session.query<{ is_held: boolean }>(
    'select pg_catalog.pg_try_advisory_xact_lock($1::bigint) as is_held',
    [key],
  )
  return row?.is_held === true
}

function folderOf(url: string): string | null {
  return /^pglite:(?!\/\/)(.+)$/s.exec(url)?.[1] ?? null
}

async function isSameFolder(folders: readonly string[]): Promise<boolean> {
  const [from, to] = await Promise.all(folders.map((folder) => stat(folder, { bigint: true }).catch(() => null)))
  // One that is not there is told when it is opened.
  if (!from || !to) return false
  return from.dev === to.dev && from.ino === to.ino
}
