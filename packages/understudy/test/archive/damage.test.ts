import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ArchiveIndex, FileEntry } from '../../src/archive/archive-index.js'
import { documentHead } from '../../src/archive/document.js'
import { renderArchiveIndex } from '../../src/archive/parse-index.js'
import { openArchive, readArchive, verifyArchive } from '../../src/archive/reader.js'
import { UnderstudyError } from '../../src/errors.js'
import {
  type CraftedEntry,
  craftArchive,
  craftTar,
  EXAMPLE,
  failureOf,
  readAll,
  temporaryFolder,
  writeExample,
} from './support.js'

interface Sample {
  readonly path: string
  readonly bytes: Buffer
  readonly good: Record<string, string>
  /** Puts other bytes in the archive's place. */
  write(bytes: Buffer): void
}

async function sample({ isGzip = true } = {}): Promise<Sample> {
  const path = join(temporaryFolder(), 'a.backup.tar.gz')
  const lines = Array.from(
    { length: 300 },
    (_, at) => `{"master_id":${at},"name":"Workshop ${(at * 7919) % 1000}"}\n`,
  ).join('')
  await writeExample(path, { ...EXAMPLE, users: lines })
  const packed = readFileSync(path)
  const bytes = isGzip ? packed : gunzipSync(packed)
  writeFileSync(path, bytes)
  const good = await readAll(path)
  return { path, bytes, good, write: (other) => writeFileSync(path, other) }
}

/** Reads what may be damaged: our error, or exactly the rows that were written. Returns whether it was an error. */
async function isRefused({ path, good }: Sample): Promise<boolean> {
  try {
    expect(await readAll(path)).toEqual(good)
    return false
  } catch (error) {
    if (error instanceof UnderstudyError) return true
    throw error
  }
}

test.each([true, false])('refuses an archive cut off anywhere (gzip: %s)', async (isGzip) => {
  const archive = await sample({ isGzip })
  const step = isGzip ? 19 : 97
  for (let length = 0; length < archive.bytes.length; length += step) {
    archive.write(archive.bytes.subarray(0, length))
    expect(await isRefused(archive), `${length} of ${archive.bytes.length} bytes`).toBe(true)
  }
  archive.write(archive.bytes.subarray(0, -1))
  expect(await isRefused(archive)).toBe(true)
})

test('refuses an archive cut off between two gzip members', async () => {
  const archive = await sample()
  const { files } = await readArchive(archive.path)
  for (const { offset, compressed_bytes } of files) {
    for (const length of [offset, offset + compressed_bytes]) {
      archive.write(archive.bytes.subarray(0, length))
      expect(await isRefused(archive)).toBe(true)
    }
  }
})

test.each([
  [true, 1000],
  [false, 1000],
])('never takes a flipped bit for the truth (gzip: %s)', async (isGzip, numRuns) => {
  const archive = await sample({ isGzip })
  await fc.assert(
    fc.asyncProperty(fc.nat(archive.bytes.length - 1), fc.nat(7), async (at, bit) => {
      const flipped = Buffer.from(archive.bytes)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
      archive.write(flipped)
      await isRefused(archive)
    }),
    { numRuns },
  )
})

test('refuses any flipped bit of the index of a plain tar', async () => {
  const archive = await sample({ isGzip: false })
  const end = archive.bytes.indexOf('\n}\n') + 2
  for (let at = 512; at < end; at += 13) {
    const flipped = Buffer.from(archive.bytes)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    const isSpace = flipped[at] === 0x21 || archive.bytes[at] === 0x0a
    archive.write(flipped)
    expect((await isRefused(archive)) || isSpace, `byte ${at}`).toBe(true)
  }
})

test.each([
  ['text', Buffer.from('more')],
  ['one zero', Buffer.alloc(1)],
  ['zeros', Buffer.alloc(5000)],
  ['another gzip member', gzipSync('x')],
  ['itself', undefined],
])('refuses what follows the end: %s', async (_, more) => {
  const archive = await sample()
  archive.write(Buffer.concat([archive.bytes, more ?? archive.bytes]))
  expect(await isRefused(archive)).toBe(true)
})

