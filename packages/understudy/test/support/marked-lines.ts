import type { MarkedLines } from '../../src/marked-lines.js'

/** Without the commas that stand behind marked lines. */
export function bytesOf(chunk: Uint8Array | MarkedLines): Buffer {
  if (chunk instanceof Uint8Array) return Buffer.from(chunk)
  const ends = Array.from(chunk.marks).filter((end, index) => index % 2 === 0 && end > 0)
  const commas = new Set(ends.map((end) => end - 2))
  for (const comma of commas) if (chunk.bytes[comma] !== 0x2c) throw new Error(`no comma at ${comma}`)
  return Buffer.from(chunk.bytes.filter((_, at) => !commas.has(at)))
}
