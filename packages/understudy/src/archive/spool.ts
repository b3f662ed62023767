import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip, type Gzip, gzipSync } from 'node:zlib'
import type { MarkedLines } from '../marked-lines.js'
import type { RelationName } from '../model/model.js'
import type { FileEntry } from './archive-index.js'
import { DOCUMENT_TAIL, documentBytes, documentHead } from './document.js'
import { fileNameOf } from './file-names.js'
import { BLOCK_BYTES, STREAM_BUFFERS } from './limits.js'
import { RecordScanner } from './record-scanner.js'
import { DocumentSink } from './record-sinks.js'
import { tarHeader, tarPadding } from './tar-header.js'

/** The most that zlib can use, 128 KB more than by default: a twentieth less time, the same size. */
const MEMORY_LEVEL = 9
/** Room for what becomes of most pieces, so that zlib's thread needs nobody before it is done with one. */
const COMPRESSED_BYTES = 2 * BLOCK_BYTES

export interface RelationFile extends RelationName {
  readonly lateSeedColumns: readonly string[]
  /** For a relation known by its origin: whose rows these may be. */
  readonly instances?: readonly string[] | undefined
}

export interface SpoolOptions {
  readonly path: string
  readonly compressionLevel: number
  readonly signal: AbortSignal
  /** How many records there will be, where that is known. Spares reading the spool again; a wrong number only loses that. */
  readonly expectedRecords?: number | undefined
  readonly onProgress?: ((rows: number, bytes: number) => void) | undefined
}

/** A relation's document, ready to be put into an archive. */
export interface Spooled {
  readonly entry: Omit<FileEntry, 'offset'>
  /** The gzip member of tar header and document head. */
  readonly front: Buffer
  /** The file that holds the gzip member of the records. */
  readonly path: string
  /** The gzip member of document tail and tar padding. */
  readonly back: Buffer
}

/**
 * Compresses a relation's lines into a spool file: a tar header needs the file's size first.
 * Errors of `lines` are thrown as they are; those of the disk come as the file system words them.
 *
 * @throws UnderstudyError `ARCHIVE_LINE_INVALID`, `ARCHIVE_TOO_LARGE`
 */
export async function spoolRelation(
  file: RelationFile,
  lines: AsyncIterable<Uint8Array | MarkedLines>,
  options: SpoolOptions,
): Promise<Spooled> {
  const name = fileNameOf(file)
  const facts = { schema: file.schema, relation: file.name, late_seed_columns: file.lateSeedColumns }
  const body = new DocumentBody(`${file.schema}.${file.name}`, options)
  if (options.expectedRecords !== undefined) {
    body.fileHash.update(documentHead({ ...facts, records: options.expectedRecords }))
  }
  const gzipped = createGzip({ level: options.compressionLevel, memLevel: MEMORY_LEVEL, chunkSize: COMPRESSED_BYTES })
  const written = pipeline(
    gzipped,
    createWriteStream(options.path, { flags: 'wx', mode: 0o600, highWaterMark: STREAM_BUFFERS.highWaterMark }),
    { signal: options.signal },
  )
  try {
    await Promise.all([written, compressInto(gzipped, body, lines)])
  } catch (error) {
    gzipped.destroy()
    throw error
  }
  const { records } = body
  const head = documentHead({ ...facts, records })
  const hash = records === options.expectedRecords ? body.fileHash : await hashSpool(head, options.path)
  const bytes = documentBytes({ ...facts, records }, body.bytes)
  const front = gzipSync(Buffer.concat([tarHeader(name, bytes), head]))
  const back = gzipSync(Buffer.concat([DOCUMENT_TAIL, tarPadding(bytes)]))
  const entry = {
    file: name,
    schema: file.schema,
    relation: file.name,
    records,
    bytes,
    sha256: hash.update(DOCUMENT_TAIL).digest('hex'),
    content_sha256: body.contentSha256,
    late_seed_columns: file.lateSeedColumns,
    ...(file.instances !== undefined && { instances: file.instances }),
    compressed_bytes: front.length + (await stat(options.path)).size + back.length,
  }
  return { entry, front, path: options.path, back }
}

/** Compresses the body's pieces: while zlib, on a thread of its own, works on one, the next is made. */
async function compressInto(
  gzipped: Gzip,
  body: DocumentBody,
  lines: AsyncIterable<Uint8Array | MarkedLines>,
): Promise<void> {
  let previous = Promise.resolve()
  for await (const piece of body.chunks(lines)) {
    if (piece.length === 0) continue
    await previous
    previous = new Promise((resolve, reject) => {
      gzipped.write(piece, (error) => {
        if (error) return reject(error)
        body.reuse(piece)
        resolve()
      })
    })
    // Where something else fails first, nobody waits for it.
    previous.catch(() => undefined)
  }
  await previous
  gzipped.end()
}

/** The records of a document, made from bare lines. */
class DocumentBody {
  readonly fileHash = createHash('sha256')
  bytes = 0
  contentSha256 = ''
  readonly #sink = new DocumentSink()
  readonly #scanner: RecordScanner<DocumentSink>
  readonly #onProgress: SpoolOptions['onProgress']

  constructor(label: string, options: SpoolOptions) {
    this.#scanner = new RecordScanner(this.#sink, { label })
    this.#onProgress = options.onProgress
  }

  get records(): number {
    return this.#scanner.records
  }

  async *chunks(lines: AsyncIterable<Uint8Array | MarkedLines>): AsyncGenerator<Buffer> {
    for await (const chunk of lines) {
      const taken = chunk instanceof Uint8Array ? this.#scanner.push(chunk) : this.#scanner.pushMarked(chunk)
      for (const made of taken) yield this.#count(made)
    }
    const end = this.#scanner.end()
    for (let step = end.next(); ; step = end.next()) {
      if (step.done) {
        this.contentSha256 = step.value
        break
      }
      yield this.#count(step.value)
    }
    yield this.#count(this.#sink.finish())
  }

  reuse(piece: Buffer): void {
    this.#sink.reuse(piece)
  }

  #count(made: Buffer): Buffer {
    this.fileHash.update(made)
    this.bytes += made.length
    this.#onProgress?.(this.#scanner.records, this.bytes)
    return made
  }
}

/** The number of records stands in front of them, so where it was not known the hash has to begin again. */
async function hashSpool(head: Buffer, path: string): Promise<Hash> {
  const hash = createHash('sha256').update(head)
  const gunzip = createGunzip({ ...STREAM_BUFFERS })
  await pipeline(
    createReadStream(path, { highWaterMark: BLOCK_BYTES }),
    gunzip,
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) hash.update(chunk)
    },
  )
  return hash
}
