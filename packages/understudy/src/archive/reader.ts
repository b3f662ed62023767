import { UnderstudyError } from '../errors.js'
import { relationLabel } from '../model/model.js'
import { type ArchiveFile, damaged, openArchiveFile, tarBytes } from './archive-bytes.js'
import type { ArchiveIndex, FileEntry } from './archive-index.js'
import { documentBytes } from './document.js'
import {
  INDEX_FILE,
  MAX_ENTRY_OVERHEAD_BYTES,
  MAX_GZIP_RATIO,
  MAX_INDEX_BYTES,
  MAX_RECORD_BYTES,
  MAX_SCAN_RATIO,
  MAX_TRAILING_BYTES,
  MIN_SCAN_BYTES,
} from './limits.js'
import { parseArchiveIndex } from './parse-index.js'
import { stagingLines } from './record-reader.js'
import { refused, type TarEntry, tarEntries } from './tar-entries.js'

export interface ReadArchiveOptions {
  readonly signal?: AbortSignal | undefined
}

export interface OpenArchiveOptions extends ReadArchiveOptions {
  /** The `index_sha256` that the archive must have: that of the index a plan was made from. */
  readonly expectedIndexSha256?: string | undefined
  /** 512 MiB by default. */
  readonly maxRecordBytes?: number | undefined
}

/** One relation's document in an open archive. */
export interface OpenedFile {
  readonly entry: FileEntry
  /**
   * The records as lines for staging, `<n>\x02<master_id>\x02<canonical line>\n`. To be read once, before the next file is asked for;
   * the last step throws where the file differs from the index. A file that is passed over is not checked.
   */
  lines(): AsyncIterable<Uint8Array>
  /** The document as it is, in place of `lines`; nothing is checked. */
  document(): AsyncIterable<Buffer>
}

/**
 * Reads an archive's index. Only its beginning is read, unless somebody packed the files again in another order: then it is looked for.
 *
 * @throws UnderstudyError `ARCHIVE_NOT_FOUND`, `ARCHIVE_NOT_RECOGNISED`, `ARCHIVE_DAMAGED`, `ARCHIVE_ENTRY_REFUSED`, `ARCHIVE_TOO_LARGE`,
 * and those of `parseArchiveIndex`
 */
export async function readArchive(path: string, options: ReadArchiveOptions = {}): Promise<ArchiveIndex> {
  const file = await openArchiveFile(path)
  try {
    return await readIndex(file, options)
  } finally {
    await file.handle.close()
  }
}

/**
 * Streams an archive's files in the order in which they stand in it, each once. Ends with an error where one is missing, cut off, unknown,
 * doubled, or of another size than the index says; bytes behind the end are an error too.
 *
 * @throws UnderstudyError as `readArchive`, and `ARCHIVE_LINE_INVALID`
 */
export async function* openArchive(path: string, options: OpenArchiveOptions = {}): AsyncGenerator<OpenedFile> {
  const file = await openArchiveFile(path)
  try {
    const index = await readIndex(file, options)
    if (options.expectedIndexSha256 !== undefined && options.expectedIndexSha256 !== index.index_sha256) {
      throw damaged(file, `it is another archive than before: its index has the checksum ${index.index_sha256}`)
    }
    yield* openFiles(file, index, options)
  } finally {
    await file.handle.close()
  }
}

/**
 * Checks an archive without a database: every entry, size, checksum and line. Returns its index.
 *
 * @throws UnderstudyError as `openArchive`; where several files are bad, the first one's code and all of them in the detail
 */
export async function verifyArchive(path: string, options: OpenArchiveOptions = {}): Promise<ArchiveIndex> {
  const index = await readArchive(path, options)
  const failures: UnderstudyError[] = []
  try {
    for await (const file of openArchive(path, { ...options, expectedIndexSha256: index.index_sha256 })) {
      await drain(file.lines()).catch((error: unknown) => {
        if (!(error instanceof UnderstudyError)) throw error
        failures.push(error)
      })
    }
  } catch (error) {
    if (!(error instanceof UnderstudyError)) throw error
    failures.push(error)
  }
  const [first] = failures
  if (first === undefined) return index
  if (failures.length === 1) throw first
  throw new UnderstudyError(first.code, `${failures.length} faults in the archive ${path}`, {
    detail: failures
      .map(({ message, detail }) => (detail === undefined ? message : `${message}: ${detail}`))
      .join('\n'),
    hint: first.hint,
    cause: first,
  })
}