/** The entries of a good archive, to be spoilt. */
async function goodEntries(): Promise<{ path: string; entries: CraftedEntry[] }> {
  const { path, bytes } = await sample()
  const { files } = await readArchive(path)
  const tar = gunzipSync(bytes)
  const entries = ['backup-index.json', ...files.map(({ file }) => file)].map((name) => {
    const at = tar.indexOf(`${name}\0`)
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8)
    return { name, content: tar.subarray(at + 512, at + 512 + size) }
  })
  return { path, entries }
}

const spoilt: [string, string, (entries: CraftedEntry[]) => CraftedEntry[]][] = [
  ['no entry at all', 'ARCHIVE_NOT_RECOGNISED', () => []],
  ['no index', 'ARCHIVE_NOT_RECOGNISED', (entries) => entries.slice(1)],
  ['a missing file', 'ARCHIVE_ENTRY_REFUSED', (entries) => entries.slice(0, -1)],
  ['a file twice', 'ARCHIVE_ENTRY_REFUSED', (entries) => [...entries, ...entries.slice(-1)]],
  [
    'a file twice, once with ./',
    'ARCHIVE_ENTRY_REFUSED',
    (entries) => [...entries, ...entries.slice(-1).map((one) => ({ ...one, name: `./${one.name}` }))],
  ],
  ['the index twice', 'ARCHIVE_ENTRY_REFUSED', (entries) => [...entries, ...entries.slice(0, 1)]],
  ['an unknown file', 'ARCHIVE_ENTRY_REFUSED', (entries) => [...entries, { name: 'more.json' }]],
  ['a name that leads up', 'ARCHIVE_ENTRY_REFUSED', (entries) => [...entries, { name: '../events.json' }]],
  ['a name that leads up in between', 'ARCHIVE_ENTRY_REFUSED', (entries) => [{ name: 'a/../../b' }, ...entries]],
  ['an absolute name', 'ARCHIVE_ENTRY_REFUSED', (entries) => [{ name: '/etc/passwd' }, ...entries]],
  [
    'a link under the name of the index',
    'ARCHIVE_ENTRY_REFUSED',
    (entries) => [{ name: 'backup-index.json', type: '2', link: '/etc/passwd' }, ...entries.slice(1)],
  ],
  [
    'a hard link',
    'ARCHIVE_ENTRY_REFUSED',
    (entries) => [...entries.slice(0, -1), { name: entries.at(-1)?.name ?? '', type: '1', link: 'x' }],
  ],
  ['a device', 'ARCHIVE_ENTRY_REFUSED', (entries) => [...entries, { name: 'tty', type: '3' }]],
  ['a pipe', 'ARCHIVE_ENTRY_REFUSED', (entries) => [...entries, { name: 'pipe', type: '6' }]],
  ['an unknown kind', 'ARCHIVE_ENTRY_REFUSED', (entries) => [...entries, { name: 'what', type: 'Z' }]],
  ['a folder', 'ARCHIVE_ENTRY_REFUSED', (entries) => [...entries, { name: 'folder/', type: '5' }]],
  [
    'a file of another size',
    'ARCHIVE_DAMAGED',
    (entries) => entries.map((one, at) => (at === 1 ? { ...one, content: `${one.content}\n` } : one)),
  ],
  [
    'two files in each other’s place',
    'ARCHIVE_DAMAGED',
    (entries) =>
      entries.map((one, at) =>
        at === 1
          ? { ...one, name: 'users.json' }
          : one.name === 'users.json'
            ? { ...one, name: entries[1]?.name ?? '' }
            : one,
      ),
  ],
  ['a size beyond the end', 'ARCHIVE_DAMAGED', (entries) => [...entries, { name: 'x', size: 5_000_000 }].slice(-1)],
  [
    'an index of a gigabyte',
    'ARCHIVE_TOO_LARGE',
    (entries) => [{ ...entries[0], name: 'backup-index.json', size: 2 ** 30 }],
  ],
  [
    'an index that is not UTF-8',
    'ARCHIVE_DAMAGED',
    () => [{ name: 'backup-index.json', content: Buffer.from([0x7b, 0xff, 0x7d]) }],
  ],
  ['an index that is not JSON', 'ARCHIVE_INDEX_INVALID', () => [{ name: 'backup-index.json', content: '{' }]],
  [
    'the format of the original plan',
    'ARCHIVE_VERSION_1',
    () => [
      { name: './', type: '5' },
      { name: './events.json', content: '{}' },
      { name: './backup-index.json', content: '{"created_at":"2025","tables":["events"],"files":{"events":"x.json"}}' },
    ],
  ],
]

