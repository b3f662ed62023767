import { LINE_END_BYTES } from '../marked-lines.js'
import { BLOCK_BYTES } from './limits.js'
import { RECORD_PREFIX } from './master-id.js'
import type { LinesSink, RecordSink } from './record-scanner.js'

const NEWLINE = 0x0a
const COMMA = 0x2c
const OPEN = 0x7b
const SEPARATOR = 0x02

/** Room beside a block's own bytes. A line grows by one comma at most in a document, and shrinks on its way to staging. */
const SHORTEST_LINE = RECORD_PREFIX.length + 3
/** What zlib gets at once when a document is written. With pieces of a megabyte the threads wait for each other a twelfth of the time more. */
const PIECE_BYTES = 16 * BLOCK_BYTES
/** The first pieces of a document, and all of it where it is shorter. */
export const SHORTEST_PIECE = BLOCK_BYTES
const NOTHING = Buffer.alloc(0)
const OUT_BYTES = BLOCK_BYTES + Math.ceil(BLOCK_BYTES / SHORTEST_LINE) * 2

/** Makes the records of a document, a comma behind each line but the last, in pieces that grow to four megabytes. */
export class DocumentSink implements LinesSink {
  readonly #out = new OutBuffer(PIECE_BYTES)
  #isFirst = true

  begin(block: Buffer, from: number, { restFrom }: { readonly restFrom: number }): void {
    this.#separate()
    this.#out.short(block, from, restFrom)
  }

  rest(block: Buffer, from: number, to: number): void {
    this.#out.bytes(block, from, to)
  }

  end(): void {}

  /** All but the end of the last one: what follows tells whether it has its comma. */
  lines(block: Buffer, from: number, to: number): void {
    this.#separate()
    this.#out.bytes(block, from, to - LINE_END_BYTES)
  }

  take(): Buffer {
    return this.#out.take()
  }

  #separate(): void {
    if (!this.#isFirst) this.#out.byte(COMMA)
    if (!this.#isFirst) this.#out.byte(NEWLINE)
    this.#isFirst = false
  }

  /** The last piece, with what ends the last line. */
  finish(): Buffer {
    if (!this.#isFirst) this.#out.byte(NEWLINE)
    return this.#out.takeLast()
  }

  /** Gives back a piece that is no longer needed, to be filled again. */
  reuse(piece: Buffer): void {
    this.#out.reuse(piece)
  }
}

/** Makes lines for staging: number, master_id and canonical line, separated by 0x02. */
export class StagingSink implements RecordSink {
  readonly #out = new OutBuffer()
  readonly #number = new DecimalCounter()

  begin(block: Buffer, from: number, { valueEnd }: { readonly valueEnd: number }): void {
    this.#number.increment()
    this.#out.short(this.#number.digits, this.#number.from, this.#number.digits.length)
    this.#out.byte(SEPARATOR)
    this.#out.short(block, from + RECORD_PREFIX.length, valueEnd)
    this.#out.byte(SEPARATOR)
    this.#out.byte(OPEN)
  }

  rest(block: Buffer, from: number, to: number): void {
    this.#out.bytes(block, from, to)
  }

  end(): void {
    this.#out.byte(NEWLINE)
  }

  take(): Buffer {
    return this.#out.take()
  }
}

/** Bytes on their way out. What was taken is not written to again until it is given back: the consumer may hold it as long as it likes. */
class OutBuffer {
  readonly #largest: number
  /** What is gathered before it is given out: it begins small, since most relations are, and doubles. */
  #pieceBytes: number
  #free: Buffer[] = []
  #buffer: Buffer
  #used = 0

  /** Gives out pieces of at least so many bytes, but for the first ones. */
  constructor(pieceBytes = 1) {
    this.#largest = pieceBytes
    this.#pieceBytes = Math.min(pieceBytes, SHORTEST_PIECE)
    this.#buffer = this.#allocate()
  }

  byte(byte: number): void {
    this.#buffer[this.#used++] = byte
  }

  bytes(source: Buffer, from: number, to: number): void {
    this.#used += source.copy(this.#buffer, this.#used, from, to)
  }

  /** As `bytes`, in a loop: for the few bytes of an id, quicker than the call. */
  short(source: Buffer, from: number, to: number): void {
    if (to - from > 64) this.bytes(source, from, to)
    else for (let at = from; at < to; at++) this.#buffer[this.#used++] = source[at] as number
  }

  /** Nothing as long as it is less than a piece. */
  take(): Buffer {
    if (this.#used < this.#pieceBytes) return NOTHING
    const taken = this.takeLast()
    this.#grow()
    this.#buffer = this.#free.pop() ?? this.#allocate()
    this.#used = 0
    return taken
  }

  /** The rest, where nothing comes behind it. */
  takeLast(): Buffer {
    return this.#buffer.subarray(0, this.#used)
  }

  reuse(taken: Buffer): void {
    const whole = Buffer.from(taken.buffer)
    if (whole.length === this.#capacity) this.#free.push(whole)
  }

  get #capacity(): number {
    return this.#pieceBytes + OUT_BYTES
  }

  #grow(): void {
    if (this.#pieceBytes === this.#largest) return
    this.#pieceBytes = Math.min(2 * this.#pieceBytes, this.#largest)
    this.#free = []
  }

  #allocate(): Buffer {
    return Buffer.allocUnsafeSlow(this.#capacity)
  }
}

/** Counts in decimal digits, so that no line needs a string of its own. */
class DecimalCounter {
  readonly digits = Buffer.alloc(16, 0x30)
  from = 15

  increment(): void {
    let at = this.digits.length - 1
    while (this.digits[at] === 0x39) this.digits[at--] = 0x30
    this.digits[at] = (this.digits[at] as number) + 1
    if (at < this.from) this.from = at
  }
}
