import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Database, loadConfig, openDatabase, UnderstudyError } from 'understudy'
import type { Report } from './report.js'
import type { Databases } from './stage.js'

const CREARIS = fileURLToPath(new URL('../..', import.meta.url))
const DATA = fileURLToPath(new URL('../../../../data', import.meta.url))
const NAMES = ['master', 'slave', 'empty'] as const

type Name = (typeof NAMES)[number]

/** Where the demo runs, and the folder for its archives. */
export type Place =
  | { readonly kind: 'embedded'; readonly folder: string }
  | { readonly kind: 'server'; readonly folder: string; readonly url: string }

export function choosePlace(url: string | undefined): Place {
  if (url === undefined || !/^postgres(ql)?:/.test(url)) return { kind: 'embedded', folder: join(DATA, 'demo') }
  return { kind: 'server', folder: join(DATA, 'demo-server'), url }
}

/** Makes three databases without a table, gives them to `use`, closes them; on a server it also removes them, whatever happened. */
export async function withDatabases<T>(
  place: Place,
  report: Report,
  use: (databases: Databases) => Promise<T>,
): Promise<T> {
  // Not the process's environment: it may name another database, or other migrations.
  const settings = await loadConfig({ cwd: CREARIS, environment: {} })
  if (place.kind === 'server') return await withServer(place, report, (urls) => withOpen(urls, settings, use))
  const urls = await report.work('three databases made, without a table', () => makeFolders(place.folder))
  return await withOpen(urls, settings, use)
}

async function withOpen<T>(
  urls: Record<Name, string>,
  settings: Databases['settings'],
  use: (databases: Databases) => Promise<T>,
): Promise<T> {
  const open: Database[] = []
  const openOne = async (name: Name) => {
    const database = await openDatabase(urls[name])
    open.push(database)
    return database
  }
  try {
    const [master, slave, empty] = [await openOne('master'), await openOne('slave'), await openOne('empty')]
    return await use({ settings, master, slave, empty })
  } finally {
    for (const database of open) await database.close()
  }
}

/** They stay in the folder for the reader, until the next demo. */
async function makeFolders(folder: string): Promise<Record<Name, string>> {
  const folderOf = (name: Name) => join(folder, name)
  await refuseWhileRunning(folderOf('master'))
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  // Making an embedded database takes seconds, copying a fresh one a fraction of that.
  const fresh = await openDatabase(`pglite:${folderOf('master')}`)
  await fresh.close()
  for (const name of ['slave', 'empty'] as const) await cp(folderOf('master'), folderOf(name), { recursive: true })
  return {
    master: `pglite:${folderOf('master')}`,
    slave: `pglite:${folderOf('slave')}`,
    empty: `pglite:${folderOf('empty')}`,
  }
}

/** A second demo must not wipe the folder under the first. Whatever else is wrong with the folder, it goes away. */
async function refuseWhileRunning(folder: string): Promise<void> {
  if (!existsSync(join(folder, 'PG_VERSION'))) return
  try {
    const database = await openDatabase(`pglite:${folder}`)
    await database.close()
  } catch (error) {
    if (error instanceof UnderstudyError && error.code === 'DATABASE_LOCKED') throw error
  }
}

async function withServer<T>(
  place: Place & { readonly kind: 'server' },
  report: Report,
  use: (urls: Record<Name, string>) => Promise<T>,
): Promise<T> {
  await mkdir(place.folder, { recursive: true })
  const prefix = `understudy_demo_${randomBytes(4).toString('hex')}`
  const server = await openDatabase(place.url)
  const made: string[] = []
  try {
    await report.work('three databases made, without a table', async () => {
      for (const database of NAMES.map((name) => `${prefix}_${name}`)) {
        // Like this on every server, whatever its own encoding and language.
        await run(server, `create database ${database} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`)
        made.push(database)
      }
    })
    const urlOf = (name: Name) => withPath(place.url, `${prefix}_${name}`)
    return await use({ master: urlOf('master'), slave: urlOf('slave'), empty: urlOf('empty') })
  } finally {
    if (made.length > 0) await report.work('the databases removed', () => removeAll(server, made, report))
    await server.close()
  }
}

/** Tries each, and names those that stay. Throws nothing: another error may be on its way. */
async function removeAll(server: Database, databases: readonly string[], report: Report): Promise<void> {
  const kept: string[] = []
  for (const database of databases) {
    await run(server, `drop database if exists ${database} with (force)`).catch(() => kept.push(database))
  }
  if (kept.length > 0) report.failure(['these databases could not be removed:', ...kept])
}

async function run(server: Database, sql: string): Promise<void> {
  await server.withSession((session) => session.script(sql))
}

function withPath(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}
