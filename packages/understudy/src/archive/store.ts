import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { UnderstudyError } from '../errors.js'

/** Where archives stand unless the configuration says otherwise. */
export const DEFAULT_ARCHIVE_FOLDER = 'data/sync'

const SUFFIX = '.backup.tar.gz'
const ARCHIVE = /\.backup\.tar(?:\.gz)?$/
const NAME = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})-(\d{3})Z\.backup\.tar(?:\.gz)?$/

export interface StoredArchive {
  readonly path: string
  readonly name: string
  /** The time in its name, or null where it has another kind of name. */
  readonly createdAt: Date | null
  readonly modifiedAt: Date
  readonly bytes: number
}

/** The path of an archive made at a time: `<folder>/2026-11-22T10-30-00-123Z.backup.tar.gz`, fit for every file system. */
export function archivePath(folder: string, date: Date): string {
  return join(folder, `${date.toISOString().replace(/[:.]/g, '-')}${SUFFIX}`)
}

/**
 * What `--out` means: a folder (one that exists, or a path that ends with a separator) gets an archive named by the time, anything else is
 * the file itself.
 */
export async function resolveOutput(out: string, date: Date): Promise<string> {
  if (/[/\\]$/.test(out)) return archivePath(out, date)
  const facts = await stat(out).catch(() => undefined)
  return facts?.isDirectory() ? archivePath(out, date) : out
}

/** The archives of a folder, newest first: by the time in the name, then by the time of the file. Empty where there is no folder. */
export async function listArchives(folder: string): Promise<StoredArchive[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new UnderstudyError('ARCHIVE_NOT_FOUND', `cannot read the folder ${folder}`, {
      detail: error.message,
      cause: error,
    })
  })
  const candidates = names.filter((name) => ARCHIVE.test(name) && !name.startsWith('.'))
  const found = await Promise.all(candidates.map((name) => readStored(join(folder, name))))
  return found.filter((archive) => archive !== undefined).sort(newestFirst)
}

/**
 * The path of the newest archive of a folder.
 *
 * @throws UnderstudyError `ARCHIVE_NOT_FOUND`
 */
export async function findLatestArchive(folder: string): Promise<string> {
  const [latest] = await listArchives(folder)
  if (latest !== undefined) return latest.path
  throw new UnderstudyError('ARCHIVE_NOT_FOUND', `no archive in the folder ${folder}`, {
    hint: 'Make one with `understudy export`, or name another folder.',
  })
}

/**
 * The path of an archive as somebody names it: `latest` in the folder, a path, or the bare name of one in the folder, as the ledger of migrations has
 * it.
 *
 * @throws UnderstudyError `ARCHIVE_NOT_FOUND` for `latest` in an empty folder
 */
export async function locateArchive(folder: string, given: string): Promise<string> {
  if (given === 'latest') return await findLatestArchive(folder)
  const here = resolve(given)
  if (given !== basename(given) || (await isFile(here))) return here
  const there = join(folder, given)
  return (await isFile(there)) ? there : here
}

async function isFile(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => undefined)
  return facts?.isFile() ?? false
}

/** What `--from` means: a file, or a folder whose newest archive is taken. */
export async function resolveInput(from: string): Promise<string> {
  const facts = await stat(from).catch(() => undefined)
  if (facts?.isDirectory()) return await findLatestArchive(from)
  if (facts?.isFile()) return from
  throw new UnderstudyError('ARCHIVE_NOT_FOUND', `no archive at ${from}`, { hint: 'Correct the path.' })
}

/** What the file system says of an archive; undefined where no file stands at the path. */
export async function readStored(path: string): Promise<StoredArchive | undefined> {
  const name = basename(path)
  const facts = await stat(path).catch(() => undefined)
  if (!facts?.isFile()) return undefined
  return { path, name, createdAt: timeIn(name), modifiedAt: facts.mtime, bytes: facts.size }
}

function timeIn(name: string): Date | null {
  const parts = NAME.exec(name)
  if (parts === null) return null
  const [, day, hours, minutes, seconds, millis] = parts
  const date = new Date(`${day}T${hours}:${minutes}:${seconds}.${millis}Z`)
  return Number.isNaN(date.getTime()) ? null : date
}

function newestFirst(left: StoredArchive, right: StoredArchive): number {
  const byName = (right.createdAt ?? right.modifiedAt).getTime() - (left.createdAt ?? left.modifiedAt).getTime()
  return byName || right.modifiedAt.getTime() - left.modifiedAt.getTime() || (left.name < right.name ? -1 : 1)
}
