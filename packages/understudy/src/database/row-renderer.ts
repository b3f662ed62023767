import type { MarkedLines } from '../marked-lines.js'
import type { Lookup } from './lookup.js'
import { isNoNumber, KINDS, type Kind } from './rendered-types.js'
import { Words } from './words.js'

const TAB = 0x09
const NEWLINE = 0x0a
const VERTICAL_TAB = 0x0b
const SPACE = 0x20
const QUOTE = 0x22
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const CAPITAL_N = 0x4e
const CAPITAL_T = 0x54
const BACKSLASH = 0x5c
const SMALL_T = 0x74
const SMALL_V = 0x76
const CLOSE = 0x7d

const NULL = new Words('null')
const TRUE = new Words('true')
const FALSE = new Words('false')
const OFFSET = new Words('+00:00')

/** What `COPY` writes behind a backslash, and the byte that it stands for (manual, "COPY", "Text Format"). */
const ESCAPED: Readonly<Record<number, number>> = {
  98 /* b */: 0x08,
  [SMALL_T]: TAB,
  110 /* n */: NEWLINE,
  [SMALL_V]: VERTICAL_TAB,
  102 /* f */: 0x0c,
  114 /* r */: 0x0d,
  [BACKSLASH]: BACKSLASH,
}

/** Which bytes of a value cannot be copied as they are. */
const STRING_STOPS = stopsAt(QUOTE)
const OTHER_STOPS = stopsAt()

function stopsAt(...bytes: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) =>
    Number(byte < SPACE || byte === BACKSLASH || bytes.includes(byte)),
  )
}

/** The length of `2026-11-22 10:00:00`. */
const SECONDS_BYTES = 19

/** Small, so that rows stay in the processor's own memory from the socket to the archive: with 256 KB that thread took a fifteenth more of its time. */
const IN_BYTES = 64 * 1024
/** What is given out is no longer. */
const OUT_BYTES = 64 * 1024
/** `{"a":1},` and its end. */
const SHORTEST_LINE = 9
/** A value is begun when this much of it is there, or the end: all of a time, and enough of the others to tell what they are. */
const AHEAD_BYTES = 64
/** Room for a beginning, an escape and an end, beside the column's name. */
const SPARE_BYTES = 256

export interface RenderedColumn {
  readonly name: string
  readonly typeOid: number
  /** What its values are written as; a value that is not in it, as null. Keys are shorter than `AHEAD_BYTES`. */
  readonly lookup?: Lookup | undefined
}

/**
 * Turns rows in the text format of `COPY` into lines, each the JSON object that `row_to_json` makes of its row, to the byte, and `,\n`. For a row of
 * fourteen columns that takes 0.8 µs, and the server 2.7 µs. Memory is constant, however long a value is. The rows must come under the pinned
 * settings: dates as ISO has them, time zone UTC.
 */
export class RowRenderer {
  readonly #kinds: readonly Kind[]
  readonly #heads: readonly Words[]
  readonly #lookups: readonly (Lookup | undefined)[]
  readonly #in = Buffer.allocUnsafeSlow(IN_BYTES + AHEAD_BYTES)
  readonly #inView = new DataView(this.#in.buffer)
  readonly #out = Buffer.allocUnsafeSlow(OUT_BYTES)
  readonly #outView = new DataView(this.#out.buffer)
  /** As soon as this much is there, it is given out. */
  readonly #outLimit: number
  readonly #marks = new Int32Array(1 + Math.ceil((2 * OUT_BYTES) / SHORTEST_LINE))
  /** How many of the marks there are: none as long as only a line goes on that has begun before. */
  #marked = 1
  #firstValueEnd = 0
  /** A control character was written as it is, which only `json` may hold. */
  #isRaw = false
  /** The part of the input that is there, and may be begun with; how far it is done. */
  #filled = 0
  #to = 0
  #at = 0
  #used = 0
  #column = 0
  /** A value's beginning is written, its end is still to come. */
  #isInside = false
  #isQuoted = false

  /** Whether values of a type are rendered here. Of other types the select must give `to_json`. */
  static knows(typeOid: number): boolean {
    return KINDS.has(typeOid)
  }

