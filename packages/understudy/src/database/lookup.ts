const COLON = 0x3a
const NEWLINE = 0x0a

/** Texts are written four bytes at a time: up to four more than they have may be touched behind them. */
const WORD_BYTES = 4
/** How many slots, on average, may be looked at before a key's is found. For numbers that follow each other it is one, for others less than three. */
const MOST_LOOKS = 8

/** What a lookup may hold at the most: beyond, a join by the server is the better way. */
export interface LookupLimits {
  readonly bytes: number
  /** Of one text. */
  readonly textBytes: number
}

/**
 * JSON texts by key, for columns of a record that are to be written as what their values stand for. All lies in two pieces of memory: lines of
 * `<key>:<JSON>`, and a table of where they begin.
 */
export class Lookup {
  readonly #lines: Buffer
  readonly #words: DataView
  /** Where a line begins, plus one; 0 where there is none. As many as a power of two, at least twice as many as lines. */
  readonly #slots: Int32Array
  /** How many slots were looked at; asked for while it is filled. */
  #looks = 0
  /** The longest text, in bytes. */
  longest = 0

  /**
   * Reads lines of `<key>:<JSON>`, where a key holds no colon and is written as `COPY` writes it. Returns null where they exceed the limits, where a
   * key comes twice, or where the keys would crowd.
   */
  static async read(lines: AsyncIterable<Uint8Array>, limits: LookupLimits): Promise<Lookup | null> {
    // What of it is not written to takes no memory, and nothing has to be copied when all is there.
    const all = Buffer.allocUnsafeSlow(limits.bytes + WORD_BYTES)
    let bytes = 0
    let entries = 0
    for await (const chunk of lines) {
      if (bytes + chunk.length > limits.bytes) return null
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) entries++
      all.set(chunk, bytes)
      bytes += chunk.length
    }
    const lookup = new Lookup(all.subarray(0, bytes + WORD_BYTES), entries)
    return lookup.#fill(bytes, entries) && lookup.longest <= limits.textBytes ? lookup : null
  }

  private constructor(lines: Buffer, entries: number) {
    this.#lines = lines
    this.#words = new DataView(lines.buffer, lines.byteOffset, lines.length)
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * entries + 1)))
  }

  /** What the lines take of memory. */
  get bytes(): number {
    return this.#lines.length
  }

  /** Writes what stands for the key between `from` and `to`, and returns where that ends; -1 where the key is unknown. */
  write(source: Buffer, from: number, to: number, out: DataView, at: number): number {
    const begin = this.#slots[this.#find(source, from, to)] as number
    return begin === 0 ? -1 : this.#copy(begin + to - from, out, at)
  }

  /** Copies up to the end of the line. What tells that a word holds a newline `nextControl` of the archive's scanner explains. */
  #copy(begin: number, out: DataView, at: number): number {
    let from = begin
    let to = at
    for (; ; from += WORD_BYTES, to += WORD_BYTES) {
      const word = this.#words.getInt32(from, true)
      out.setInt32(to, word, true)
      const ends = word ^ 0x0a0a0a0a
      if (((ends - 0x01010101) & ~ends & 0x80808080) !== 0) break
    }
    for (; this.#lines[from] !== NEWLINE; from++) to++
    return to
  }

  #fill(bytes: number, entries: number): boolean {
    for (let from = 0; from < bytes; ) {
      const colon = this.#lines.indexOf(COLON, from)
      const end = this.#lines.indexOf(NEWLINE, colon)
      const slot = this.#find(this.#lines, from, colon)
      if (this.#slots[slot] !== 0 || this.#looks > MOST_LOOKS * entries) return false
      this.#slots[slot] = from + 1
      this.longest = Math.max(this.longest, end - colon - 1)
      from = end + 1
    }
    return true
  }

  /**
   * The slot of a key, or the free one that it would take. Keys mostly are numbers that follow each other, and so do their first slots then, near
   * each other in memory. Where one is taken, each key goes on in steps of its own, odd ones, so that it comes by all slots.
   */
  #find(source: Buffer, from: number, to: number): number {
    const number = numberOf(source, from, to)
    const mask = this.#slots.length - 1
    const step = (Math.imul(number, 0x9e3779b1) >>> 15) | 1
    for (let slot = number & mask; ; slot = (slot + step) & mask) {
      this.#looks++
      const begin = this.#slots[slot] as number
      if (begin === 0 || this.#holds(begin - 1, source, from, to)) return slot
    }
  }

  #holds(line: number, source: Buffer, from: number, to: number): boolean {
    let at = line
    for (let own = from; own < to; own++) if (this.#lines[at++] !== source[own]) return false
    return this.#lines[at] === COLON
  }
}

/** The number that a key is, as far as it fits into 32 bits; what does not is drawn into it. */
function numberOf(source: Buffer, from: number, to: number): number {
  let number = 0
  for (let at = from; at < to; at++) number = (Math.imul(number, 10) + (source[at] as number) - 0x30) ^ (number >>> 27)
  return number
}
