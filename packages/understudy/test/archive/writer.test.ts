import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { readArchive, verifyArchive } from '../../src/archive/reader.js'
import { createArchive } from '../../src/archive/writer.js'
import {
  addAll,
  chunked,
  EXAMPLE,
  factsFor,
  failureOf,
  readAll,
  relationOf,
  temporaryFolder,
  writeExample,
} from './support.js'

const hasTar = spawnSync('tar', ['--version']).status === 0
const isRoot = process.getuid?.() === 0
/** For a child process, whose file size can be limited. */
const BUILT_WRITER = new URL('../../dist/archive/writer.js', import.meta.url)
const events = { ...relationOf('events'), lateSeedColumns: [] }

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The document that the records of a relation make. */
function documentOf(table: string, lines: readonly string[]): Buffer {
  const head = `{"table":"${table}","schema":"public","version":"2.0.0","record_count":${lines.length},"late_seed_columns":[],"records":[\n`
  return Buffer.from(`${head}${lines.join(',\n')}${lines.length > 0 ? '\n' : ''}]}\n`)
}

describe.runIf(hasTar)('with tar', () => {
  test('makes an archive that tar unpacks into JSON documents of the layout', async () => {
    const folder = temporaryFolder()
    const { path } = await writeExample(join(folder, 'a.backup.tar.gz'))
    execFileSync('tar', ['-xzf', path, '-C', folder])
    expect(readFileSync(join(folder, 'events.json'), 'utf8')).toBe(
      '{"table":"events","schema":"public","version":"2.0.0","record_count":2,"late_seed_columns":["parent_id"],"records":[\n' +
        '{"master_id":7,"xmlid":"e1","name":"Straße"},\n' +
        '{"master_id":[1, "b,}"],"xmlid":"e2","name":"\\u0002 } , ]"}\n]}\n',
    )
    for (const { file, relation, records } of (await readArchive(path)).files) {
      const document = JSON.parse(readFileSync(join(folder, file), 'utf8'))
      expect(document).toMatchObject({ table: relation, version: '2.0.0', record_count: records })
      expect(document.records).toHaveLength(records)
    }
    expect(JSON.parse(readFileSync(join(folder, 'backup-index.json'), 'utf8'))).toEqual(await readArchive(path))
  })

  test('lists the index first and the files in order of schema and relation', async () => {
    const { path } = await writeExample(join(temporaryFolder(), 'a.backup.tar.gz'))
    const listed = execFileSync('tar', ['-tzf', path], { encoding: 'utf8' }).trim().split('\n')
    expect(listed).toEqual([
      'backup-index.json',
      'events.json',
      'posts.json',
      expect.stringMatching(/^stage-t-[0-9a-f]{12}\.json$/),
    ])
  })
})

test('gives each file the checksums and the place that the index says', async () => {
  const { path, index, bytes } = await writeExample(join(temporaryFolder(), 'a.backup.tar.gz'))
  const archive = readFileSync(path)
  expect(archive.length).toBe(bytes)
  let end = index.files[0]?.offset ?? 0
  for (const entry of index.files) {
    expect(entry.offset).toBe(end)
    end += entry.compressed_bytes
    const tar = gunzipSync(archive.subarray(entry.offset, end))
    const document = tar.subarray(512, 512 + entry.bytes)
    expect(tar.toString('latin1', 0, entry.file.length)).toBe(entry.file)
    expect(sha256(document)).toBe(entry.sha256)
    const lines = document.toString().split('\n').slice(1, -2)
    const canonical = lines.map(
      (line) => `${line.replace(/,$/, '').replace(/^\{"master_id":(?:7|null|\[1, "b,\}"\]),?/, '{')}\n`,
    )
    expect(sha256(canonical.join(''))).toBe(entry.content_sha256)
  }
})

test('gives the same bytes for the same content, whatever the order of the relations and of their chunks', async () => {
  const folder = temporaryFolder()
  const { path: first } = await writeExample(join(folder, 'a.backup.tar.gz'))
  const archive = await createArchive({ path: join(folder, 'b.backup.tar.gz') })
  for (const [key, lines] of Object.entries(EXAMPLE).reverse()) {
    await archive.addRelation({ ...relationOf(key), lateSeedColumns: ['parent_id'] }, chunked(lines, 3))
  }
  const { path: second } = await archive.finish(factsFor(Object.keys(EXAMPLE).map(relationOf)))
  expect(readFileSync(second).equals(readFileSync(first))).toBe(true)
})

