import type { MarkedLines } from '../marked-lines.js'
import type { Rendering } from './rendered-types.js'
import { FORMAT_BYTES, NO_VALUE, NULL, ValueRenderer } from './value-renderer.js'
import { LONGEST_ESCAPE, WORD_BYTES } from './value-writer.js'
import { Words } from './words.js'

const QUOTE = 0x22
const END_OF_LINE = new Words('},\n')

/** The signature, flags, and the length of an extension (manual, "COPY", "Binary Format"). */
const FILE_HEADER_BYTES = 19
const COUNT_BYTES = 2
const LENGTH_BYTES = 4
/** In place of a row's number of columns. */
const END_OF_ROWS = -1
const NO_COLUMN = -1

/** Small, so that rows stay in the processor's own memory from the socket to the archive: with 256 KB that thread took a fifteenth more of its time. */
const IN_BYTES = 64 * 1024
/** As soon as so much is there, it is given out. */
const OUT_BYTES = 64 * 1024
/** A value of at most so many bytes is rendered when all of it is there. */
const SHORT_BYTES = 2 * 1024
/** `{"a":1},` and its end. */
const SHORTEST_LINE = 9
/** Room for quotes and the end of a line, beside the column's name. */
const SPARE_BYTES = 64

export interface RenderedColumn extends Rendering {
  readonly name: string
}

/**
 * Turns rows in the binary format of `COPY` into lines, each the JSON object that `row_to_json` makes of its row, to the byte, and `,\n`. In that format the
 * server neither words times nor escapes texts. Memory is constant, however long a text is; an array or an encoded jsonb of more than 2 KB is held as a whole.
 * The rows must come under the pinned settings: texts in UTF-8.
 */
export class RowRenderer {
  readonly #columns: readonly RenderedColumn[]
  readonly #heads: readonly Words[]
  readonly #in = Buffer.allocUnsafeSlow(IN_BYTES + WORD_BYTES)
  readonly #inView = new DataView(this.#in.buffer)
  readonly #out: ValueRenderer
  readonly #marks: Int32Array
  /** How many of the marks there are: none as long as only a line goes on that has begun before. */
  #marked = 1
  #firstValueEnd = 0
  /** How much of the input is there, and how far it is done. */
  #filled = 0
  #at = 0
  #column = NO_COLUMN
  #isBegun = false
  #isEnded = false
  /** A value's beginning is written, its end is still to come. */
  #isInside = false
  /** How much of a long text that is written as it comes. */
  #textBytes = 0
  /** A long value of which all has to be there, and how much is. */
  #gathered: Buffer | undefined
  #gatheredBytes = 0
  /** What is still to be written of a value's JSON. */
  #json: Buffer | undefined

