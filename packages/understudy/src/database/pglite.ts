import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite, type PGliteOptions } from '@electric-sql/pglite'
import { UnderstudyError } from '../errors.js'
import { type FolderLock, LOCK_FILE, lockFolder } from './folder-lock.js'
import type { OpenOptions } from './open.js'
import { installExtensions } from './pglite-extensions.js'
import { PgliteSession } from './pglite-session.js'
import type { Database } from './port.js'
import { SerialQueue } from './serial-queue.js'
import { misuse } from './session-guard.js'
import { decodedTypes, decoderFor } from './values.js'

/** Stands in a folder while its database is being made; a folder in which it is found holds nothing of value. */
const UNFINISHED_FILE = 'understudy.unfinished'

/**
 * In memory PGlite copies a table's whole file each time that it grows by `posix_fallocate`, the default: writing 200 MB of
 * lines took 54 s, and takes 5 s like this. A folder does not care.
 */
const START_PARAMS = ['-c', 'file_extend_method=write_zeros']

interface Instance {
  readonly pglite: PGlite
  readonly fingerprint: string
  readonly sessions: SerialQueue
  /** Whether the code that asks runs inside a session of this instance, through whatever handle. */
  readonly turn: AsyncLocalStorage<{ isActive: boolean }>
  readonly release: () => Promise<void>
}

interface SharedInstance {
  readonly opening: Promise<Instance>
  handles: number
}

/** The folders that this process has open: a folder is opened once, however often it is asked for. */
const openFolders = new Map<string, SharedInstance>()

/**
 * An embedded database in a folder, or, for `memory`, without one. Sessions take turns. The same folder opened twice in
 * one process is one instance, which ends with its last handle.
 *
 * Throws DATABASE_LOCKED when another process has the folder open, FOLDER_UNUSABLE when it is not one for a database.
 */
export async function openPglite(folder: string, options: OpenOptions): Promise<Database> {
  if (folder === 'memory') {
    const pglite = await startPglite({})
    return databaseOf(
      instanceOf(pglite, `memory ${randomUUID()}`, () => pglite.close()),
      'pglite:memory',
      options,
    )
  }
  if (options.folder === 'expect' && !openFolders.has(folder)) await expectDatabase(folder)
  const path = await makeFolder(folder)
  const shared = openFolders.get(path) ?? { opening: openFolder(path), handles: 0 }
  openFolders.set(path, shared)
  shared.handles++
  const leave = async () => {
    if (--shared.handles > 0) return
    openFolders.delete(path)
    await (await shared.opening).release()
  }
  try {
    const instance = await shared.opening
    return databaseOf({ ...instance, release: leave }, `pglite:${folder}`, options)
  } catch (error) {
    openFolders.delete(path)
    throw error
  }
}

function instanceOf(pglite: PGlite, fingerprint: string, release: () => Promise<void>): Instance {
  return { pglite, fingerprint, sessions: new SerialQueue(), turn: new AsyncLocalStorage(), release }
}

function databaseOf(instance: Instance, label: string, options: OpenOptions): Database {
  const { pglite, fingerprint, sessions, turn, release } = instance
  let isClosed = false
  // Waiting for oneself would never end.
  const assertOutside = (what: string) => {
    if (turn.getStore()?.isActive) throw misuse(`${what} inside a session of the same embedded database: ${label}`)
  }
  return {
    driver: 'pglite',
    label,
    maxSessions: 1,
    async withSession(use) {
      assertOutside('a session was asked for')
      return await sessions.run(async () => {
        if (isClosed) throw misuse('a database was used after it was closed')
        const session = new PgliteSession(pglite, fingerprint, options.onNotice)
        const own = { isActive: true }
        try {
          return await turn.run(own, () => use(session))
        } finally {
          own.isActive = false
          await session.end()
        }
      })
    },
    async close() {
      if (isClosed) return
      assertOutside('a close was asked for')
      isClosed = true
      await sessions.run(release)
    },
  }
}

