import { hash } from 'node:crypto'

/**
 * A digest of lines in any order: how many they are, and the sums of the first and the second eight bytes of each line's SHA-256. Equal
 * for equal content; two different contents share one by accident with a probability of 2⁻¹²⁸.
 */
export interface ContentDigest {
  readonly rows: number
  readonly first: string
  readonly second: string
}

export function isSameDigest(a: ContentDigest, b: ContentDigest): boolean {
  return a.rows === b.rows && a.first === b.first && a.second === b.second
}

/** The digest of the lines that a select yields as `line`. */
export function digestSelect(lines: string): string {
  return `select count(*) as rows,
                 coalesce(sum(('x' || substr(d.digest, 1, 16))::bit(64)::int8), 0)::text as first,
                 coalesce(sum(('x' || substr(d.digest, 17, 16))::bit(64)::int8), 0)::text as second
            from (select encode(sha256(convert_to(l.line, 'UTF8')), 'hex') as digest from (${lines}) l offset 0) d`
}

const SEPARATOR = 0x02
const NEWLINE = 0x0a

/** The digest of staging lines, `<n>\x02<master_id>\x02<canonical line>\n`, in chunks that break anywhere. */
export async function digestLines(chunks: AsyncIterable<Uint8Array>): Promise<ContentDigest> {
  let rows = 0
  let first = 0n
  let second = 0n
  let rest = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes =
      rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : joined(rest, chunk)
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const digest = hash('sha256', canonicalPart(bytes.subarray(start, end)), 'buffer')
      first += digest.readBigInt64BE(0)
      second += digest.readBigInt64BE(8)
      rows++
      start = end + 1
    }
    rest = Buffer.from(bytes.subarray(start))
  }
  return { rows, first: String(first), second: String(second) }
}

function joined(rest: Buffer, chunk: Uint8Array): Buffer<ArrayBuffer> {
  return Buffer.concat([rest, chunk])
}

function canonicalPart(line: Buffer): Buffer {
  return line.subarray(line.indexOf(SEPARATOR, line.indexOf(SEPARATOR) + 1) + 1)
}
