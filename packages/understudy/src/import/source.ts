import { resolve } from 'node:path'
import type { ArchiveIndex } from '../archive/archive-index.js'
import { readArchive } from '../archive/reader.js'
import { findLatestArchive, listArchives, locateArchive } from '../archive/store.js'
import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { isFileset, refuseOtherFolder } from '../fileset/manifest.js'
import { refuseCopy } from '../registry/copies.js'
import { readInstance } from '../registry/registry.js'

/** Where the content comes from: an archive, one of the first format, which has no such index, or the folder of a fileset. */
export interface Source {
  readonly path: string
  readonly index: ArchiveIndex | 'first format' | 'fileset'
}

interface SourceOptions {
  readonly archive?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The archive or fileset that was named. Undefined for `latest`: which one that is, the database must say (`findForeignSource`).
 *
 * @throws UnderstudyError `ARCHIVE_NOT_FOUND` where there is none, `FILESET_INVALID` for a folder of other files, and those of the archive layer
 */
export async function readNamedSource(
  settings: Settings,
  { archive = 'latest', signal }: SourceOptions,
): Promise<Source | undefined> {
  if (await isFileset(archive)) return { path: resolve(archive), index: 'fileset' }
  if (archive !== 'latest') {
    await refuseOtherFolder(archive)
    return await readSource(await locateArchive(settings.archives, archive), signal)
  }
  await findLatestArchive(settings.archives)
  return undefined
}

/**
 * The newest archive of the folder that this database has not written: one's own brings nothing from elsewhere, and takes back what was done since. A
 * database without a registry has written none.
 *
 * @throws UnderstudyError `ARCHIVE_ONLY_OWN`, `INSTANCE_AMBIGUOUS` for a copy, which cannot tell its archives from the other's, and those of the
 * archive layer
 */
export async function findForeignSource(
  session: Session,
  settings: Settings,
  { signal }: SourceOptions,
): Promise<Source> {
  const instance = await readInstance(session)
  await refuseCopy(session, instance)
  const own: string[] = []
  for (const { path, name } of await listArchives(settings.archives)) {
    const source = await readSource(path, signal)
    if (instance === null || writerOf(source) !== instance.id) return source
    own.push(name)
  }
  throw onlyOwn(settings.archives, own)
}

async function readSource(path: string, signal: AbortSignal | undefined): Promise<Source> {
  try {
    return { path, index: await readArchive(path, { signal }) }
  } catch (error) {
    if (error instanceof UnderstudyError && error.code === 'ARCHIVE_VERSION_1') return { path, index: 'first format' }
    throw error
  }
}

function writerOf({ index }: Source): string | null {
  return typeof index === 'string' ? null : index.source.instance
}

const MAX_NAMES = 10

function onlyOwn(folder: string, names: readonly string[]): UnderstudyError {
  const more = names.length - MAX_NAMES
  return new UnderstudyError('ARCHIVE_ONLY_OWN', `every archive in the folder ${folder} was written by this database`, {
    detail: [...names.slice(0, MAX_NAMES), ...(more > 0 ? [`and ${more} more`] : [])].join('\n'),
    hint:
      'Nothing was written. Bring the other database’s archive here, or name one of these on purpose: ' +
      `\`understudy import ${names[0]}\`. To go back to an earlier state there is \`understudy restore\`.`,
  })
}
