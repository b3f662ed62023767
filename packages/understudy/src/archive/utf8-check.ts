import { isUtf8 } from 'node:buffer'

const NOTHING = Buffer.alloc(0)

/** Checks UTF-8 in chunks that break anywhere, a character included. */
export class Utf8Check {
  #open: Buffer = NOTHING

  /** False as soon as the bytes so far cannot be UTF-8. */
  accepts(chunk: Buffer): boolean {
    let from = 0
    if (this.#open.length > 0) {
      from = Math.min(characterBytes(this.#open[0] ?? 0) - this.#open.length, chunk.length)
      const character = Buffer.concat([this.#open, chunk.subarray(0, from)])
      if (character.length < characterBytes(character[0] ?? 0)) {
        this.#open = character
        return true
      }
      if (!isUtf8(character)) return false
    }
    const to = Math.max(from, chunk.length - openBytes(chunk))
    this.#open = Buffer.from(chunk.subarray(to))
    return isUtf8(chunk.subarray(from, to))
  }

  /** True where no character is left open. */
  isComplete(): boolean {
    return this.#open.length === 0
  }
}

/** How many bytes at the end belong to a character that is not whole yet. */
function openBytes(chunk: Buffer): number {
  for (let back = 1; back <= 3 && back <= chunk.length; back++) {
    const byte = chunk[chunk.length - back] ?? 0
    if (byte < 0x80) return 0
    if (byte >= 0xc0) return characterBytes(byte) > back ? back : 0
  }
  return 0
}

function characterBytes(lead: number): number {
  if (lead >= 0xf0) return 4
  if (lead >= 0xe0) return 3
  return lead >= 0xc0 ? 2 : 1
}