test.each(spoilt)('refuses %s with %s', async (_, code, spoil) => {
  const { path, entries } = await goodEntries()
  for (const bytes of [craftArchive(spoil(entries)), craftTar(spoil(entries))]) {
    writeFileSync(path, bytes)
    const error = await failureOf(verifyArchive(path))
    expect(error.code, `${error.message}\n${error.detail}`).toBe(code)
  }
})

/** The entries with an index that says something else, under a checksum that is right. */
function lying(entries: CraftedEntry[], edit: (index: ArchiveIndex) => object): CraftedEntry[] {
  const [index, ...others] = entries
  const { index_sha256: _, ...told } = JSON.parse(String(index?.content))
  return [{ name: 'backup-index.json', content: renderArchiveIndex({ ...told, ...edit(told) }) }, ...others]
}

const withFile = (index: ArchiveIndex, change: (file: FileEntry) => Partial<FileEntry>) => ({
  files: index.files.map((file) => (file.relation === 'users' ? { ...file, ...change(file) } : file)),
})

const lies: [string, string, (index: ArchiveIndex) => object][] = [
  ['more records', 'ARCHIVE_DAMAGED', (index) => withFile(index, ({ records }) => ({ records: records + 1 }))],
  ['fewer records', 'ARCHIVE_DAMAGED', (index) => withFile(index, ({ records }) => ({ records: records - 1 }))],
  ['another length', 'ARCHIVE_DAMAGED', (index) => withFile(index, ({ bytes }) => ({ bytes: bytes + 1 }))],
  [
    'another checksum of the file',
    'ARCHIVE_DAMAGED',
    (index) => withFile(index, ({ sha256 }) => ({ sha256: other(sha256) })),
  ],
  [
    'another checksum of the content',
    'ARCHIVE_DAMAGED',
    (index) => withFile(index, ({ content_sha256 }) => ({ content_sha256: other(content_sha256) })),
  ],
  ['another relation', 'ARCHIVE_INDEX_INVALID', (index) => withFile(index, () => ({ relation: 'events' }))],
  ['a relation that is in no model', 'ARCHIVE_INDEX_INVALID', (index) => withFile(index, () => ({ relation: 'x' }))],
  ['another column that waits', 'ARCHIVE_DAMAGED', (index) => withFile(index, () => ({ late_seed_columns: ['x'] }))],
  ['a file too many', 'ARCHIVE_ENTRY_REFUSED', (index) => ({ files: [...index.files, nowhere(index)] })],
  ['a file too few', 'ARCHIVE_ENTRY_REFUSED', (index) => ({ files: index.files.slice(1) })],
  ['a terabyte', 'ARCHIVE_TOO_LARGE', (index) => withFile(index, () => ({ bytes: 2 ** 40, records: 1 }))],
  [
    'a terabyte in many records',
    'ARCHIVE_DAMAGED',
    (index) => withFile(index, () => ({ bytes: 2 ** 40, records: 2 ** 30 })),
  ],
]

function other(sha256: string): string {
  return sha256.replace(/./g, (digit) => (15 - Number.parseInt(digit, 16)).toString(16))
}

function nowhere(index: ArchiveIndex): FileEntry {
  const [first] = index.files
  const relation = index.model.relations.find(({ name }) => !index.files.some((file) => file.relation === name))
  return { ...(first as FileEntry), file: 'nowhere.json', relation: relation?.name ?? 'nowhere' }
}

test.each(lies)('refuses an index that tells of %s', async (_, code, edit) => {
  const { path, entries } = await goodEntries()
  const withSpare = (index: ArchiveIndex) => {
    const [first] = index.model.relations
    return { model: { relations: [...index.model.relations, { ...first, name: 'nowhere' }] }, ...edit(index) }
  }
  writeFileSync(path, craftArchive(lying(entries, withSpare)))
  expect(await failureOf(verifyArchive(path))).toMatchObject({ code })
})

/** Reads as an import does, and keeps nothing. */
async function readOn(path: string): Promise<void> {
  for await (const file of openArchive(path)) for await (const _ of file.lines());
}