/** Makes the folder where it is missing, for its owner only, and returns the one path by which it is known. */
async function makeFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return await realpath(folder)
  } catch (error) {
    throw unusable(folder, error instanceof Error ? error.message : String(error))
  }
}

async function openFolder(path: string): Promise<Instance> {
  const lock = await lockFolder(path)
  try {
    const pglite = await startInFolder(path)
    return instanceOf(pglite, await fingerprintOf(path), () => closeInFolder(pglite, lock))
  } catch (error) {
    await lock.release()
    throw error
  }
}

/**
 * A moved folder keeps its inode numbers, a copied one has others. The number of the device is left out: containers and network drives give
 * another one at each mount.
 */
async function fingerprintOf(path: string): Promise<string> {
  const [folder, version] = await Promise.all(
    [path, join(path, 'PG_VERSION')].map((each) => stat(each, { bigint: true })),
  )
  return `folder ${folder?.ino}, database ${version?.ino}`
}

async function expectDatabase(folder: string): Promise<void> {
  try {
    await stat(join(folder, 'PG_VERSION'))
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (!['ENOENT', 'ENOTDIR'].includes(code)) {
      throw new UnderstudyError('FOLDER_UNUSABLE', `nobody can say whether a database is in ${folder}`, {
        detail: message,
        hint: 'Run this as the user whose folder it is, or correct the path.',
        cause: error,
      })
    }
    throw new UnderstudyError('DATABASE_NOT_FOUND', `there is no embedded database in ${folder}`, {
      hint: 'Correct the path, or make the database with `understudy migrate up`.',
    })
  }
}

async function closeInFolder(pglite: PGlite, lock: FolderLock): Promise<void> {
  try {
    await pglite.close()
  } finally {
    await lock.release()
  }
}

async function startInFolder(path: string): Promise<PGlite> {
  const marker = join(path, UNFINISHED_FILE)
  let names = (await readdir(path)).filter((name) => name !== LOCK_FILE)
  if (names.includes(UNFINISHED_FILE)) {
    await Promise.all(
      names.filter((name) => name !== UNFINISHED_FILE).map((name) => rm(join(path, name), { recursive: true })),
    )
    names = []
  }
  if (names.includes('PG_VERSION')) return await startPglite({ dataDir: path })
  if (names.length > 0) {
    throw unusable(path, `It holds other files, such as ${names[0]}, and no database.`)
  }
  // PGlite's files are open to everybody; the folder, which may have been there before, must not be.
  await chmod(path, 0o700)
  await writeFile(marker, 'A database was being made in this folder and was not finished.\n', { mode: 0o600 })
  const pglite = await startPglite({ dataDir: path })
  await rm(marker)
  return pglite
}

async function startPglite(options: PGliteOptions): Promise<PGlite> {
  const said: string[] = []
  const onStderr = (line: string) => {
    said.push(line)
    return false
  }
  let pglite: PGlite
  try {
    pglite = await PGlite.create({ ...options, startParams: [...PGlite.defaultStartParams, ...START_PARAMS], onStderr })
  } catch (error) {
    const reasons = said.filter((line) => /FATAL|PANIC|ERROR/.test(line))
    throw unusable(options.dataDir ?? 'memory', reasons.join('\n') || String(error), error)
  }
  // PGlite's defaults would make Date, BigInt and Uint8Array objects; without serializers a text parameter stays text.
  const dates = [1082 /* date */, 1114 /* timestamp */, 1184 /* timestamptz */]
  const oids = [...decodedTypes(), ...dates, 17 /* bytea */]
  pglite.parsers = Object.fromEntries(oids.map((oid) => [oid, decoderFor(oid)]))
  pglite.serializers = {}
  await installExtensions(pglite)
  return pglite
}

function unusable(folder: string, detail: string, cause?: unknown): UnderstudyError {
  return new UnderstudyError('FOLDER_UNUSABLE', `the folder cannot be used as an embedded database: ${folder}`, {
    detail,
    hint: 'Name an empty folder, one that does not exist yet, or one that the same version of PGlite has made.',
    cause,
  })
}
