import { randomBytes } from 'node:crypto'
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Database, loadConfig, openDatabase } from 'understudy'
import type { Report } from './report.js'
import type { Stage } from './stage.js'

const CREARIS = fileURLToPath(new URL('../..', import.meta.url))
const DATA = fileURLToPath(new URL('../../../../data', import.meta.url))
const NAMES = ['master', 'slave', 'empty'] as const
const MADE = 'three databases made, without a table'

type Name = (typeof NAMES)[number]
type Urls = Readonly<Record<Name, string>>

/** Where the demo runs, and the folder that is left for the reader. */
export type Place =
  | { readonly kind: 'embedded'; readonly folder: string }
  | { readonly kind: 'server'; readonly folder: string; readonly url: string }

export function choosePlace(url: string | undefined): Place {
  if (url === undefined || !/^postgres(ql)?:/.test(url)) return { kind: 'embedded', folder: join(DATA, 'demo') }
  return { kind: 'server', folder: join(DATA, 'demo-server'), url }
}

/**
 * Makes three databases without a table, gives them to `use`, closes them; on a server it also removes them, whatever happened. Works in a
 * folder of its own, which takes the place of the last demo's at the end: two demos do not meet.
 */
export async function withDatabases<T>(
  place: Place,
  report: Report,
  use: (stage: Omit<Stage, 'report' | 'signal'>) => Promise<T>,
): Promise<T> {
  // Not the process's environment: it may name another database, or other migrations.
  const settings = await loadConfig({ cwd: CREARIS, environment: {} })
  await mkdir(DATA, { recursive: true })
  const archives = await mkdtemp(`${place.folder}-`)
  const useUrls = (urls: Urls) => withOpen(urls, (databases) => use({ ...databases, settings, archives }))
  try {
    if (place.kind === 'server') return await withServer(place.url, report, useUrls)
    return await useUrls(await report.work(MADE, () => makeFolders(archives)))
  } finally {
    await rm(place.folder, { recursive: true, force: true })
    await rename(archives, place.folder)
  }
}

async function withOpen<T>(urls: Urls, use: (databases: Readonly<Record<Name, Database>>) => Promise<T>): Promise<T> {
  const open: Database[] = []
  const openOne = async (name: Name) => {
    const database = await openDatabase(urls[name])
    open.push(database)
    return database
  }
  try {
    return await use({ master: await openOne('master'), slave: await openOne('slave'), empty: await openOne('empty') })
  } finally {
    for (const database of open) await database.close()
  }
}

async function makeFolders(folder: string): Promise<Urls> {
  const folderOf = (name: Name) => join(folder, name)
  // Making an embedded database takes seconds, copying a fresh one a fraction of that.
  const fresh = await openDatabase(`pglite:${folderOf('master')}`)
  await fresh.close()
  for (const name of ['slave', 'empty'] as const) await cp(folderOf('master'), folderOf(name), { recursive: true })
  return urlsOf((name) => `pglite:${folderOf(name)}`)
}

async function withServer<T>(url: string, report: Report, use: (urls: Urls) => Promise<T>): Promise<T> {
  const prefix = `understudy_demo_${randomBytes(4).toString('hex')}`
  const server = await openDatabase(url)
  const made: string[] = []
  try {
    await report.work(MADE, async () => {
      for (const database of NAMES.map((name) => `${prefix}_${name}`)) {
        // Like this on every server, whatever its own encoding and language.
        await run(server, `create database ${database} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`)
        made.push(database)
      }
    })
    return await use(urlsOf((name) => withPath(url, `${prefix}_${name}`)))
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

function urlsOf(urlOf: (name: Name) => string): Urls {
  return { master: urlOf('master'), slave: urlOf('slave'), empty: urlOf('empty') }
}

function withPath(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}