async function* openFiles(
  file: ArchiveFile,
  index: ArchiveIndex,
  options: OpenArchiveOptions,
): AsyncGenerator<OpenedFile> {
  const awaited = new Map(index.files.map((entry) => [entry.file, entry]))
  refuseLongRecords(index, options.maxRecordBytes ?? MAX_RECORD_BYTES)
  const maxBytes = expectedBytes(file, index)
  const byContent = new Set(index.model.relations.filter((each) => each.identity.kind === 'content').map(relationLabel))
  for await (const found of tarEntries(file.path, tarBytes(file, { maxBytes, signal: options.signal }))) {
    if (found.name === INDEX_FILE) continue
    const entry = awaited.get(found.name)
    if (entry === undefined) throw refused(file.path, found.name, 'is not in the index')
    if (found.bytes !== entry.bytes) {
      throw damaged(file, `${entry.file}: ${entry.bytes} bytes in the index, ${found.bytes} in the archive`)
    }
    awaited.delete(found.name)
    options.signal?.throwIfAborted()
    const refusesRepeats = !byContent.has(relationLabel({ schema: entry.schema, name: entry.relation }))
    yield {
      entry,
      lines: () => stagingLines(entry, found.chunks, { ...options, refusesRepeats }),
      document: () => found.chunks,
    }
  }
  if (awaited.size > 0) throw refused(file.path, [...awaited.keys()].join(', '), 'is missing')
}

/** Where a document is longer than its records can be, one of them is too long, and none need be read to know that. */
function refuseLongRecords(index: ArchiveIndex, maxRecordBytes: number): void {
  const SEPARATOR_BYTES = 2
  const entry = index.files.find(
    (each) => each.bytes > documentBytes(each, each.records * (maxRecordBytes + SEPARATOR_BYTES)),
  )
  if (entry === undefined) return
  throw new UnderstudyError(
    'ARCHIVE_TOO_LARGE',
    `a record of ${entry.schema}.${entry.relation} is longer than ${maxRecordBytes} bytes`,
    {
      detail: `${entry.file}: ${entry.bytes} bytes for ${entry.records} records`,
    },
  )
}

/** The size that the tar may have by its index. Refuses at once what no gzip can hold. */
function expectedBytes(file: ArchiveFile, index: ArchiveIndex): number {
  const content = index.files.reduce((sum, entry) => sum + entry.bytes, 0)
  const possible = file.isGzip ? file.bytes * MAX_GZIP_RATIO : file.bytes
  if (content > possible)
    throw damaged(file, `it is cut off: ${file.bytes} bytes cannot hold the ${content} that its index announces`)
  return content + MAX_INDEX_BYTES + (index.files.length + 2) * MAX_ENTRY_OVERHEAD_BYTES + MAX_TRAILING_BYTES
}

async function readIndex(file: ArchiveFile, options: ReadArchiveOptions): Promise<ArchiveIndex> {
  const maxBytes = Math.max(MIN_SCAN_BYTES, file.bytes * MAX_SCAN_RATIO)
  for await (const entry of tarEntries(file.path, tarBytes(file, { maxBytes, signal: options.signal }))) {
    if (entry.name === INDEX_FILE) return parseArchiveIndex(await readText(file, entry))
  }
  throw new UnderstudyError('ARCHIVE_NOT_RECOGNISED', `the archive ${file.path} holds no ${INDEX_FILE}`, {
    hint: 'Name a file that `understudy export` has written.',
  })
}

async function readText(file: ArchiveFile, entry: TarEntry): Promise<string> {
  if (entry.bytes > MAX_INDEX_BYTES) {
    throw new UnderstudyError(
      'ARCHIVE_TOO_LARGE',
      `${INDEX_FILE} of ${file.path} is longer than ${MAX_INDEX_BYTES} bytes`,
    )
  }
  const chunks: Buffer[] = []
  for await (const chunk of entry.chunks) chunks.push(chunk)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks))
  } catch {
    throw damaged(file, `${INDEX_FILE} is not valid UTF-8`)
  }
}

async function drain(lines: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of lines);
}