describe.each([
  ['kept in memory', 3, 'x'],
  ['kept in memory, nearly a piece', 1900, 'x'.repeat(100)],
  ['in a file, as long as one piece', 100, 'noise'],
  ['in a file, in many pieces', 40_000, 'noise'],
  ['of no records', 0, ''],
] as const)('a relation %s', (_, records, value) => {
  const lines = Array.from({ length: records }, (_, at) => {
    const text = value === 'noise' ? createHash('sha512').update(String(at)).digest('base64').repeat(3) : value
    return `{"master_id":${at},"n":${at},"a":"${text}"}`
  })
  const document = documentOf('events', lines)

  test('has the checksums of its document, told the number of records beforehand, told a wrong one, or not told', async () => {
    for (const expectedRecords of [undefined, records, records + 7]) {
      const path = join(temporaryFolder(), 'a.backup.tar.gz')
      const archive = await createArchive({ path })
      await archive.addRelation(events, chunked(lines.map((line) => `${line}\n`).join('')), { expectedRecords })
      const { index } = await archive.finish(factsFor([events]))
      const [entry] = index.files
      expect(entry).toMatchObject({ records, bytes: document.length, sha256: sha256(document) })
      const tar = gunzipSync(readFileSync(path).subarray(entry?.offset))
      expect(tar.subarray(512, 512 + document.length).equals(document)).toBe(true)
      expect(await verifyArchive(path)).toEqual(index)
    }
  })
})

test('keeps small relations in memory, and writes files for the others', async () => {
  const spoolFolder = join(temporaryFolder(), 'spool')
  const archive = await createArchive({ path: join(temporaryFolder(), 'a.backup.tar.gz'), spoolFolder })
  const spooled = () => readdirSync(join(spoolFolder, readdirSync(spoolFolder)[0] ?? ''))
  await archive.addRelation(events, chunked('{"master_id":1,"a":2}\n'.repeat(1000)))
  expect(spooled()).toEqual([])
  await archive.addRelation(events, chunked(`{"master_id":1,"a":"${randomBytes(30_000).toString('hex')}"}\n`))
  expect(spooled()).toEqual(['1.gz'])
  await archive.addRelation(events, chunked('{"master_id":1,"a":2}\n'.repeat(20_000)))
  expect(spooled()).toEqual(['1.gz', '2.gz'])
  await archive.abort()
})

test('agrees with itself on 300 relations, whose offsets change the length of the index', async () => {
  const content = Object.fromEntries(
    Array.from({ length: 300 }, (_, at) => [`t${at}`, `{"master_id":${at},"a":"${'x'.repeat(at * 50)}"}\n`]),
  )
  const { path, index } = await writeExample(join(temporaryFolder(), 'a.backup.tar.gz'), content)
  expect(await verifyArchive(path)).toEqual(index)
  const archive = readFileSync(path)
  for (const entry of index.files) expect(archive.readUInt16BE(entry.offset)).toBe(0x1f8b)
  const indexBytes = gunzipSync(archive.subarray(0, index.files[0]?.offset)).length
  expect(index.files[0]?.offset).toBeLessThan(indexBytes / 3)
})

test('holds a model of no relations', async () => {
  const { path } = await writeExample(join(temporaryFolder(), 'a.backup.tar.gz'), {})
  expect((await verifyArchive(path)).files).toEqual([])
})

test.skipIf(process.platform === 'win32')('lets nobody else read it, neither while it is made nor later', async () => {
  const folder = temporaryFolder()
  const archive = await createArchive({ path: join(folder, 'a.backup.tar.gz') })
  await addAll(archive, EXAMPLE)
  const [spool = ''] = readdirSync(folder)
  expect(statSync(join(folder, spool)).mode & 0o777).toBe(0o700)
  for (const name of readdirSync(join(folder, spool)))
    expect(statSync(join(folder, spool, name)).mode & 0o777).toBe(0o600)
  const { path } = await archive.finish(factsFor(Object.keys(EXAMPLE).map(relationOf)))
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('leaves the archive and nothing else', async () => {
  const folder = temporaryFolder()
  await writeExample(join(folder, 'new', 'a.backup.tar.gz'))
  expect(readdirSync(join(folder, 'new'))).toEqual(['a.backup.tar.gz'])
})

test('shows no file under an archive name until it is complete, and none after an abort', async () => {
  const folder = temporaryFolder()
  const archive = await createArchive({ path: join(folder, 'a.backup.tar.gz') })
  await addAll(archive, EXAMPLE)
  expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual([])
  await archive.abort()
  await archive.abort()
  expect(readdirSync(folder)).toEqual([])
  expect(await failureOf(archive.finish(factsFor([])))).toMatchObject({ code: 'ARCHIVE_WRITE_FAILED' })
  expect(await failureOf(archive.addRelation(events, chunked('')))).toMatchObject({ code: 'ARCHIVE_WRITE_FAILED' })
})

test('stops a relation whose lines do not come any more when it is aborted', async () => {
  const folder = temporaryFolder()
  const archive = await createArchive({ path: join(folder, 'a.backup.tar.gz') })
  async function* stuck(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"master_id":1}\n')
    await new Promise(() => {})
  }
  const adding = failureOf(archive.addRelation(events, stuck()))
  await archive.abort()
  expect(await adding).toMatchObject({ code: 'ARCHIVE_WRITE_FAILED' })
  expect(readdirSync(folder)).toEqual([])
})

test("passes on what the lines' source fails with, and cannot be finished then", async () => {
  const folder = temporaryFolder()
  const archive = await createArchive({ path: join(folder, 'a.backup.tar.gz') })
  const lost = new Error('connection lost')
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"master_id":1}\n')
    throw lost
  }
  await expect(archive.addRelation(events, broken())).rejects.toBe(lost)
  await expect(archive.finish(factsFor([events]))).rejects.toBe(lost)
  expect(readdirSync(folder)).toEqual([])
})

