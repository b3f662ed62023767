import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { openArchive, readArchive, verifyArchive } from '../../src/archive/reader.js'
import { EXAMPLE, failureOf, readAll, temporaryFolder, textOf, writeExample } from './support.js'

const tarVersion = spawnSync('tar', ['--version'], { encoding: 'utf8' })
const isGnuTar = tarVersion.status === 0 && tarVersion.stdout.includes('GNU')

const STAGED = {
  'events.json': '1\x027\x02{"xmlid":"e1","name":"Straße"}\n2\x02[1, "b,}"]\x02{"xmlid":"e2","name":"\\u0002 } , ]"}\n',
  'posts.json': '',
  'stage-t-5676ad293eca.json': '1\x02null\x02{}\n',
}

async function example(): Promise<{ folder: string; path: string }> {
  const folder = temporaryFolder()
  const { path } = await writeExample(join(folder, 'a.backup.tar.gz'))
  return { folder, path }
}

test('streams every relation as lines for staging, in the order of the archive', async () => {
  const { path } = await example()
  expect(Object.entries(await readAll(path))).toEqual(Object.entries(STAGED))
})

test('reads the index without reading the rest', async () => {
  const { folder, path } = await example()
  const index = await readArchive(path)
  const bytes = readFileSync(path)
  const beginning = join(folder, 'beginning.backup.tar.gz')
  writeFileSync(beginning, bytes.subarray(0, index.files[0]?.offset))
  expect(await readArchive(beginning)).toEqual(index)
  expect(await failureOf(verifyArchive(beginning))).toMatchObject({ code: 'ARCHIVE_DAMAGED' })
})

test('gives large chunks whatever the size of the lines', async () => {
  const folder = temporaryFolder()
  const lines = Array.from({ length: 60_000 }, (_, at) => `{"master_id":${at},"name":"Workshop ${at}"}\n`).join('')
  const { path } = await writeExample(join(folder, 'a.backup.tar.gz'), { events: lines })
  const sizes: number[] = []
  for await (const file of openArchive(path)) for await (const chunk of file.lines()) sizes.push(chunk.length)
  expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(64 * 1024)
  expect(Math.max(...sizes)).toBeLessThan(1024 * 1024)
})

test('passes over a file whose lines nobody asked for, or asked for in part', async () => {
  const folder = temporaryFolder()
  const long = Array.from({ length: 100_000 }, (_, at) => `{"master_id":1,"a":"${at}"}\n`).join('')
  const { path } = await writeExample(join(folder, 'a.backup.tar.gz'), { a: long, b: long, c: '{"master_id":1}\n' })
  const seen: string[] = []
  for await (const { entry, lines } of openArchive(path)) {
    if (entry.relation === 'b') for await (const _ of lines()) break
    if (entry.relation === 'c') seen.push(await textOf(lines()))
  }
  expect(seen).toEqual(['1\x021\x02{}\n'])
})

test('lets go of the file when its consumer stops or fails', async () => {
  const { folder, path } = await example()
  for await (const _ of openArchive(path)) break
  await expect(
    (async () => {
      for await (const _ of openArchive(path)) throw new Error('mine')
    })(),
  ).rejects.toThrow('mine')
  renameSync(path, join(folder, 'b.backup.tar.gz'))
})

test('stops when the signal says so', async () => {
  const { path } = await example()
  const stop = new AbortController()
  await expect(
    (async () => {
      for await (const file of openArchive(path, { signal: stop.signal })) {
        stop.abort(new Error('enough'))
        await textOf(file.lines())
      }
    })(),
  ).rejects.toThrow('enough')
  await expect(readArchive(path, { signal: stop.signal })).rejects.toThrow('enough')
})

test('reads an archive that was only unzipped', async () => {
  const { folder, path } = await example()
  const plain = join(folder, 'a.backup.tar')
  writeFileSync(plain, gunzipSync(readFileSync(path)))
  expect(await readAll(plain)).toEqual(STAGED)
  expect(await verifyArchive(plain)).toEqual(await readArchive(path))
})

test('refuses an archive that is another than the one a plan was made from', async () => {
  const { folder, path } = await example()
  const { index } = await writeExample(join(folder, 'b.backup.tar.gz'), EXAMPLE, { warnings: ['another'] })
  const reading = (async () => {
    for await (const _ of openArchive(path, { expectedIndexSha256: index.index_sha256 }));
  })()
  expect(await failureOf(reading)).toMatchObject({
    code: 'ARCHIVE_DAMAGED',
    detail: expect.stringContaining('another archive'),
  })
})

test('ends at a record beyond the limit it is given', async () => {
  const { path } = await example()
  expect(await failureOf(verifyArchive(path, { maxRecordBytes: 30 }))).toMatchObject({ code: 'ARCHIVE_TOO_LARGE' })
})

