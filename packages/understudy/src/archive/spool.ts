import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat, writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip, type Gzip, gunzipSync, gzipSync } from 'node:zlib'
import type { MarkedLines } from '../marked-lines.js'
import type { RelationName } from '../model/model.js'
import type { FileEntry } from './archive-index.js'
import { DOCUMENT_TAIL, documentBytes, documentHead } from './document.js'
import { fileNameOf } from './file-names.js'
import { BLOCK_BYTES, STREAM_BUFFERS } from './limits.js'
import { RecordScanner } from './record-scanner.js'
import { DocumentSink, SHORTEST_PIECE } from './record-sinks.js'
import { tarHeader, tarPadding } from './tar-header.js'

/** The most that zlib can use, 128 KB more than by default: a twentieth less time, the same size. */
const MEMORY_LEVEL = 9
/** Room for what becomes of most pieces, so that zlib's thread needs nobody before it is done with one. */
const COMPRESSED_BYTES = 2 * BLOCK_BYTES
/** What a relation may become and need no file: of a thousand relations most are small, and a stream and a file take 2 ms. */
const MOST_KEPT_BYTES = 16 * 1024
const NOTHING = Buffer.alloc(0)
/** Ours alone, and new. */
const NEW_FILE = { flag: 'wx', mode: 0o600 } as const

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
  /** The gzip member of the records, or the file that holds it. */
  readonly body: Buffer | string
  /** The gzip member of document tail and tar padding. */
  readonly back: Buffer
}

/**
 * Compresses a relation's lines, into a file where they are not few: a tar header needs the size first.
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
  const member = await compress(body, lines, options)
  const { records } = body
  const head = documentHead({ ...facts, records })
  const hash = records === options.expectedRecords ? body.fileHash : await hashAgain(head, member)
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
    compressed_bytes: front.length + (await bytesOf(member)) + back.length,
  }
  return { entry, front, body: member, back }
}

/** What is awaited, unless the signal aborts first. */
async function orAborted<T>(awaited: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop)
  })
  try {
    return await Promise.race([awaited, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

async function bytesOf(member: Buffer | string): Promise<number> {
  return typeof member === 'string' ? (await stat(member)).size : member.length
}

/** The gzip member of the body, or the file that it is written to. */
async function compress(
  body: DocumentBody,
  lines: AsyncIterable<Uint8Array | MarkedLines>,
  { path, compressionLevel, signal }: SpoolOptions,
): Promise<Buffer | string> {
  const pieces = body.pieces(lines)
  const first = await orAborted(pieces.next(), signal)
    .then(({ value }) => value)
    .catch((error: unknown) => {
      // Whoever makes the lines is told as soon as it gives the next ones.
      pieces.return(undefined).catch(() => undefined)
      throw error
    })
  const zlib = { level: compressionLevel, memLevel: MEMORY_LEVEL }
  if (first === undefined || first.length < SHORTEST_PIECE) {
    const member = gzipSync(first ?? NOTHING, zlib)
    if (member.length <= MOST_KEPT_BYTES) return member
    await writeFile(path, member, { ...NEW_FILE, signal })
    return path
  }
  const gzipped = createGzip({ ...zlib, chunkSize: COMPRESSED_BYTES })
  const file = createWriteStream(path, {
    flags: NEW_FILE.flag,
    mode: NEW_FILE.mode,
    highWaterMark: STREAM_BUFFERS.highWaterMark,
  })
  const written = pipeline(gzipped, file, { signal })
  try {
    await Promise.all([written, compressInto(gzipped, body, first, pieces)])
  } catch (error) {
    gzipped.destroy()
    throw error
  }
  return path
}

/** Compresses the body's pieces: while zlib, on a thread of its own, works on one, the next is made. */
async function compressInto(
  gzipped: Gzip,
  body: DocumentBody,
  first: Buffer,
  others: AsyncIterable<Buffer>,
): Promise<void> {
  const compress = (piece: Buffer) => {
    const compressed = new Promise<void>((resolve, reject) => {
      gzipped.write(piece, (error) => {
        if (error) return reject(error)
        body.reuse(piece)
        resolve()
      })
    })
    // Where something else fails first, nobody waits for it.
    compressed.catch(() => undefined)
    return compressed
  }
  let previous = compress(first)
  for await (const piece of others) {
    await previous
    previous = compress(piece)
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

  /** In pieces, of which all but the last have `SHORTEST_PIECE` bytes at the least. */
  async *pieces(lines: AsyncIterable<Uint8Array | MarkedLines>): AsyncGenerator<Buffer, undefined> {
    for await (const chunk of lines) {
      const taken = chunk instanceof Uint8Array ? this.#scanner.push(chunk) : this.#scanner.pushMarked(chunk)
      for (const made of taken) yield* this.#count(made)
    }
    const end = this.#scanner.end()
    for (let step = end.next(); ; step = end.next()) {
      if (step.done) {
        this.contentSha256 = step.value
        break
      }
      yield* this.#count(step.value)
    }
    yield* this.#count(this.#sink.finish())
  }

  reuse(piece: Buffer): void {
    this.#sink.reuse(piece)
  }

  *#count(made: Buffer): Generator<Buffer> {
    this.bytes += made.length
    this.#onProgress?.(this.#scanner.records, this.bytes)
    if (made.length === 0) return
    this.fileHash.update(made)
    yield made
  }
}

/** The number of records stands in front of them, so where it was not known the hash has to begin again. */
async function hashAgain(head: Buffer, member: Buffer | string): Promise<Hash> {
  const hash = createHash('sha256').update(head)
  if (typeof member !== 'string') return hash.update(gunzipSync(member))
  await pipeline(
    createReadStream(member, { highWaterMark: BLOCK_BYTES }),
    createGunzip({ ...STREAM_BUFFERS }),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) hash.update(chunk)
    },
  )
  return hash
}
