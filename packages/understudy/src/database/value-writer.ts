import { dateOf, dateText, timestampText } from './calendar.js'
import { DATE_BYTES, DateTexts } from './date-texts.js'
import { Words } from './words.js'

const QUOTE = 0x22
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const CAPITAL_T = 0x54
const BACKSLASH = 0x5c
const SPACE = 0x20

const INFINITY = new Words('"infinity"')
const MINUS_INFINITY = new Words('"-infinity"')
const UTC = new Words('+00:00')

/** `date` and the timestamps are infinite at the ends of their ranges (`datatype/timestamp.h`). */
const LARGEST_DATE = 2_147_483_647
const SMALLEST_INT32 = -2_147_483_648
const LARGEST_TIMESTAMP = 9_223_372_036_854_775_807n
const SMALLEST_TIMESTAMP = -9_223_372_036_854_775_808n

const HIGH_HALF = 4_294_967_296
const DAY_MICROSECONDS = 86_400_000_000

/** Two digits, as they lie in memory. */
const PAIRS = Uint16Array.from({ length: 100 }, (_, n) => ZERO + Math.trunc(n / 10) + ((ZERO + (n % 10)) << 8))
/** Two hexadecimal digits. */
const HEX_PAIRS = Uint16Array.from({ length: 256 }, (_, n) =>
  Buffer.from(n.toString(16).padStart(2, '0')).readUInt16LE(),
)

/** What stands behind a backslash for a byte that cannot stand in a JSON string as it is: a letter, `u` for those without one, 0 for other bytes. */
const ESCAPES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const letter = { 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r', [QUOTE]: '"', [BACKSLASH]: '\\' }[byte]
  return (letter ?? (byte < SPACE ? 'u' : '\0')).charCodeAt(0)
})
const SMALL_U = 0x75
const SMALL_N = 0x6e
const DOLLAR = 0x24

/** What stands behind a time. */
export type Offset = '' | '+00:00'

/** The most that a byte of a value becomes: `\u0001`. */
export const LONGEST_ESCAPE = 6
/** What texts are copied by, so that as many bytes less one behind them may be read and written. */
export const WORD_BYTES = 4

/**
 * Writes values in the binary form that PostgreSQL sends them in as the JSON that `to_json` makes of them, to the byte. It reads from one buffer and writes
 * into another, whose owner sees to it that there is room.
 */
export class ValueWriter {
  readonly bytes: Buffer
  /** How much is written. */
  used = 0
  /** A control character was copied as it is. */
  isRaw = false
  readonly view: DataView
  protected readonly source: Buffer
  protected readonly sourceView: DataView

  readonly #dates = new DateTexts()

