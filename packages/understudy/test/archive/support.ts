import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import type { IndexFacts } from '../../src/archive/archive-index.js'
import { openArchive } from '../../src/archive/reader.js'
import { type ArchiveWriter, createArchive } from '../../src/archive/writer.js'
import { UnderstudyError } from '../../src/errors.js'
import type { RelationName } from '../../src/model/model.js'

/** A folder of the test's own, gone when it ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-archive-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function factsFor(relations: readonly RelationName[], more: Partial<IndexFacts> = {}): IndexFacts {
  return {
    id: '11111111-1111-4111-8111-111111111111',
    created_at: '2026-11-22T10:30:00.123Z',
    tool_version: '0.1.0',
    source: { instance: '22222222-2222-4222-8222-222222222222', server_version: '18.0', database: 'stage' },
    lineage: [],
    migrations: [{ id: '001_start', checksum: 'c' }],
    model: {
      relations: relations.map(({ schema, name }) => ({
        schema,
        name,
        identity: { kind: 'key', columns: ['xmlid'], reason: 'unique' },
        surrogate: ['id'],
        columns: [{ name: 'xmlid', key: 'xmlid', type: 'text', encoding: 'json', isNullable: false }],
        references: [],
      })),
    },
    extensions: [{ name: 'hstore', version: '1.8' }],
    selection: { only: [], exclude: [] },
    masks: [],
    warnings: [],
    ...more,
  }
}

export type Content = Readonly<Record<string, string>>

/** Lines by relation; a dot in a key separates schema and name. */
export const EXAMPLE: Content = {
  events:
    '{"master_id":7,"xmlid":"e1","name":"Straße"}\n{"master_id":[1, "b,}"],"xmlid":"e2","name":"\\u0002 } , ]"}\n',
  posts: '',
  'stage.T': '{"master_id":null}\n',
}

export function relationOf(key: string): RelationName {
  const [first = '', second] = key.split('.')
  return second === undefined ? { schema: 'public', name: first } : { schema: first, name: second }
}

export async function writeExample(path: string, content: Content = EXAMPLE, more: Partial<IndexFacts> = {}) {
  const archive = await createArchive({ path })
  await addAll(archive, content)
  return await archive.finish(factsFor(Object.keys(content).map(relationOf), more))
}

export async function addAll(archive: ArchiveWriter, content: Content): Promise<void> {
  await Promise.all(
    Object.entries(content).map(([key, lines]) =>
      archive.addRelation({ ...relationOf(key), lateSeedColumns: ['parent_id'] }, chunked(lines)),
    ),
  )
}

export async function* chunked(text: string | Buffer, size = 65_536): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** All staging lines of an archive, by file. */
export async function readAll(path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for await (const file of openArchive(path)) found[file.entry.file] = await textOf(file.lines())
  return found
}

export async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts).toString('utf8')
}

/** The error of something that must fail, and must fail with ours. */
export async function failureOf(work: Promise<unknown>): Promise<UnderstudyError> {
  try {
    await work
  } catch (error) {
    if (error instanceof UnderstudyError) return error
    throw error
  }
  throw new Error('it was expected to fail')
}

export interface CraftedEntry {
  readonly name: string
  readonly content?: string | Buffer
  /** `0` file, `1` link, `2` symbolic link, `3` device, `5` directory. */
  readonly type?: string
  readonly size?: number
  readonly link?: string
}

/** A tar as nobody should write it. */
export function craftTar(entries: readonly CraftedEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '')
    return [craftHeader(entry, content.length), content, Buffer.alloc((512 - (content.length % 512)) % 512)]
  })
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

export function craftArchive(entries: readonly CraftedEntry[]): Buffer {
  return gzipSync(craftTar(entries))
}

function craftHeader({ name, type = '0', size, link = '' }: CraftedEntry, length: number): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0, 100)
  header.write('0000644\x000000000\x000000000\0', 100)
  header.write(`${(size ?? length).toString(8).padStart(11, '0')}\x0000000000000\0`, 124)
  header.write(`        ${type}${link}`, 148)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}
