import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ArchiveIndex } from '../archive/archive-index.js'
import { readArchive, verifyArchive } from '../archive/reader.js'
import { findLatestArchive, listArchives, readStored, type StoredArchive } from '../archive/store.js'
import type { Settings } from '../config/settings.js'
import { UnderstudyError } from '../errors.js'

/** An archive and what its index says. */
export interface Backup extends StoredArchive {
  /** Null where it cannot be read. */
  readonly index: ArchiveIndex | null
  /** What keeps it from being read, or differs from its checksums; null where all is well. */
  readonly problem: BackupProblem | null
}

export interface BackupProblem {
  readonly code: string
  readonly message: string
  readonly detail: string | null
}

/** The archives of the settings' folder, newest first. One that cannot be read is listed with its problem. */
export async function listBackups(settings: Settings): Promise<Backup[]> {
  return await describeAll(await listArchives(settings.archives), (path) => readArchive(path))
}

/**
 * One archive: a path, the name of one in the settings' folder, or `latest` (the default).
 *
 * @throws UnderstudyError as `readArchive`
 */
export async function showBackup(settings: Settings, archive = 'latest'): Promise<Backup> {
  const stored = await findBackup(settings, archive)
  return { ...stored, index: await readArchive(stored.path), problem: null }
}

/**
 * Reads archives to their ends and holds them against their checksums: those named as for `showBackup`, or all of the settings' folder.
 *
 * @throws UnderstudyError `ARCHIVE_NOT_FOUND` for a name that is none; what is wrong inside an archive is its `problem`
 */
export async function verifyBackups(
  settings: Settings,
  archives: readonly string[] = [],
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Backup[]> {
  const wanted =
    archives.length === 0
      ? await listArchives(settings.archives)
      : await Promise.all(archives.map((archive) => findBackup(settings, archive)))
  return await describeAll(wanted, (path) => verifyArchive(path, options))
}

async function describeAll(
  archives: readonly StoredArchive[],
  read: (path: string) => Promise<ArchiveIndex>,
): Promise<Backup[]> {
  const backups: Backup[] = []
  for (const stored of archives) {
    try {
      backups.push({ ...stored, index: await read(stored.path), problem: null })
    } catch (error) {
      if (!(error instanceof UnderstudyError) || error.code === 'CANCELLED') throw error
      const { code, message, detail = null } = error
      backups.push({ ...stored, index: null, problem: { code, message, detail } })
    }
  }
  return backups
}

async function findBackup(settings: Settings, archive: string): Promise<StoredArchive> {
  const path = archive === 'latest' ? await findLatestArchive(settings.archives) : pathOf(settings, archive)
  const stored = await readStored(path)
  if (stored !== undefined) return stored
  throw new UnderstudyError('ARCHIVE_NOT_FOUND', `no archive at ${archive}`, {
    hint: `\`understudy backups list\` shows those in ${settings.archives}.`,
  })
}

/** A name alone may stand in the folder of archives. */
function pathOf(settings: Settings, archive: string): string {
  return existsSync(archive) ? resolve(archive) : resolve(settings.archives, archive)
}
