import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { expect, test } from 'vitest'
import {
  archivePath,
  findLatestArchive,
  listArchives,
  locateArchive,
  resolveInput,
  resolveOutput,
} from '../../src/archive/store.js'
import { failureOf, temporaryFolder } from './support.js'

const date = new Date('2026-11-22T10:30:00.123Z')

test('names an archive by its time, without a colon', () => {
  expect(archivePath('data/sync', date)).toBe(join('data', 'sync', '2026-11-22T10-30-00-123Z.backup.tar.gz'))
})

test('takes --out for a folder where it is one or ends like one, and for the file otherwise', async () => {
  const folder = temporaryFolder()
  expect(await resolveOutput(folder, date)).toBe(archivePath(folder, date))
  expect(await resolveOutput(`${join(folder, 'new')}${sep}`, date)).toBe(archivePath(join(folder, 'new'), date))
  expect(await resolveOutput(join(folder, 'my.backup.tar.gz'), date)).toBe(join(folder, 'my.backup.tar.gz'))
})

test('lists archives newest first by the time in their names, then by their own', async () => {
  const folder = temporaryFolder()
  const files: [string, string][] = [
    ['2026-11-22T10-30-00-123Z.backup.tar.gz', '2020-01-01'],
    ['2026-11-22T10-30-00-124Z.backup.tar', '2019-01-01'],
    ['mine.backup.tar.gz', '2026-11-22T10:30:00.123Z'],
    ['old.backup.tar', '2001-01-01'],
    ['.2026-11-23T10-30-00-123Z.backup.tar.gz.1-00000000.partial', '2030-01-01'],
    ['.hidden.backup.tar.gz', '2030-01-01'],
    ['notes.txt', '2030-01-01'],
  ]
  for (const [name, time] of files) {
    writeFileSync(join(folder, name), '')
    utimesSync(join(folder, name), new Date(time), new Date(time))
  }
  mkdirSync(join(folder, 'folder.backup.tar.gz'))
  expect((await listArchives(folder)).map(({ name }) => name)).toEqual([
    '2026-11-22T10-30-00-124Z.backup.tar',
    'mine.backup.tar.gz',
    '2026-11-22T10-30-00-123Z.backup.tar.gz',
    'old.backup.tar',
  ])
  expect(await findLatestArchive(folder)).toBe(join(folder, '2026-11-22T10-30-00-124Z.backup.tar'))
  expect(await resolveInput(folder)).toBe(join(folder, '2026-11-22T10-30-00-124Z.backup.tar'))
  expect(await resolveInput(join(folder, 'old.backup.tar'))).toBe(join(folder, 'old.backup.tar'))
})

test('a name alone is an archive of the folder, unless a file of that name is here; a path is a path', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'mine.backup.tar.gz'), '')
  expect(await locateArchive(folder, 'latest')).toBe(join(folder, 'mine.backup.tar.gz'))
  expect(await locateArchive(folder, 'mine.backup.tar.gz')).toBe(join(folder, 'mine.backup.tar.gz'))
  expect(await locateArchive(folder, './mine.backup.tar.gz')).toBe(resolve('mine.backup.tar.gz'))
  expect(await locateArchive(folder, 'package.json')).toBe(resolve('package.json'))
  expect(await locateArchive(folder, 'nothing')).toBe(resolve('nothing'))
})

test('says which folder holds no archive', async () => {
  const folder = temporaryFolder()
  for (const path of [folder, join(folder, 'none')]) {
    expect(await failureOf(findLatestArchive(path))).toMatchObject({
      code: 'ARCHIVE_NOT_FOUND',
      message: `no archive in the folder ${path}`,
    })
  }
  expect(await failureOf(resolveInput(join(folder, 'none')))).toMatchObject({ code: 'ARCHIVE_NOT_FOUND' })
})
