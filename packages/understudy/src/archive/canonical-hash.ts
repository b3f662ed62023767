import { createHash } from 'node:crypto'
import { BLOCK_BYTES } from './limits.js'

const NEWLINE = 0x0a
const OPEN = 0x7b
const NOTHING = Buffer.alloc(0)

/**
 * SHA-256 of canonical lines. They are put together first: `update` costs 1 µs a call, which is as long as hashing 2 KB. So they lie beside each
 * other, and one can be compared with the one before it, unless they are longer than a block.
 */
export class CanonicalHash {
  readonly #hash = createHash('sha256')
  /** Made when it is needed: whole lines are not gathered. */
  #buffer = NOTHING
  #used = 0
  #hashed = 0
  /** Where the line before and this line begin, both -1 where they are no longer there as a whole. */
  #previous = -1
  #current = -1

  begin(): void {
    if (this.#buffer === NOTHING) this.#buffer = Buffer.allocUnsafeSlow(2 * BLOCK_BYTES)
    if (this.#used === this.#buffer.length) this.#flush()
    this.#current = this.#used
    this.#buffer[this.#used++] = OPEN
  }

  rest(block: Buffer, from: number, to: number): void {
    if (this.#used + to - from > this.#buffer.length) this.#flush()
    this.#used += block.copy(this.#buffer, this.#used, from, to)
  }

  /** Returns whether the line is the same as the one before it. */
  end(): boolean {
    if (this.#used === this.#buffer.length) this.#flush()
    this.#buffer[this.#used++] = NEWLINE
    const isRepeat = this.#isRepeat()
    this.#previous = this.#current
    return isRepeat
  }

  /** Any number of lines, whole. They are not compared with one another. */
  lines(bytes: Buffer): void {
    this.#flush()
    this.#hash.update(bytes)
    this.#previous = -1
    this.#current = -1
    this.#used = 0
    this.#hashed = 0
  }

  digest(): string {
    this.#flush()
    return this.#hash.digest('hex')
  }

  #isRepeat(): boolean {
    const [from, middle, to] = [this.#previous, this.#current, this.#used]
    if (from < 0 || middle < 0 || middle - from !== to - middle) return false
    return this.#buffer.compare(this.#buffer, from, middle, middle, to) === 0
  }

  /** Makes room; the last two lines stay where they are not too long. */
  #flush(): void {
    this.#hash.update(this.#buffer.subarray(this.#hashed, this.#used))
    const from = this.#previous < 0 ? this.#current : this.#previous
    const isKept = from >= 0 && this.#used - from <= BLOCK_BYTES
    if (isKept) this.#buffer.copyWithin(0, from, this.#used)
    this.#previous = isKept && this.#previous >= 0 ? 0 : -1
    this.#current = isKept ? this.#current - from : -1
    this.#used = isKept ? this.#used - from : 0
    this.#hashed = this.#used
  }
}
