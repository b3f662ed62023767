import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { ArchiveIndex, FileEntry, IndexFacts } from './archive-index.js'
import { assignFileNames } from './file-names.js'
import { BLOCK_BYTES, FORMAT_VERSION, INDEX_FILE } from './limits.js'
import { parseArchiveIndex, renderArchiveIndex } from './parse-index.js'
import type { Spooled } from './spool.js'
import { TAR_END, tarHeader, tarPadding } from './tar-header.js'

const INDEX_LEVEL = 9
/** The shortest filler: header, extra field without data, empty block, checksum and length of nothing. */
const FILLER_BYTES = 26
const SPARE_BYTES = 100
/** So many files are copied side by side, in pieces of a megabyte. */
const COPIES = 2
const COPY_BYTES = 4 * BLOCK_BYTES

export interface FinishedArchive {
  readonly path: string
  readonly bytes: number
  readonly index: ArchiveIndex
}

export interface PutTogetherOptions {
  readonly path: string
  readonly partial: string
  readonly relations: readonly Spooled[]
  readonly facts: IndexFacts
}

/** Writes index and spooled relations into one file, and gives it its name when it is on disk. */
export async function putTogether({ path, partial, relations, facts }: PutTogetherOptions): Promise<FinishedArchive> {
  const ordered = [...relations].sort(bySchemaAndRelation)
  assignFileNames(ordered.map(({ entry }) => ({ schema: entry.schema, name: entry.relation })))
  const { text, member } = packIndex(facts, ordered)
  const index = parseArchiveIndex(text)
  const bytes = await writeMembers(partial, member, ordered)
  await rename(partial, path)
  await syncFolder(dirname(path))
  return { path, bytes, index }
}

/**
 * The index and its gzip member. The index holds offsets that move with its own compressed length, and a checksum that changes with them, so
 * no two rounds are of one length. Room is left instead, and an empty member fills it to the byte: twice, as a rule.
 */
function packIndex(facts: IndexFacts, relations: readonly Spooled[]): { text: string; member: Buffer } {
  const made = { id: facts.id ?? randomUUID(), created_at: facts.created_at ?? new Date().toISOString() }
  for (let base = 0; ; ) {
    const text = renderArchiveIndex(indexAt(base, { ...facts, ...made }, relations))
    const content = Buffer.from(text)
    const tar = Buffer.concat([tarHeader(INDEX_FILE, content.length), content, tarPadding(content.length)])
    const member = gzipSync(tar, { level: INDEX_LEVEL })
    const room = base - member.length
    if (room >= FILLER_BYTES) return { text, member: Buffer.concat([member, filler(room)]) }
    base = member.length + FILLER_BYTES + SPARE_BYTES
  }
}

/** A gzip member of nothing, as long as wanted: its header has an extra field (RFC 1952, section 2.3.1.1) of zeros. */
function filler(bytes: number): Buffer {
  const extra = bytes - FILLER_BYTES + 4
  const member = Buffer.alloc(bytes)
  member.set([0x1f, 0x8b, 8, 4 /* FEXTRA */, 0, 0, 0, 0, 0, 255 /* unknown system */])
  member.writeUInt16LE(extra, 10)
  member.write('US', 12, 'ascii')
  member.writeUInt16LE(extra - 4, 14)
  member.set([3, 0 /* deflate: one empty block */], 12 + extra)
  return member
}

type CompleteFacts = IndexFacts & Pick<ArchiveIndex, 'id' | 'created_at'>

function indexAt(
  base: number,
  facts: CompleteFacts,
  relations: readonly Spooled[],
): Omit<ArchiveIndex, 'index_sha256'> {
  let offset = base
  const files = relations.map(({ entry }): FileEntry => {
    const placed = { ...entry, offset }
    offset += entry.compressed_bytes
    return placed
  })
  return {
    format_version: FORMAT_VERSION,
    id: facts.id,
    created_at: facts.created_at,
    tool_version: facts.tool_version,
    source: facts.source,
    lineage: facts.lineage,
    migrations: facts.migrations,
    extensions: facts.extensions,
    selection: facts.selection,
    masks: facts.masks,
    warnings: facts.warnings,
    files,
    model: facts.model,
  }
}

/** Where a file stands in the archive follows from those in front of it, so several are copied side by side. */
async function writeMembers(partial: string, index: Buffer, relations: readonly Spooled[]): Promise<number> {
  const handle = await open(partial, 'wx', 0o600)
  try {
    await writeAt(handle, index, 0)
    let end = index.length
    const copies = relations.map((relation) => {
      const at = end
      end += relation.entry.compressed_bytes
      return () => copyMember(handle, relation, at)
    })
    const next = copies.values()
    await Promise.all(Array.from({ length: COPIES }, () => runAll(next)))
    await writeAt(handle, gzipSync(TAR_END), end)
    await handle.sync()
    return (await handle.stat()).size
  } finally {
    await handle.close()
  }
}

async function runAll(tasks: Iterator<() => Promise<void>>): Promise<void> {
  for (let task = tasks.next(); !task.done; task = tasks.next()) await task.value()
}

async function copyMember(handle: FileHandle, { front, body, back }: Spooled, from: number): Promise<void> {
  if (typeof body !== 'string') return await writeAt(handle, Buffer.concat([front, body, back]), from)
  const spool = await open(body, 'r')
  try {
    await writeAt(handle, front, from)
    let at = from + front.length
    const block = Buffer.allocUnsafeSlow(COPY_BYTES)
    for (;;) {
      const { bytesRead } = await spool.read(block, 0, COPY_BYTES)
      if (bytesRead === 0) break
      await writeAt(handle, block.subarray(0, bytesRead), at)
      at += bytesRead
    }
    await writeAt(handle, back, at)
  } finally {
    await spool.close()
  }
}

/** `write` may write less than it was given. */
async function writeAt(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten
  }
}

/** The name is on disk only when its folder is. Windows cannot open a folder, and needs no such step. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** In order of code units, not of a locale: the same content gives the same bytes everywhere. */
function bySchemaAndRelation(left: Spooled, right: Spooled): number {
  return compare(left.entry.schema, right.entry.schema) || compare(left.entry.relation, right.entry.relation)
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
