import type { PGlite } from '@electric-sql/pglite'
import { LINES_FORMAT } from './copy-format.js'
import type { LinesTarget } from './port.js'
import { decodedTypes } from './values.js'

const NEWLINE = 0x0a

/** What a fetch aims at. More only costs memory: see `nextCount`. */
const FETCH_BYTES = 1 << 20
const FETCH_ROWS = 512
/** What one `COPY` gets at once. */
const PIECE_BYTES = 16 << 20

/** Lines are bytes for the archive: a json column is not parsed. */
const asText = Object.fromEntries(decodedTypes().map((oid) => [oid, (text: string) => text]))

let cursors = 0

/** The rows of a select, fetched through a cursor: PGlite's own `COPY TO` would hold the whole result in memory. */
export async function* fetchLines(pglite: PGlite, select: string): AsyncGenerator<Uint8Array> {
  const cursor = `understudy_lines_${++cursors}`
  // All rows will be read; by default a cursor is planned for a tenth of them.
  await pglite.exec(`set local cursor_tuple_fraction = 1; declare ${cursor} no scroll cursor for ${select}`)
  let hasFailed = false
  try {
    let count = 1
    while (true) {
      const lines = await fetch(pglite, cursor, count)
      if (lines.length > 0) yield Buffer.from(`${lines.join('\n')}\n`)
      if (lines.length < count) return
      count = nextCount(count, lines)
    }
  } catch (error) {
    hasFailed = true
    throw error
  } finally {
    if (!hasFailed) await pglite.exec(`close ${cursor}`)
  }
}

async function fetch(pglite: PGlite, cursor: string, count: number): Promise<string[]> {
  const [result] = await pglite.exec(`fetch forward ${count} from ${cursor}`, { rowMode: 'array', parsers: asText })
  return (result?.rows ?? []).map((row) => (row as unknown as (string | null)[])[0] ?? '')
}

/** Starts with one row and grows, so that rows of 100 MB come one at a time. */
function nextCount(count: number, lines: readonly string[]): number {
  const longest = lines.reduce((length, line) => Math.max(length, line.length), 1)
  return Math.max(1, Math.min(count * 8, FETCH_ROWS, Math.floor(FETCH_BYTES / longest)))
}

/** Writes chunks through PGlite's `/dev/blob`, in pieces that end with a line. Returns the number of rows. */
export async function copyPieces(
  pglite: PGlite,
  target: LinesTarget,
  chunks: AsyncIterable<Uint8Array>,
): Promise<number> {
  const columns = target.columns.join(', ')
  const sql = `copy ${target.table} (${columns}) from '/dev/blob' with (${LINES_FORMAT}, null '')`
  let rows = 0
  for await (const piece of piecesOf(chunks)) {
    const [result] = await pglite.exec(sql, { blob: new Blob([...piece]) })
    rows += result?.affectedRows ?? 0
  }
  return rows
}

/** Gathers chunks into pieces of about 16 MB, cut behind the last newline; a longer line makes a longer piece. */
async function* piecesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Uint8Array[]> {
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  for await (const chunk of chunks) {
    const end = waitingBytes + chunk.length < PIECE_BYTES ? 0 : chunk.lastIndexOf(NEWLINE) + 1
    if (end > 0) {
      yield [...waiting, chunk.subarray(0, end)]
      waiting = []
      waitingBytes = 0
    }
    // Copied: the source may use its buffer again.
    waiting.push(new Uint8Array(chunk.subarray(end)))
    waitingBytes += chunk.length - end
  }
  if (waitingBytes > 0) yield waiting
}
