import { createHash } from 'node:crypto'
import { UnderstudyError } from '../errors.js'
import type { FileEntry } from './archive-index.js'
import { DOCUMENT_TAIL, documentHead } from './document.js'
import { RecordScanner } from './record-scanner.js'
import { StagingSink } from './record-sinks.js'

export interface StagingOptions {
  readonly maxRecordBytes?: number | undefined
  /** For a relation whose rows have an identity: equal lines, which stand side by side in an archive, are refused. */
  readonly refusesRepeats?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Makes staging lines of a document: for each record `<n>\x02<master_id>\x02<canonical line>\n`, n from 1, in chunks of about 256 KiB.
 * At the end it holds everything against the index.
 *
 * @throws UnderstudyError `ARCHIVE_LINE_INVALID`, `ARCHIVE_TOO_LARGE`, `ARCHIVE_DAMAGED`
 */
export async function* stagingLines(
  entry: FileEntry,
  chunks: AsyncIterable<Buffer>,
  options: StagingOptions,
): AsyncGenerator<Buffer> {
  const label = `${entry.schema}.${entry.relation} (${entry.file})`
  const scanner = new RecordScanner(new StagingSink(), {
    label,
    separatedRecords: entry.records,
    maxRecordBytes: options.maxRecordBytes,
    refusesRepeats: options.refusesRepeats,
  })
  const document = new DocumentParts(entry)
  for await (const chunk of chunks) {
    options.signal?.throwIfAborted()
    for (const made of scanner.push(document.take(chunk))) if (made.length > 0) yield made
  }
  const end = scanner.end()
  let step = end.next()
  for (; !step.done; step = end.next()) if (step.value.length > 0) yield step.value
  const found = { records: scanner.records, content_sha256: step.value, ...document.finish() }
  refuseDifferences(entry, found)
}

/** Takes head and tail, which follow from the index, off a document, and hashes the whole. */
class DocumentParts {
  readonly #entry: FileEntry
  readonly #head: Buffer
  readonly #bodyEnd: number
  readonly #hash = createHash('sha256')
  #at = 0

  constructor(entry: FileEntry) {
    this.#entry = entry
    this.#head = documentHead(entry)
    this.#bodyEnd = entry.bytes - DOCUMENT_TAIL.length
    if (this.#bodyEnd < this.#head.length) throw differs(entry, 'it is too short to be its document')
  }

  /** Returns the part of the chunk that belongs to the records. */
  take(chunk: Buffer): Buffer {
    this.#hash.update(chunk)
    const from = this.#at
    this.#at += chunk.length
    this.#demand(chunk, from, { part: this.#head, at: 0, name: 'first line' })
    this.#demand(chunk, from, { part: DOCUMENT_TAIL, at: this.#bodyEnd, name: 'last line' })
    return chunk.subarray(clamp(this.#head.length - from, chunk.length), clamp(this.#bodyEnd - from, chunk.length))
  }

  finish(): { bytes: number; sha256: string } {
    return { bytes: this.#at, sha256: this.#hash.digest('hex') }
  }

  /** Compares what the chunk, beginning at `from`, holds of a part that stands at `at`. */
  #demand(
    chunk: Buffer,
    from: number,
    part: { readonly part: Buffer; readonly at: number; readonly name: string },
  ): void {
    const start = Math.max(from, part.at)
    const end = Math.min(from + chunk.length, part.at + part.part.length)
    if (start >= end) return
    const isEqual = chunk.subarray(start - from, end - from).equals(part.part.subarray(start - part.at, end - part.at))
    if (!isEqual) throw differs(this.#entry, `its ${part.name} is not what the index announces`)
  }
}

type Checked = Pick<FileEntry, 'records' | 'bytes' | 'sha256' | 'content_sha256'>

function refuseDifferences(entry: FileEntry, found: Checked): void {
  const fields = ['records', 'bytes', 'sha256', 'content_sha256'] as const
  const differences = fields
    .filter((field) => found[field] !== entry[field])
    .map((field) => `${field}: ${entry[field]} in the index, ${found[field]} found`)
  if (differences.length > 0) throw differs(entry, differences.join('\n'))
}

function differs(entry: FileEntry, detail: string): UnderstudyError {
  return new UnderstudyError(
    'ARCHIVE_DAMAGED',
    `${entry.file} (${entry.schema}.${entry.relation}) differs from the archive's index`,
    {
      detail,
      hint: 'Take another copy of the archive; nothing of it should be used.',
    },
  )
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(value, 0), max)
}
