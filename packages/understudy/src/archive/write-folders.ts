import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { UnderstudyError } from '../errors.js'
import { openArchive, readArchive } from './reader.js'
import { workingPaths } from './working-files.js'

/** The documents of an archive, each in a folder of its own. */
export interface WrittenFolders {
  /** `<folder>/<timestamp>.json`: the archive's index. */
  readonly index: string
  /** `<folder>/<relation>/<timestamp>.json`, in the order of the archive. */
  readonly documents: readonly string[]
}

/**
 * Writes an archive's documents beside it: `<folder>/<relation>/<timestamp>.json` and the index as `<folder>/<timestamp>.json`, the last; the
 * timestamp is the archive's own name. Folders are called as the archive's files are, so any relation's name is safe. Mode 0600.
 *
 * @throws UnderstudyError `ARCHIVE_WRITE_FAILED`, and those of `openArchive`
 */
export async function writeFolders(
  archive: string,
  folder: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<WrittenFolders> {
  const name = `${basename(archive).replace(/(\.backup)?\.tar(\.gz)?$/, '')}.json`
  const index = await readArchive(archive, { signal })
  const documents: string[] = []
  for await (const { entry, document } of openArchive(archive, { expectedIndexSha256: index.index_sha256, signal })) {
    const path = join(folder, entry.file.replace(/\.json$/, ''), name)
    await writeWhole(path, async (partial) => {
      const hash = createHash('sha256')
      await pipeline(hashed(document(), hash), createWriteStream(partial, { mode: 0o600 }))
      if (hash.digest('hex') !== entry.sha256)
        throw new UnderstudyError('ARCHIVE_DAMAGED', `${entry.file} differs from the index of ${archive}`)
    })
    documents.push(path)
  }
  const path = join(folder, name)
  await writeWhole(path, (partial) => writeFile(partial, `${JSON.stringify(index, null, 2)}\n`, { mode: 0o600 }))
  return { index: path, documents }
}

/** A file appears under its name when it is complete. */
async function writeWhole(path: string, write: (partial: string) => Promise<void>): Promise<void> {
  const { partial } = workingPaths(path, undefined)
  try {
    await mkdir(dirname(path), { recursive: true })
    await write(partial)
    await rename(partial, path)
  } catch (cause) {
    await rm(partial, { force: true })
    if (cause instanceof UnderstudyError) throw cause
    const detail = cause instanceof Error ? cause.message : String(cause)
    throw new UnderstudyError('ARCHIVE_WRITE_FAILED', `cannot write ${path}`, { detail, cause })
  }
}

async function* hashed(chunks: AsyncIterable<Buffer>, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
}
