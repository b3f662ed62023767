import { BLOCK_BYTES } from './limits.js'
import { RECORD_PREFIX } from './master-id.js'
import type { RecordSink } from './record-scanner.js'

const NEWLINE = 0x0a
const COMMA = 0x2c
const OPEN = 0x7b
const SEPARATOR = 0x02

/** Room beside a block's own bytes. A line grows by one comma at most in a document, and shrinks on its way to staging. */
const SHORTEST_LINE = RECORD_PREFIX.length + 3
const OUT_BYTES = BLOCK_BYTES + Math.ceil(BLOCK_BYTES / SHORTEST_LINE) * 2

/** Makes the records of a document: a comma behind each line but the last. */
export class DocumentSink implements RecordSink {
  readonly #out = new OutBuffer()
  #isFirst = true

  begin(block: Buffer, from: number, { restFrom }: { readonly restFrom: number }): void {
    if (!this.#isFirst) this.#out.byte(COMMA)
    if (!this.#isFirst) this.#out.byte(NEWLINE)
    this.#isFirst = false
    this.#out.short(block, from, restFrom)
  }

  rest(block: Buffer, from: number, to: number): void {
    this.#out.bytes(block, from, to)
  }

  end(): void {}

  take(): Buffer {
    return this.#out.take()
  }

  /** What ends the last line. */
  finish(): Buffer {
    if (!this.#isFirst) this.#out.byte(NEWLINE)
    return this.#out.take()
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

/** Bytes on their way out. What was taken is never written to again: the consumer may hold it as long as it likes. */
class OutBuffer {
  #buffer = Buffer.allocUnsafeSlow(OUT_BYTES)
  #used = 0

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

  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#used)
    if (this.#used > 0) this.#buffer = Buffer.allocUnsafeSlow(OUT_BYTES)
    this.#used = 0
    return taken
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