test('closes the source of the lines when it refuses one', async () => {
  const archive = await createArchive({ path: join(temporaryFolder(), 'a.backup.tar.gz') })
  let isClosed = false
  async function* lines(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from('x\n'.repeat(200_000))
    } finally {
      isClosed = true
    }
  }
  expect(await failureOf(archive.addRelation(events, lines()))).toMatchObject({ code: 'ARCHIVE_LINE_INVALID' })
  expect(isClosed).toBe(true)
  await archive.abort()
})

test('reports how far it is', async () => {
  const archive = await createArchive({ path: join(temporaryFolder(), 'a.backup.tar.gz') })
  const seen: [number, number][] = []
  const lines = '{"master_id":1,"a":2}\n'.repeat(50_000)
  const entry = await archive.addRelation(events, chunked(lines), {
    onProgress: (rows, bytes) => seen.push([rows, bytes]),
  })
  await archive.abort()
  expect(seen.length).toBeGreaterThan(3)
  expect(seen.at(-1)?.[0]).toBe(entry.records)
})

test('does not write over a file, not even one that came meanwhile', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'a.backup.tar.gz')
  const archive = await createArchive({ path })
  writeFileSync(path, 'mine')
  expect(await failureOf(createArchive({ path }))).toMatchObject({ code: 'ARCHIVE_EXISTS' })
  expect(await failureOf(archive.finish(factsFor([])))).toMatchObject({ code: 'ARCHIVE_EXISTS' })
  expect(readFileSync(path, 'utf8')).toBe('mine')
  expect(readdirSync(folder)).toEqual(['a.backup.tar.gz'])
})

test('refuses a relation given twice, and an index that a reader would refuse, and leaves nothing', async () => {
  const folder = temporaryFolder()
  const twice = await createArchive({ path: join(folder, 'a.backup.tar.gz') })
  await twice.addRelation(events, chunked(''))
  await twice.addRelation(events, chunked(''))
  expect(await failureOf(twice.finish(factsFor([events])))).toMatchObject({ code: 'ARCHIVE_ENTRY_REFUSED' })
  const unknown = await createArchive({ path: join(folder, 'a.backup.tar.gz') })
  await unknown.addRelation(events, chunked(''))
  expect(await failureOf(unknown.finish(factsFor([])))).toMatchObject({ code: 'ARCHIVE_INDEX_INVALID' })
  expect(readdirSync(folder)).toEqual([])
})

test('keeps its spool where it is told', async () => {
  const folder = temporaryFolder()
  const spoolFolder = join(folder, 'spool')
  const archive = await createArchive({ path: join(folder, 'out', 'a.backup.tar.gz'), spoolFolder })
  expect(readdirSync(spoolFolder)).toHaveLength(1)
  await addAll(archive, EXAMPLE)
  const { path } = await archive.finish(factsFor(Object.keys(EXAMPLE).map(relationOf)))
  expect(readdirSync(spoolFolder)).toEqual([])
  expect(Object.keys(await readAll(path))).toHaveLength(3)
})

test.skipIf(isRoot || process.platform === 'win32')('names the folder that it may not write to', async () => {
  const folder = join(temporaryFolder(), 'closed')
  mkdirSync(folder)
  chmodSync(folder, 0o500)
  const error = await failureOf(createArchive({ path: join(folder, 'a.backup.tar.gz') }))
  expect(error).toMatchObject({ code: 'ARCHIVE_WRITE_FAILED', detail: expect.stringContaining('EACCES') })
})

test.skipIf(process.platform !== 'linux' || !existsSync(BUILT_WRITER))('leaves nothing where the disk is full', () => {
  const folder = temporaryFolder()
  const script = `
    const { createArchive } = await import(${JSON.stringify(BUILT_WRITER.href)})
    const { randomBytes } = await import('node:crypto')
    process.on('SIGXFSZ', () => {})
    const archive = await createArchive({ path: ${JSON.stringify(join(folder, 'a.backup.tar.gz'))} })
    async function* lines() { for (let i = 0; i < 50; i++) yield Buffer.from('{"master_id":1,"a":"' + randomBytes(50000).toString('hex') + '"}\\n') }
    try { await archive.addRelation({ schema: 'public', name: 't', lateSeedColumns: [] }, lines()) }
    catch (error) { await archive.abort(); console.log(error.code, error.detail) }`
  const { stdout } = spawnSync(
    'bash',
    ['-c', 'ulimit -f 500; exec "$0" --input-type=module -e "$1"', process.execPath, script],
    { encoding: 'utf8' },
  )
  expect(stdout).toMatch(/^ARCHIVE_WRITE_FAILED EFBIG/)
  expect(readdirSync(folder)).toEqual([])
  expect(existsSync(join(folder, 'a.backup.tar.gz'))).toBe(false)
})