  constructor(columns: readonly RenderedColumn[]) {
    this.#kinds = columns.map(({ typeOid, lookup }) => (lookup === undefined ? (KINDS.get(typeOid) ?? 'json') : 'key'))
    this.#lookups = columns.map(({ lookup }) => lookup)
    this.#heads = columns.map(({ name }, index) => new Words(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`))
    const longest = Math.max(0, ...this.#heads.map((head, index) => head.length + (this.#lookups[index]?.longest ?? 0)))
    this.#outLimit = OUT_BYTES - longest - SPARE_BYTES
  }

  /** Takes a chunk, which may break anywhere. What it gives out is overwritten when the next piece is asked for. */
  *push(chunk: Uint8Array): Generator<MarkedLines> {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(chunk.length - at, IN_BYTES - this.#filled)
      this.#in.set(chunk.subarray(at, at + taken), this.#filled)
      this.#filled += taken
      at += taken
      if (this.#filled === IN_BYTES) yield* this.#render(IN_BYTES - AHEAD_BYTES)
    }
  }

  /** The rest of it. */
  *end(): Generator<MarkedLines> {
    // Behind the end nothing of an earlier block may look like more of a value.
    this.#in.fill(NEWLINE, this.#filled, this.#filled + AHEAD_BYTES)
    yield* this.#render(this.#filled)
    if (this.#isInside || this.#column > 0) throw new Error('the server ended in the middle of a row')
  }

  *#render(to: number): Generator<MarkedLines> {
    this.#to = to
    while (this.#at < to) {
      while (this.#at < to && this.#used < this.#outLimit) {
        if (!this.#isInside) this.#begin()
        if (this.#isInside) this.#goOn()
      }
      yield this.#made()
      this.#used = 0
      this.#isRaw = false
      this.#marked = this.#column === 0 && !this.#isInside ? 1 : 0
      this.#marks[0] = 0
    }
    this.#in.copyWithin(0, this.#at, this.#filled)
    this.#filled -= this.#at
    this.#at = 0
  }

  #made(): MarkedLines {
    const bytes = this.#out.subarray(0, this.#used)
    return { bytes, marks: this.#marks.subarray(0, this.#marked), isRaw: this.#isRaw }
  }

  /** The column's name, and all of a value that is short. */
  #begin(): void {
    const bytes = this.#in
    const kind = this.#kinds[this.#column] as Kind
    this.#put(this.#heads[this.#column] as Words)
    const first = bytes[this.#at] as number
    if (first === BACKSLASH && bytes[this.#at + 1] === CAPITAL_N) {
      this.#put(NULL)
      this.#at += 2
    } else if (kind === 'boolean') {
      this.#put(first === SMALL_T ? TRUE : FALSE)
      this.#at++
    } else if (kind === 'timestamp') {
      this.#timestamp()
    } else if (kind === 'key') {
      this.#lookUp(this.#lookups[this.#column] as Lookup)
    } else {
      this.#isInside = true
      this.#isQuoted = kind === 'string' || (kind === 'number' && isNoNumber(first, bytes[this.#at + 1] as number))
      if (this.#isQuoted) this.#byte(QUOTE)
      return
    }
    this.#endValue()
  }

  /** What is there of a value, up to its end or to one byte that cannot be copied. Nearly all time is spent here. */
  #goOn(): void {
    const bytes = this.#in
    const out = this.#out
    const kind = this.#kinds[this.#column]
    const stops = kind === 'string' ? STRING_STOPS : OTHER_STOPS
    const end = Math.min(this.#to, this.#at + this.#outLimit + 1 - this.#used)
    if (kind === 'string') this.#copyWords(end)
    let at = this.#at
    let used = this.#used
    let byte = 0
    for (; at < end; at++) {
      byte = bytes[at] as number
      if (stops[byte] !== 0) break
      out[used++] = byte
    }
    this.#at = at
    this.#used = used
    if (at >= end) return
    if (byte === TAB || byte === NEWLINE) this.#closeValue()
    else if (kind === 'string') this.#escapeInString(byte)
    else this.#unescape(byte)
  }

  /** Copies four bytes at a time as long as none of them stops a string, by the test that `nextControl` of the archive's scanner explains. */
  #copyWords(end: number): void {
    const from = this.#inView
    const to = this.#outView
    let at = this.#at
    let used = this.#used
    for (; at + 4 <= end; at += 4, used += 4) {
      const word = from.getInt32(at, true)
      const quotes = word ^ 0x22222222
      const backslashes = word ^ 0x5c5c5c5c
      const stops =
        ((word - 0x20202020) & ~word) | ((quotes - 0x01010101) & ~quotes) | ((backslashes - 0x01010101) & ~backslashes)
      if ((stops & 0x80808080) !== 0) break
      to.setInt32(used, word, true)
    }
    this.#at = at
    this.#used = used
  }

  #lookUp(lookup: Lookup): void {
    const from = this.#at
    let to = from
    for (let byte = this.#in[to]; byte !== TAB && byte !== NEWLINE; byte = this.#in[++to]);
    this.#at = to
    const end = lookup.write(this.#in, from, to, this.#outView, this.#used)
    if (end < 0) this.#put(NULL)
    else this.#used = end
  }

  #closeValue(): void {
    if (this.#isQuoted) this.#byte(QUOTE)
    this.#isInside = false
    this.#endValue()
  }

  /** At the tab or newline behind a value. */
  #endValue(): void {
    if (this.#column++ === 0) this.#firstValueEnd = this.#used
    if (this.#in[this.#at++] !== NEWLINE) return
    this.#byte(CLOSE)
    this.#byte(COMMA)
    this.#byte(NEWLINE)
    this.#column = 0
    if (this.#marked > 0) this.#marks[this.#marked++] = this.#firstValueEnd
    this.#marks[this.#marked++] = this.#used
  }

  /** JSON has the escapes of `COPY`, but for `\v`; `COPY` escapes no quotes, and only those control characters that have a letter. */
  #escapeInString(byte: number): void {
    const letter = byte === BACKSLASH ? (this.#in[++this.#at] as number) : byte
    this.#at++
    if (letter === SMALL_V || letter < SPACE) {
      this.#control(letter === SMALL_V ? VERTICAL_TAB : letter)
    } else {
      this.#byte(BACKSLASH)
      this.#byte(letter)
    }
  }

  #control(byte: number): void {
    this.#used += this.#out.write(`\\u${byte.toString(16).padStart(4, '0')}`, this.#used, 'latin1')
  }

  #unescape(byte: number): void {
    const letter = byte === BACKSLASH ? (this.#in[++this.#at] as number) : byte
    this.#at++
    const meant = byte === BACKSLASH ? (ESCAPED[letter] ?? letter) : byte
    if (meant < SPACE) this.#isRaw = true
    this.#byte(meant)
  }

  /** `2026-11-22 10:00:00+00 BC` is `"2026-11-22T10:00:00+00:00 BC"` in JSON. In UTC no other offset can stand there. */
  #timestamp(): void {
    const bytes = this.#in
    this.#byte(QUOTE)
    let isDate = !this.#plainTimestamp()
    for (let byte = bytes[this.#at] as number; byte !== TAB && byte !== NEWLINE; byte = bytes[++this.#at] as number) {
      if (byte === SPACE && isDate) {
        isDate = false
        this.#byte(CAPITAL_T)
      } else if (byte === PLUS) {
        this.#put(OFFSET)
        this.#at += 2
      } else {
        this.#byte(byte)
      }
    }
    this.#byte(QUOTE)
  }

  /** Date and time up to the seconds, which are of one length where the year has four digits. Returns whether it has. */
  #plainTimestamp(): boolean {
    if (this.#in[this.#at + 4] !== MINUS || this.#in[this.#at + 10] !== SPACE) return false
    for (let offset = 0; offset < SECONDS_BYTES; offset += 4) {
      this.#outView.setInt32(this.#used + offset, this.#inView.getInt32(this.#at + offset, true), true)
    }
    this.#out[this.#used + 10] = CAPITAL_T
    this.#at += SECONDS_BYTES
    this.#used += SECONDS_BYTES
    return true
  }

  #put({ words, length }: Words): void {
    for (let index = 0; index < words.length; index++) {
      this.#outView.setInt32(this.#used + 4 * index, words[index] as number, true)
    }
    this.#used += length
  }

  #byte(byte: number): void {
    this.#out[this.#used++] = byte
  }
}
