import { UnderstudyError } from '../errors.js'
import { LINE_END_BYTES, type MarkedLines } from '../marked-lines.js'
import { CanonicalHash } from './canonical-hash.js'
import { BLOCK_BYTES, MAX_RECORD_BYTES } from './limits.js'
import { masterIdEnd, RECORD_PREFIX } from './master-id.js'
import { Utf8Check } from './utf8-check.js'

const NEWLINE = 0x0a
const QUOTE = 0x22
const COMMA = 0x2c
const OPEN = 0x7b
const CLOSE = 0x7d
const NOTHING = Buffer.alloc(0)
const END_OF_LINE = Buffer.of(NEWLINE)

/** The comma and the brace that may end a line, held back until the newline has come. */
const HELD_BYTES = 2

/** Takes the pieces of the records as they are found. They lie in the scanner's block and are gone after the call. */
export interface RecordSink {
  /** A record begins at `from`; its master_id ends at `valueEnd`, what follows its comma begins at `restFrom`. */
  begin(block: Buffer, from: number, span: { readonly valueEnd: number; readonly restFrom: number }): void
  /** A piece of the canonical line behind its `{`. */
  rest(block: Buffer, from: number, to: number): void
  end(): void
  /** What has been made of the block. */
  take(): Buffer
}

/** One that takes whole records at once too, each with its `,\n`. */
export interface LinesSink extends RecordSink {
  lines(block: Buffer, from: number, to: number): void
}

export interface ScannerOptions {
  /** Whose records these are, for messages: schema and relation, perhaps with the file. */
  readonly label: string
  /** The number of records, where a comma stands behind each but the last; absent for bare lines. */
  readonly separatedRecords?: number | undefined
  readonly maxRecordBytes?: number | undefined
  /** Whether two equal lines may follow each other. Default: they may. */
  readonly refusesRepeats?: boolean | undefined
}

/**
 * Takes lines of records apart, in constant memory however long a record is, and hashes the canonical lines. One pass over the bytes
 * finds the ends of lines and every control character, four bytes at a time. It makes no string and no object for a line.
 */
export class RecordScanner<Sink extends RecordSink = RecordSink> {
  readonly #sink: Sink
  readonly #label: string
  readonly #separated: number | undefined
  readonly #maxRecordBytes: number
  readonly #refusesRepeats: boolean
  /** Made when it is needed: marked lines do without. */
  #block = NOTHING
  #words = new Int32Array()
  readonly #canonical = new CanonicalHash()
  readonly #utf8 = new Utf8Check()
  #filled = 0
  #isInRest = false
  #recordBytes = 0
  /** The length that a record without columns must have. */
  #bareBytes: number | undefined
  records = 0

  constructor(sink: Sink, options: ScannerOptions) {
    this.#sink = sink
    this.#label = options.label
    this.#separated = options.separatedRecords
    this.#maxRecordBytes = options.maxRecordBytes ?? MAX_RECORD_BYTES
    this.#refusesRepeats = options.refusesRepeats === true
  }

