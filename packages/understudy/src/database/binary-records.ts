import { MESSAGE_HEADER_BYTES, newMessage, sealed } from './copy-message.js'

const NEWLINE = 0x0a
const ZERO = 0x30
/** Stands between the columns of a record's line. */
const SEPARATOR = 0x02

/** Manual, "COPY", "Binary Format": signature, flags, length of an extension; then rows; then a row of -1 columns. */
export const BINARY_BEGIN = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
export const BINARY_END = Buffer.from([0xff, 0xff])

const COLUMNS = 3
const BIGINT_BYTES = 8
const NULL_LENGTH = -1
/** Of a row, all but the two texts: a number of columns, three lengths, a bigint. */
const ROW_BYTES = 2 + 3 * 4 + BIGINT_BYTES
/** A text's length stands in front of it, so a line is put together here first; a longer one goes as it comes. */
const MOST_LINE_BYTES = 1024 * 1024

const FEW_BYTES = 32

/** A message for the server, and the format of `COPY` that it is in. */
export interface RecordMessage {
  readonly format: 'binary' | 'lines'
  readonly message: Uint8Array
}

/**
 * Turns lines `<n>\x02<master>\x02<line>\n` into rows of a bigint and two texts in the binary format of `COPY`, which the server need not search for
 * separators: 400,000 lines of 640 bytes take it 0.6 s in place of 1.45. An empty text is null. Lines over a megabyte are passed on.
 */
export class BinaryRecords {
  #message = newMessage()
  #view = viewOf(this.#message)
  #used = MESSAGE_HEADER_BYTES
  /** What has come of a line that has not ended. */
  #begun: Buffer[] = []
  #begunBytes = 0
  /** A long line is passed on, up to its end. */
  #isPassing = false
  #made: RecordMessage[] = []

  /** Takes a chunk, which may break anywhere, and returns the messages that are full. */
  push(chunk: Uint8Array): readonly RecordMessage[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(NEWLINE, at)
      const to = end < 0 ? bytes.length : end + 1
      if (this.#isPassing) this.#pass(bytes.subarray(at, to), end >= 0)
      else if (end < 0) this.#begin(bytes.subarray(at))
      else if (this.#begunBytes > 0) this.#complete(bytes.subarray(at, end))
      else this.#row(bytes, at, end)
      at = to
    }
    return this.#take()
  }

  /** The rest of it. */
  end(): readonly RecordMessage[] {
    if (this.#begunBytes > 0) this.#complete(Buffer.alloc(0))
    this.#seal()
    return this.#take()
  }

  #take(): readonly RecordMessage[] {
    const made = this.#made
    this.#made = []
    return made
  }

  #begin(bytes: Buffer): void {
    // Copied: the source may use its buffer again.
    this.#begun.push(Buffer.from(bytes))
    this.#begunBytes += bytes.length
    if (this.#begunBytes <= MOST_LINE_BYTES) return
    const begun = Buffer.concat(this.#begun)
    this.#forget()
    this.#isPassing = true
    this.#pass(begun, false)
  }

  #complete(end: Buffer): void {
    const line = Buffer.concat([...this.#begun, end])
    this.#forget()
    this.#row(line, 0, line.length)
  }

  #forget(): void {
    this.#begun = []
    this.#begunBytes = 0
  }

  #pass(bytes: Buffer, isEnded: boolean): void {
    this.#seal()
    this.#put(bytes, 0, bytes.length, 'lines')
    this.#seal('lines')
    this.#isPassing = !isEnded
  }

  #row(bytes: Buffer, from: number, to: number): void {
    let number = 0
    let at = from
    for (; at < to && bytes[at] !== SEPARATOR; at++) number = 10 * number + ((bytes[at] as number) - ZERO)
    const masterFrom = at + 1
    for (at = masterFrom; at < to && bytes[at] !== SEPARATOR; at++);
    this.#reserve(ROW_BYTES)
    this.#view.setInt16(this.#used, COLUMNS)
    this.#view.setInt32(this.#used + 2, BIGINT_BYTES)
    this.#view.setUint32(this.#used + 6, Math.floor(number / 2 ** 32))
    this.#view.setUint32(this.#used + 10, number >>> 0)
    this.#used += 2 + 4 + BIGINT_BYTES
    this.#text(bytes, masterFrom, at)
    this.#text(bytes, at + 1, to)
  }

  #text(bytes: Buffer, from: number, to: number): void {
    this.#reserve(4)
    this.#view.setInt32(this.#used, from < to ? to - from : NULL_LENGTH)
    this.#used += 4
    this.#put(bytes, from, to)
  }

  #put(bytes: Buffer, from: number, to: number, format: RecordMessage['format'] = 'binary'): void {
    // For a few bytes a loop is quicker than a call.
    if (to - from <= FEW_BYTES && this.#message.length - this.#used >= FEW_BYTES) {
      for (let at = from; at < to; at++) this.#message[this.#used++] = bytes[at] as number
      return
    }
    for (let at = from; at < to; ) {
      if (this.#used === this.#message.length) this.#seal(format)
      const copied = bytes.copy(this.#message, this.#used, at, to)
      this.#used += copied
      at += copied
    }
  }

  #reserve(bytes: number): void {
    if (this.#message.length - this.#used < bytes) this.#seal()
  }

  #seal(format: RecordMessage['format'] = 'binary'): void {
    if (this.#used === MESSAGE_HEADER_BYTES) return
    this.#made.push({ format, message: sealed(this.#message, this.#used) })
    this.#message = newMessage()
    this.#view = viewOf(this.#message)
    this.#used = MESSAGE_HEADER_BYTES
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}
