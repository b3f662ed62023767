import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sweepLeftovers, workingPaths } from '../../src/archive/working-files.js'
import { createArchive } from '../../src/archive/writer.js'
import { temporaryFolder } from './support.js'

const deadPid = spawnSync(process.execPath, ['-e', '']).pid

function leave(folder: string, name: string, { isFolder = false } = {}): void {
  const path = join(folder, name)
  if (isFolder) mkdirSync(path)
  const file = isFolder ? join(path, '0.gz') : path
  writeFileSync(file, '')
  utimesSync(file, 0, 0)
  utimesSync(path, 0, 0)
}

test('sweeps what a dead process left, and nothing else', async () => {
  const folder = temporaryFolder()
  leave(folder, `.a.backup.tar.gz.${deadPid}-0123abcd.partial`)
  leave(folder, `.a.backup.tar.gz.${deadPid}-0123abcd.spool`, { isFolder: true })
  const kept = [
    `.a.backup.tar.gz.${process.pid}-0123abcd.partial`,
    `.a.backup.tar.gz.${deadPid}.partial`,
    `a.backup.tar.gz.${deadPid}-0123abcd.partial`,
    `.a.${deadPid}-0123abcd.other`,
    '.partial',
    'a.backup.tar.gz',
  ]
  for (const name of kept) leave(folder, name)
  expect((await sweepLeftovers(folder)).sort()).toEqual([
    `.a.backup.tar.gz.${deadPid}-0123abcd.partial`,
    `.a.backup.tar.gz.${deadPid}-0123abcd.spool`,
  ])
  expect(readdirSync(folder).sort()).toEqual(kept.sort())
})

test('spares what was touched just now: its process may live in another container', async () => {
  const folder = temporaryFolder()
  const name = `.a.backup.tar.gz.${deadPid}-0123abcd.spool`
  mkdirSync(join(folder, name))
  writeFileSync(join(folder, name, '0.gz'), '')
  utimesSync(join(folder, name), 0, 0)
  expect(await sweepLeftovers(folder)).toEqual([])
  expect(await sweepLeftovers(folder, { idleMs: 0 })).toEqual([name])
})

test('the next archive sweeps its folder', async () => {
  const folder = temporaryFolder()
  leave(folder, `.a.backup.tar.gz.${deadPid}-0123abcd.partial`)
  const archive = await createArchive({ path: join(folder, 'b.backup.tar.gz') })
  await archive.abort()
  expect(readdirSync(folder)).toEqual([])
})

test('gives two archives of one name working files of their own', () => {
  const [one, other] = [workingPaths('d/a', undefined), workingPaths('d/a', undefined)]
  expect(one.partial).not.toBe(other.partial)
  expect(one.spool).toMatch(/^d[/\\]\.a\./)
})