test('does not read a record of a gigabyte to its end', async () => {
  const { path, entries } = await goodEntries()
  const size = 2 ** 30 + 4096
  const index = lying(entries, (told) => withFile(told, () => ({ bytes: size, records: 3 })))
  const { files } = JSON.parse(String(index[0]?.content)) as ArchiveIndex
  const users = files.find(({ relation }) => relation === 'users') as FileEntry
  const front = craftTar([...index.slice(0, 1), { name: users.file, size }]).subarray(0, -1024)
  const head = Buffer.concat([documentHead(users), Buffer.from('{"master_id":1,"name":"')])
  const megabyte = gzipSync(Buffer.alloc(2 ** 20, 'x'))
  const end = Buffer.from('this is where a reader must not come')
  writeFileSync(
    path,
    Buffer.concat([gzipSync(front), gzipSync(head), ...Array.from({ length: 1024 }, () => megabyte), end]),
  )
  expect(await failureOf(readOn(path))).toMatchObject({
    code: 'ARCHIVE_TOO_LARGE',
    message: expect.stringContaining('record 1 of public.users (users.json) is too long'),
  })
})

test('the entries that the others spoil are good', async () => {
  const { path, entries } = await goodEntries()
  writeFileSync(path, craftArchive([{ name: './', type: '5' }, ...entries.reverse()]))
  await verifyArchive(path)
})

test('refuses ten thousand entries that the index does not know at the first of them', async () => {
  const { path, entries } = await goodEntries()
  const many = Array.from({ length: 10_000 }, (_, at) => ({ name: `t${at}.json` }))
  writeFileSync(path, craftArchive([...entries, ...many]))
  expect(await failureOf(verifyArchive(path))).toMatchObject({ message: expect.stringContaining('"t0.json"') })
  writeFileSync(path, craftArchive(many))
  expect(await failureOf(verifyArchive(path))).toMatchObject({ code: 'ARCHIVE_NOT_RECOGNISED' })
})

const MEGABYTE_OF_ZEROS = gzipSync(Buffer.alloc(1024 * 1024))
const GIGABYTES_OF_ZEROS = Buffer.concat(Array.from({ length: 10 * 1024 }, () => MEGABYTE_OF_ZEROS))

const TEN_GIGABYTES = 10 * 2 ** 30

test.each<[string, string, (entries: CraftedEntry[]) => Buffer]>([
  ['behind the last entry', 'ARCHIVE_TOO_LARGE', craftTar],
  [
    'as a file of ten gigabytes',
    'ARCHIVE_ENTRY_REFUSED',
    (entries) => craftTar([...entries, { name: 'x.json', size: TEN_GIGABYTES }]).subarray(0, -1024),
  ],
  [
    'under the name of a file of the index',
    'ARCHIVE_DAMAGED',
    (entries) =>
      craftTar([...entries.slice(0, -1), { name: entries.at(-1)?.name ?? '', size: TEN_GIGABYTES }]).subarray(0, -1024),
  ],
  [
    'in front of everything',
    'ARCHIVE_TOO_LARGE',
    () => craftTar([{ name: 'x.json', size: TEN_GIGABYTES }]).subarray(0, -1024),
  ],
])('does not read ten gigabytes of zeros to their end: %s', async (_, code, craft) => {
  const { path, entries } = await goodEntries()
  // Whoever reads that far finds no gzip there, and says so.
  const end = Buffer.from('this is where a reader must not come')
  writeFileSync(path, Buffer.concat([gzipSync(craft(entries)), GIGABYTES_OF_ZEROS, end]))
  const error = await failureOf(verifyArchive(path))
  expect(error).toMatchObject({ code })
  expect(error.detail ?? '').not.toMatch(/header|follow/)
})

test('never fails with anything but its own error, whatever bytes it is given', async () => {
  const { path, entries } = await goodEntries()
  const tar = craftTar(entries)
  await fc.assert(
    fc.asyncProperty(fc.nat(tar.length), fc.uint8Array({ maxLength: 600 }), async (at, bytes) => {
      const spoiled = Buffer.from(tar)
      spoiled.set(bytes.subarray(0, spoiled.length - at), at)
      writeFileSync(path, gzipSync(spoiled, { level: 1 }))
      await verifyArchive(path).catch((error: unknown) => expect(error).toBeInstanceOf(UnderstudyError))
    }),
    { numRuns: 200 },
  )
})