test('says where there is no archive, and what is none', async () => {
  const folder = temporaryFolder()
  expect(await failureOf(readArchive(join(folder, 'none')))).toMatchObject({ code: 'ARCHIVE_NOT_FOUND' })
  expect(await failureOf(readArchive(folder))).toMatchObject({ code: 'ARCHIVE_NOT_RECOGNISED' })
  for (const content of ['', 'x', 'PK\x03\x04', '{"table":"events"}'.repeat(100)]) {
    writeFileSync(join(folder, 'x'), content)
    expect(await failureOf(readArchive(join(folder, 'x')))).toMatchObject({ code: 'ARCHIVE_NOT_RECOGNISED' })
  }
})

describe.runIf(isGnuTar)('packed again by hand', () => {
  const repack = (folder: string, args: string[], name = 'again.backup.tar.gz'): string => {
    execFileSync(
      'tar',
      args.map((arg) => (arg === 'OUT' ? join(folder, name) : arg)),
      { cwd: join(folder, 'files') },
    )
    return join(folder, name)
  }

  async function unpacked(): Promise<string> {
    const { folder, path } = await example()
    mkdirSync(join(folder, 'files'))
    execFileSync('tar', ['-xzf', path, '-C', join(folder, 'files')])
    return folder
  }

  test.each([
    ['as a folder', ['-czf', 'OUT', '.']],
    [
      'with the index last',
      ['-czf', 'OUT', 'posts.json', 'events.json', 'stage-t-5676ad293eca.json', 'backup-index.json'],
    ],
    ['in pax format', ['--format=pax', '-czf', 'OUT', '.']],
    [
      'in old GNU format',
      [
        '--format=oldgnu',
        '-czf',
        'OUT',
        './backup-index.json',
        './events.json',
        './posts.json',
        './stage-t-5676ad293eca.json',
      ],
    ],
    ['not compressed', ['-cf', 'OUT', '.']],
  ])('reads it: %s', async (_, args) => {
    const folder = await unpacked()
    const path = repack(folder, args)
    expect(await readAll(path)).toEqual(STAGED)
    await verifyArchive(path)
  })

  test('refuses a file too many, and names it', async () => {
    const folder = await unpacked()
    copyFileSync(join(folder, 'files', 'posts.json'), join(folder, 'files', 'more.json'))
    const path = repack(folder, ['-czf', 'OUT', '.'])
    expect(await failureOf(verifyArchive(path))).toMatchObject({
      code: 'ARCHIVE_ENTRY_REFUSED',
      message: expect.stringContaining('"more.json"'),
    })
  })

  test('refuses a document that was edited, and names its relation', async () => {
    const folder = await unpacked()
    const file = join(folder, 'files', 'events.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace('Straße', 'Strase'))
    const shorter = await failureOf(verifyArchive(repack(folder, ['-czf', 'OUT', '.'])))
    expect(shorter.detail).toMatch(/^events\.json: \d+ bytes in the index, \d+ in the archive$/)
    writeFileSync(file, readFileSync(file, 'utf8').replace('Strase', 'Strasse'))
    const same = await failureOf(verifyArchive(repack(folder, ['-czf', 'OUT', '.'], 'third.backup.tar.gz')))
    expect(same).toMatchObject({
      code: 'ARCHIVE_DAMAGED',
      message: expect.stringContaining('events.json (public.events)'),
    })
    expect(same.detail).toMatch(/^sha256: [0-9a-f]{64} in the index, [0-9a-f]{64} found\ncontent_sha256: /)
  })

  test('refuses a symbolic link', async () => {
    const folder = await unpacked()
    const file = join(folder, 'files', 'posts.json')
    renameSync(file, join(folder, 'posts.json'))
    symlinkSync(join(folder, 'posts.json'), file)
    expect(await failureOf(verifyArchive(repack(folder, ['-czf', 'OUT', '.'])))).toMatchObject({
      code: 'ARCHIVE_ENTRY_REFUSED',
      message: expect.stringContaining('is a symlink'),
    })
  })
})

test('tells all files that are bad, not just the first', async () => {
  const { folder, path } = await example()
  const tar = gunzipSync(readFileSync(path))
  for (const text of ['Straße', '{"master_id":null}']) tar[tar.indexOf(text) + 3] = 0x78
  const bad = join(folder, 'bad.backup.tar.gz')
  writeFileSync(bad, gzipSync(tar))
  const error = await failureOf(verifyArchive(bad))
  expect(error.message).toBe(`2 faults in the archive ${bad}`)
  expect(error.detail).toContain('events.json (public.events)')
  expect(error.detail).toContain('stage.T')
})