  constructor(source: Buffer, capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity)
    this.view = new DataView(this.bytes.buffer)
    this.source = source
    this.sourceView = new DataView(source.buffer)
  }

  put({ words, length }: Words): undefined {
    for (let index = 0; index < words.length; index++) {
      this.view.setInt32(this.used + WORD_BYTES * index, words[index] as number, true)
    }
    this.used += length
  }

  byte(byte: number): void {
    this.bytes[this.used++] = byte
  }

  ascii(text: string): undefined {
    this.used += this.bytes.write(text, this.used, 'latin1')
  }

  /**
   * The inside of a JSON string. Nearly all time of an export's thread is spent here: four bytes at a time are copied as long as none of them must be
   * escaped, by the test that `nextControl` of the archive's scanner explains.
   */
  string(from: number, to: number): void {
    const source = this.sourceView
    const bytes = this.source
    const out = this.bytes
    let at = from
    let used = this.used
    while (at < to) {
      for (; at + WORD_BYTES <= to; at += WORD_BYTES, used += WORD_BYTES) {
        const word = source.getInt32(at, true)
        const quotes = word ^ 0x22222222
        const backslashes = word ^ 0x5c5c5c5c
        const stops =
          ((word - 0x20202020) & ~word) |
          ((quotes - 0x01010101) & ~quotes) |
          ((backslashes - 0x01010101) & ~backslashes)
        if ((stops & 0x80808080) !== 0) break
        this.view.setInt32(used, word, true)
      }
      for (const end = Math.min(to, at + WORD_BYTES); at < end; at++) {
        const byte = bytes[at] as number
        const letter = ESCAPES[byte] as number
        if (letter === 0) {
          out[used++] = byte
        } else if (letter === SMALL_U) {
          used += out.write(`\\u00${byte.toString(16).padStart(2, '0')}`, used, 'latin1')
        } else {
          out[used++] = BACKSLASH
          out[used++] = letter
        }
      }
    }
    this.used = used
  }

  /** JSON as it comes, if it holds no `$` and is more than a word; else false, and nothing is written. */
  plainJson(from: number, to: number): boolean {
    if (to - from === WORD_BYTES && this.source[from] === SMALL_N) return false
    const view = this.sourceView
    let at = from
    let used = this.used
    for (; at + WORD_BYTES <= to; at += WORD_BYTES, used += WORD_BYTES) {
      const word = view.getInt32(at, true)
      const dollars = word ^ 0x24242424
      if (((dollars - 0x01010101) & ~dollars & 0x80808080) !== 0) return false
      this.view.setInt32(used, word, true)
    }
    for (; at < to; at++) {
      const byte = this.source[at] as number
      if (byte === DOLLAR) return false
      this.bytes[used++] = byte
    }
    this.used = used
    return true
  }

  /** JSON as it comes. */
  json(from: number, to: number): undefined {
    const view = this.sourceView
    let at = from
    let used = this.used
    let controls = 0
    for (; at + WORD_BYTES <= to; at += WORD_BYTES, used += WORD_BYTES) {
      const word = view.getInt32(at, true)
      controls |= (word - 0x20202020) & ~word
      this.view.setInt32(used, word, true)
    }
    for (; at < to; at++) {
      const byte = this.source[at] as number
      if (byte < SPACE) this.isRaw = true
      this.bytes[used++] = byte
    }
    if ((controls & 0x80808080) !== 0) this.isRaw = true
    this.used = used
  }

  /** An integer of 2, 4 or 8 bytes. */
  integer(from: number, length: number): undefined {
    const view = this.sourceView
    if (length === 4) return this.#int32(view.getInt32(from))
    if (length === 2) return this.#int32(view.getInt16(from))
    const number = view.getInt32(from) * HIGH_HALF + view.getUint32(from + 4)
    if (number === (number | 0)) return this.#int32(number)
    this.ascii(String(Number.isSafeInteger(number) ? number : view.getBigInt64(from)))
  }

  #int32(number: number): undefined {
    if (number < 0) {
      if (number === SMALLEST_INT32) return this.ascii(String(number))
      this.byte(MINUS)
    }
    let rest = number < 0 ? -number | 0 : number
    const end = this.used + digitsOf(rest)
    let at = end
    for (; rest >= 10; at -= 2) {
      const next = (rest / 100) | 0
      this.view.setUint16(at - 2, PAIRS[rest - next * 100] as number, true)
      rest = next
    }
    if (at > this.used) this.bytes[this.used] = ZERO + rest
    this.used = end
  }

  uuid(from: number): undefined {
    this.byte(QUOTE)
    for (let index = 0; index < 16; index++) {
      if (index === 4 || index === 6 || index === 8 || index === 10) this.byte(MINUS)
      this.#pair(HEX_PAIRS[this.source[from + index] as number] as number)
    }
    this.byte(QUOTE)
  }

  date(from: number): undefined {
    const days = this.sourceView.getInt32(from)
    if (days === LARGEST_DATE) return this.put(INFINITY)
    if (days === SMALLEST_INT32) return this.put(MINUS_INFINITY)
    this.byte(QUOTE)
    if (DateTexts.has(days)) {
      this.#plainDate(days)
    } else {
      const date = dateOf(days)
      this.ascii(date.year > 0 ? dateText(date) : `${dateText(date)} BC`)
    }
    this.byte(QUOTE)
  }

  /** Microseconds since 2000-01-01, in UTC where the type has a time zone. */
  timestamp(from: number, offset: Offset): undefined {
    const view = this.sourceView
    const microseconds = view.getInt32(from) * HIGH_HALF + view.getUint32(from + 4)
    const days = Math.floor(microseconds / DAY_MICROSECONDS)
    if (!Number.isSafeInteger(microseconds) || !DateTexts.has(days))
      return this.#rareTimestamp(view.getBigInt64(from), offset)
    this.byte(QUOTE)
    this.#plainDate(days)
    this.byte(CAPITAL_T)
    this.#time(microseconds - days * DAY_MICROSECONDS)
    if (offset !== '') this.put(UTC)
    this.byte(QUOTE)
  }

  #rareTimestamp(microseconds: bigint, offset: Offset): undefined {
    if (microseconds === LARGEST_TIMESTAMP) return this.put(INFINITY)
    if (microseconds === SMALLEST_TIMESTAMP) return this.put(MINUS_INFINITY)
    this.ascii(`"${timestampText(microseconds, offset)}"`)
  }

  #plainDate(days: number): void {
    this.#dates.write(days, this.view, this.used)
    this.used += DATE_BYTES
  }

  #time(microseconds: number): void {
    const seconds = (microseconds / 1_000_000) | 0
    const minutes = (seconds / 60) | 0
    const hours = (minutes / 60) | 0
    this.#pair(PAIRS[hours] as number)
    this.byte(COLON)
    this.#pair(PAIRS[minutes - hours * 60] as number)
    this.byte(COLON)
    this.#pair(PAIRS[seconds - minutes * 60] as number)
    const fraction = (microseconds - seconds * 1_000_000) | 0
    if (fraction > 0) this.#fraction(fraction)
  }

  /** Six digits, without the zeros at their end. */
  #fraction(microseconds: number): void {
    this.byte(POINT)
    const high = (microseconds / 10_000) | 0
    const both = (microseconds / 100) | 0
    this.#pair(PAIRS[high] as number)
    this.#pair(PAIRS[both - high * 100] as number)
    this.#pair(PAIRS[microseconds - both * 100] as number)
    while (this.bytes[this.used - 1] === ZERO) this.used--
  }

  #pair(pair: number): void {
    this.view.setUint16(this.used, pair, true)
    this.used += 2
  }
}

function digitsOf(number: number): number {
  if (number < 100_000) {
    if (number < 100) return number < 10 ? 1 : 2
    if (number < 1000) return 3
    return number < 10_000 ? 4 : 5
  }
  if (number < 10_000_000) return number < 1_000_000 ? 6 : 7
  if (number < 100_000_000) return 8
  return number < 1_000_000_000 ? 9 : 10
}