  /** Takes a chunk; gives out what the sink has made whenever a block is full. */
  *push(chunk: Uint8Array): Generator<Buffer> {
    if (chunk.length > 0 && this.#block.length === 0) this.#allocate()
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(chunk.length - at, BLOCK_BYTES - this.#filled)
      this.#block.set(at === 0 && taken === chunk.length ? chunk : chunk.subarray(at, at + taken), this.#filled)
      at += taken
      if (!this.#utf8.accepts(this.#block.subarray(this.#filled, this.#filled + taken)))
        throw this.#bad('not valid UTF-8')
      this.#filled += taken
      if (this.#filled === BLOCK_BYTES) yield this.#scanBlock()
    }
  }

  #allocate(): void {
    this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
    this.#words = new Int32Array(this.#block.buffer)
  }

  /** As `push`, and changes the chunk: lines of which the maker has marked where they end are not searched. */
  *pushMarked(this: RecordScanner<LinesSink>, { bytes, marks, isRaw }: MarkedLines): Generator<Buffer> {
    const [from] = marks
    const to = marks.at(-1)
    if (from === undefined || to === undefined) return yield* this.push(bytes)
    if (from > 0) yield* this.#pushEnd(bytes.subarray(0, from))
    if (this.#filled > 0) yield this.#scanBlock()
    if (this.#filled > 0 || this.#isInRest) throw this.#bad('the line is not ended')
    if (!isRaw && to > from) {
      if (!this.#utf8.accepts(bytes.subarray(from, to))) throw this.#bad('not valid UTF-8')
      this.#sink.lines(bytes, from, to)
      this.#hashMarked(bytes, marks)
      yield this.#sink.take()
    }
    if (isRaw)
      for (let mark = 2; mark < marks.length; mark += 2)
        yield* this.#pushEnd(bytes.subarray(marks[mark - 2], marks[mark]))
    yield* this.push(bytes.subarray(to))
  }

  /** What ends with the end of a marked line: as `push` takes it. */
  *#pushEnd(bytes: Buffer): Generator<Buffer> {
    yield* this.push(bytes.subarray(0, -LINE_END_BYTES))
    yield* this.push(END_OF_LINE)
  }

  /** Their canonical lines are moved together in place, and hashed at once. */
  #hashMarked(bytes: Buffer, marks: Int32Array): void {
    const from = marks[0] as number
    let used = from
    for (let mark = 1; mark < marks.length; mark += 2) {
      const valueEnd = marks[mark] as number
      const restFrom = bytes[valueEnd] === COMMA ? valueEnd + 1 : valueEnd
      const restTo = (marks[mark + 1] as number) - LINE_END_BYTES
      bytes[used] = OPEN
      bytes.copyWithin(used + 1, restFrom, restTo)
      used += 1 + restTo - restFrom
      bytes[used++] = NEWLINE
    }
    this.records += (marks.length - 1) / 2
    this.#canonical.lines(bytes.subarray(from, used))
  }

  /** The last of it. Returns the SHA-256 of the canonical lines. */
  *end(): Generator<Buffer, string> {
    if (this.#filled > 0) yield this.#scanBlock()
    if (this.#filled > 0 || this.#isInRest) throw this.#bad('the line is not ended')
    if (!this.#utf8.isComplete()) throw this.#bad('not valid UTF-8')
    return this.#canonical.digest()
  }

  #scanBlock(): Buffer {
    const done = this.#scan()
    if (done === 0 && this.#filled === BLOCK_BYTES)
      throw this.#tooLong(`its master_id is longer than ${BLOCK_BYTES} bytes`)
    this.#block.copyWithin(0, done, this.#filled)
    this.#filled -= done
    return this.#sink.take()
  }

  /** Returns how many bytes are done with; the rest waits for more. */
  #scan(): number {
    const block = this.#block
    const filled = this.#filled
    for (let at = 0; ; ) {
      if (!this.#isInRest) {
        const restFrom = this.#begin(at)
        if (restFrom < 0) return at
        at = restFrom
      }
      const end = nextControl(block, this.#words, { from: at, to: filled })
      if (end === filled) {
        const held = Math.max(at, filled - HELD_BYTES)
        this.#piece(at, held)
        return held
      }
      if (block[end] !== NEWLINE) throw this.#bad(`control character 0x${block.toString('hex', end, end + 1)}`)
      this.#piece(at, this.#contentEnd(at, end))
      this.#endRecord()
      at = end + 1
    }
  }

  /** Reads a record's beginning. Returns where the rest of its line begins, or -1 where more bytes are needed. */
  #begin(at: number): number {
    const block = this.#block
    if (at === this.#filled) return -1
    const valueEnd = masterIdEnd(block, at, this.#filled)
    if (valueEnd === -2) throw this.#bad(`it does not begin with ${RECORD_PREFIX} and a JSON value`)
    // Two bytes more tell whether the record has columns.
    if (valueEnd === -1 || valueEnd + 1 >= this.#filled) return -1
    const hasColumns = block[valueEnd] === COMMA && block[valueEnd + 1] === QUOTE
    if (!hasColumns && block[valueEnd] !== CLOSE) throw this.#bad('no column follows its master_id')
    const restFrom = hasColumns ? valueEnd + 1 : valueEnd
    this.#isInRest = true
    this.#recordBytes = restFrom - at
    this.#bareBytes = hasColumns ? undefined : this.#recordBytes + 1
    this.#sink.begin(block, at, { valueEnd, restFrom })
    this.#canonical.begin()
    return restFrom
  }

  #piece(from: number, to: number): void {
    if (from >= to) return
    this.#recordBytes += to - from
    if (this.#recordBytes > this.#maxRecordBytes) throw this.#tooLong(`longer than ${this.#maxRecordBytes} bytes`)
    this.#sink.rest(this.#block, from, to)
    this.#canonical.rest(this.#block, from, to)
  }

  /** Where the record ends in front of the newline at `end`, its separating comma left out. */
  #contentEnd(from: number, end: number): number {
    const isSeparated = this.#separated !== undefined && this.records + 1 < this.#separated
    const contentEnd = isSeparated ? end - 1 : end
    if (
      contentEnd <= from ||
      this.#block[contentEnd - 1] !== CLOSE ||
      (isSeparated && this.#block[end - 1] !== COMMA)
    ) {
      throw this.#bad(
        isSeparated ? 'it does not end with "}," although more records are announced' : 'it does not end with "}"',
      )
    }
    return contentEnd
  }

  #endRecord(): void {
    if (this.#bareBytes !== undefined && this.#recordBytes !== this.#bareBytes)
      throw this.#bad('it goes on behind its "}"')
    this.#sink.end()
    const isRepeat = this.#canonical.end()
    if (isRepeat && this.#refusesRepeats) throw this.#bad('it repeats the one before it')
    this.#isInRest = false
    this.records++
  }

  #bad(what: string): UnderstudyError {
    return new UnderstudyError(
      'ARCHIVE_LINE_INVALID',
      `record ${this.records + 1} of ${this.#label} is not a valid line: ${what}`,
    )
  }

  #tooLong(what: string): UnderstudyError {
    return new UnderstudyError(
      'ARCHIVE_TOO_LARGE',
      `record ${this.records + 1} of ${this.#label} is too long: ${what}`,
      {
        hint: 'PostgreSQL holds a record as one value while it is imported. Keep values of this size outside the database, or leave the column out.',
      },
    )
  }
}

/**
 * Where the next byte below 0x20 stands, or `to`. Four bytes at a time: `(x - 0x20202020) & ~x & 0x80808080` is not zero exactly
 * where one of them is smaller (Anderson, Bit Twiddling Hacks, "Determine if a word has a byte less than n").
 */
function nextControl(block: Buffer, words: Int32Array, range: { readonly from: number; readonly to: number }): number {
  const { from, to } = range
  let at = from
  for (; at < to && (at & 3) !== 0; at++) if ((block[at] as number) < 0x20) return at
  let word = at >> 2
  const lastWord = to >> 2
  for (; word < lastWord; word++) {
    const x = words[word] as number
    if (((x - 0x20202020) & ~x & 0x80808080) !== 0) break
  }
  for (at = Math.max(at, word << 2); at < to; at++) if ((block[at] as number) < 0x20) return at
  return to
}
