import { setMaxListeners } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UnderstudyError } from '../errors.js'
import type { MarkedLines } from '../marked-lines.js'
import type { FileEntry, IndexFacts } from './archive-index.js'
import type { FinishedArchive } from './put-together.js'
import { type RelationFile, type Spooled, spoolRelation } from './spool.js'
import { sweepLeftovers, type WorkingPaths, workingPaths } from './working-files.js'

/**
 * 100 MB of JSON lines (hashes, timestamps, prose), zlib's own time on one core: level 1: 24.7 MB at 147 MB/s; 2: 23.7 MB, 150; 3: 22.3 MB,
 * 85; 4: 22.2 MB, 100; 5: 20.6 MB, 67; 6: 19.4 MB, 40. Nothing else in an export is slower than 100 MB/s, so 2.
 */
const DEFAULT_LEVEL = 2

export interface CreateArchiveOptions {
  /** The file to be made. It must not be there yet; its folder is made. */
  readonly path: string
  /** 1 (quick) to 9 (small), 2 by default. */
  readonly compressionLevel?: number | undefined
  /** Where compressed relations wait for the end: beside the archive by default. Needs as much room as the archive. */
  readonly spoolFolder?: string | undefined
}

export interface AddRelationOptions {
  /** Called with every quarter of a megabyte: records and bytes so far. */
  readonly onProgress?: ((rows: number, bytes: number) => void) | undefined
  /** How many records will come, where that is known: spares reading the spool once more for its checksum. */
  readonly expectedRecords?: number | undefined
}

export interface ArchiveWriter {
  /**
   * Takes a relation's lines, one `{"master_id":…}` per `\n`-terminated line in chunks that break anywhere. Several may run side by side.
   * Errors of `lines` are thrown as they are. Where one fails the archive cannot be finished any more: call `abort`.
   *
   * @throws UnderstudyError `ARCHIVE_LINE_INVALID`, `ARCHIVE_TOO_LARGE`, `ARCHIVE_WRITE_FAILED`
   */
  addRelation(
    file: RelationFile,
    lines: AsyncIterable<Uint8Array | MarkedLines>,
    options?: AddRelationOptions,
  ): Promise<Omit<FileEntry, 'offset'>>
  /**
   * Waits for all relations and writes the archive, its files in order of schema and relation. Where it fails, nothing is left.
   *
   * @throws UnderstudyError `ARCHIVE_WRITE_FAILED`, `ARCHIVE_EXISTS`, `ARCHIVE_ENTRY_REFUSED`, `ARCHIVE_INDEX_INVALID`
   */
  finish(facts: IndexFacts): Promise<FinishedArchive>
  /** Stops what is running and removes everything. Harmless after `finish`, and when called twice. */
  abort(): Promise<void>
}

/**
 * Begins an archive. It appears under its name when it is complete and on disk, mode 0600. Leftovers of killed processes in its folder are
 * swept first.
 *
 * @throws UnderstudyError `ARCHIVE_EXISTS`, `ARCHIVE_WRITE_FAILED`
 */
export async function createArchive(options: CreateArchiveOptions): Promise<ArchiveWriter> {
  refuseExisting(options.path)
  const paths = workingPaths(options.path, options.spoolFolder)
  await orWriteFailed(options.path, async () => {
    await mkdir(dirname(options.path), { recursive: true })
    await mkdir(dirname(paths.spool), { recursive: true })
    for (const folder of new Set([dirname(paths.partial), dirname(paths.spool)])) await sweepLeftovers(folder)
    await mkdir(paths.spool, { mode: 0o700 })
  })
  return new SpoolingWriter(options, paths)
}

class SpoolingWriter implements ArchiveWriter {
  readonly #options: CreateArchiveOptions
  readonly #paths: WorkingPaths
  readonly #relations: Promise<Spooled>[] = []
  readonly #stop = new AbortController()
  /** It checks the index as a reader would, which takes 45 ms to load: that is done while the first rows are awaited. */
  #ending: Promise<typeof import('./put-together.js')> | undefined
  #state: 'open' | 'finished' | 'aborted' = 'open'

  constructor(options: CreateArchiveOptions, paths: WorkingPaths) {
    this.#options = options
    this.#paths = paths
    // Every relation listens to it, and there may be hundreds.
    setMaxListeners(0, this.#stop.signal)
  }

  async addRelation(
    file: RelationFile,
    lines: AsyncIterable<Uint8Array | MarkedLines>,
    options: AddRelationOptions = {},
  ) {
    this.#demandOpen()
    this.#ending ??= import('./put-together.js')
    const spooled = this.#spool(file, lines, {
      ...options,
      path: join(this.#paths.spool, `${this.#relations.length}.gz`),
    })
    this.#relations.push(spooled)
    return (await spooled).entry
  }

  async finish(facts: IndexFacts): Promise<FinishedArchive> {
    this.#demandOpen()
    this.#state = 'finished'
    const { path } = this.#options
    try {
      const relations = await Promise.all(this.#relations)
      refuseExisting(path)
      const { putTogether } = await (this.#ending ?? import('./put-together.js'))
      return await orWriteFailed(path, () => putTogether({ path, partial: this.#paths.partial, relations, facts }))
    } finally {
      await this.#clear()
    }
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'aborted'
    await this.#clear()
  }

  async #spool(
    file: RelationFile,
    lines: AsyncIterable<Uint8Array | MarkedLines>,
    options: AddRelationOptions & { readonly path: string },
  ): Promise<Spooled> {
    const source = watched(lines)
    const settings = {
      ...options,
      compressionLevel: this.#options.compressionLevel ?? DEFAULT_LEVEL,
      signal: this.#stop.signal,
    }
    try {
      return await orWriteFailed(this.#options.path, () => spoolRelation(file, source.lines, settings))
    } catch (error) {
      throw source.failure ?? error
    }
  }

  async #clear(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#relations)
    await rm(this.#paths.spool, { recursive: true, force: true })
    await rm(this.#paths.partial, { force: true })
  }

  #demandOpen(): void {
    if (this.#state === 'open') return
    throw new UnderstudyError('ARCHIVE_WRITE_FAILED', `the archive ${this.#options.path} is already ${this.#state}`)
  }
}

/** Lines that remember what their source failed with: a stream would pass it on as if writing had failed. */
function watched(lines: AsyncIterable<Uint8Array | MarkedLines>) {
  const source = { lines: pass(), failure: undefined as unknown }
  async function* pass(): AsyncGenerator<Uint8Array | MarkedLines> {
    const iterator = lines[Symbol.asyncIterator]()
    try {
      for (;;) {
        const step = await iterator.next().catch((error: unknown) => {
          source.failure = error
          throw error
        })
        if (step.done) return
        yield step.value
      }
    } finally {
      if (source.failure === undefined) await iterator.return?.()
    }
  }
  return source
}

function refuseExisting(path: string): void {
  if (!existsSync(path)) return
  throw new UnderstudyError('ARCHIVE_EXISTS', `the file ${path} is there already`, {
    hint: 'Choose another name, or move the file away.',
  })
}

async function orWriteFailed<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof UnderstudyError) throw cause
    throw new UnderstudyError('ARCHIVE_WRITE_FAILED', `cannot write the archive ${path}`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: 'Make room or choose another folder; no unfinished archive was left.',
      cause,
    })
  }
}