  constructor(columns: readonly RenderedColumn[]) {
    this.#columns = columns
    this.#heads = columns.map(({ name }, index) => new Words(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`))
    const longest = Math.max(
      0,
      ...columns.map(({ lookup }, index) => (this.#heads[index]?.length ?? 0) + (lookup?.longest ?? 0)),
    )
    const capacity = OUT_BYTES + longest + LONGEST_ESCAPE * SHORT_BYTES + SPARE_BYTES
    this.#out = new ValueRenderer(columns, this.#in, capacity)
    this.#marks = new Int32Array(1 + Math.ceil((2 * capacity) / SHORTEST_LINE))
  }

  /** Takes a chunk, which may break anywhere. What it gives out is overwritten when the next piece is asked for. */
  *push(chunk: Uint8Array): Generator<MarkedLines> {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(chunk.length - at, IN_BYTES - this.#filled)
      this.#in.set(chunk.subarray(at, at + taken), this.#filled)
      this.#filled += taken
      at += taken
      if (this.#filled === IN_BYTES) yield* this.#render()
    }
  }

  /** The rest of it. */
  *end(): Generator<MarkedLines> {
    yield* this.#render()
    if (!this.#isEnded) throw new Error('the server ended in the middle of its rows')
  }

  *#render(): Generator<MarkedLines> {
    if (!this.#isBegun) this.#beginFile()
    for (let hasMore = this.#isBegun; hasMore; ) {
      while (hasMore && this.#out.used < OUT_BYTES) hasMore = this.#isInside ? this.#goOn() : this.#next()
      if (this.#out.used > 0) yield this.#made()
      this.#out.used = 0
      this.#out.isRaw = false
      this.#marked = this.#column <= 0 && !this.#isInside ? 1 : 0
      this.#marks[0] = 0
    }
    this.#in.copyWithin(0, this.#at, this.#filled)
    this.#filled -= this.#at
    this.#at = 0
  }

  #made(): MarkedLines {
    const { bytes, used, isRaw } = this.#out
    return { bytes: bytes.subarray(0, used), marks: this.#marks.subarray(0, this.#marked), isRaw }
  }

  #beginFile(): void {
    if (this.#filled < FILE_HEADER_BYTES) return
    this.#at = FILE_HEADER_BYTES + this.#inView.getInt32(FILE_HEADER_BYTES - LENGTH_BYTES)
    this.#isBegun = true
  }

  /** Writes values up to one that is long, as long as there is room and input. False where that takes more input. */
  #next(): boolean {
    const out = this.#out
    while (out.used < OUT_BYTES) {
      if (this.#column === NO_COLUMN && !this.#beginRow()) return false
      const from = this.#at + LENGTH_BYTES
      if (from > this.#filled) return false
      const length = this.#inView.getInt32(this.#at)
      if (length > SHORT_BYTES) return this.#beginLong(length)
      const to = length === NO_VALUE ? from : from + length
      if (to > this.#filled) return false
      this.#at = to
      out.put(this.#heads[this.#column] as Words)
      if (length === NO_VALUE) {
        out.put(NULL)
      } else {
        const json = out.render(this.#column, from, to)
        if (json !== undefined) return this.#beginJson(json)
      }
      this.#endValue()
    }
    return true
  }

  #beginRow(): boolean {
    if (this.#isEnded || this.#at + COUNT_BYTES > this.#filled) return false
    const columns = this.#inView.getInt16(this.#at)
    this.#at += COUNT_BYTES
    if (columns === END_OF_ROWS) this.#isEnded = true
    else this.#column = 0
    return !this.#isEnded
  }

  #beginLong(length: number): boolean {
    // The first byte may be the number of a format.
    if (this.#at + LENGTH_BYTES + FORMAT_BYTES > this.#filled) return false
    this.#at += LENGTH_BYTES
    this.#out.put(this.#heads[this.#column] as Words)
    this.#isInside = true
    if (this.#out.isWhole(this.#column)) {
      this.#gathered = Buffer.allocUnsafeSlow(length)
      this.#gatheredBytes = 0
      return true
    }
    const kind = this.#columns[this.#column]?.kind
    const skipped = kind === 'jsonb' ? FORMAT_BYTES : 0
    this.#at += skipped
    this.#textBytes = length - skipped
    if (kind === 'string') this.#out.byte(QUOTE)
    return true
  }

  #beginJson(json: Buffer): boolean {
    this.#json = json
    this.#isInside = true
    return true
  }

  /** A piece of a value that is long. */
  #goOn(): boolean {
    if (this.#json !== undefined) return this.#giveJson(this.#json)
    if (this.#gathered !== undefined) return this.#gather(this.#gathered)
    const to = Math.min(this.#filled, this.#at + Math.min(this.#textBytes, SHORT_BYTES))
    if (to === this.#at) return false
    const isString = this.#columns[this.#column]?.kind === 'string'
    if (isString) this.#out.string(this.#at, to)
    else this.#out.json(this.#at, to)
    this.#textBytes -= to - this.#at
    this.#at = to
    if (this.#textBytes > 0) return true
    if (isString) this.#out.byte(QUOTE)
    return this.#endLong()
  }

  #gather(value: Buffer): boolean {
    const taken = this.#in.copy(value, this.#gatheredBytes, this.#at, this.#filled)
    this.#at += taken
    this.#gatheredBytes += taken
    if (this.#gatheredBytes < value.length) return taken > 0
    this.#json = this.#out.whole(this.#column, value)
    this.#gathered = undefined
    return true
  }

  #giveJson(json: Buffer): boolean {
    const taken = json.copy(this.#out.bytes, this.#out.used, 0, OUT_BYTES - this.#out.used)
    this.#out.used += taken
    this.#json = json.subarray(taken)
    return taken < json.length || this.#endLong()
  }

  #endLong(): boolean {
    this.#isInside = false
    this.#json = undefined
    this.#endValue()
    return true
  }

  #endValue(): void {
    if (this.#column === 0) this.#firstValueEnd = this.#out.used
    this.#column++
    if (this.#column < this.#heads.length) return
    this.#out.put(END_OF_LINE)
    this.#column = NO_COLUMN
    if (this.#marked > 0) this.#marks[this.#marked++] = this.#firstValueEnd
    this.#marks[this.#marked++] = this.#out.used
  }
}
