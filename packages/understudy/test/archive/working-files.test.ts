import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sweepLeftovers, workingPaths } from '../../src/archive/working-files.js'
import { createArchive } from '../../src/archive/writer.js'
import { temporaryFolder } from './support.js'

const deadPid = spawnSync(process.execPath, ['-e', '']).pid

/** What this machine's processes put behind their id. */
const [, here = ''] = /\.\d+-([0-9a-f]{8})-/.exec(workingPaths('a', undefined).partial) ?? []
const stem = (pid: number, space = here) => `.a.backup.tar.gz.${pid}-${space}-0123abcd`

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
  leave(folder, `${stem(deadPid)}.partial`)
  leave(folder, `${stem(deadPid)}.spool`, { isFolder: true })
  const kept = [
    `${stem(process.pid)}.partial`,
    `.a.backup.tar.gz.${deadPid}.partial`,
    `${stem(deadPid).slice(1)}.partial`,
    `${stem(deadPid)}.other`,
    '.partial',
    'a.backup.tar.gz',
  ]
  for (const name of kept) leave(folder, name)
  expect((await sweepLeftovers(folder)).sort()).toEqual([`${stem(deadPid)}.partial`, `${stem(deadPid)}.spool`])
  expect(readdirSync(folder).sort()).toEqual(kept.sort())
})

test('sweeps at once what a dead process of this machine was writing a moment ago', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, `${stem(deadPid)}.spool`))
  expect(await sweepLeftovers(folder)).toEqual([`${stem(deadPid)}.spool`])
})

test('spares what another machine or container touched within an hour: its processes are not seen here', async () => {
  const folder = temporaryFolder()
  const name = `${stem(deadPid, '00000000')}.spool`
  mkdirSync(join(folder, name))
  writeFileSync(join(folder, name, '0.gz'), '')
  utimesSync(join(folder, name), 0, 0)
  expect(await sweepLeftovers(folder)).toEqual([])
  utimesSync(join(folder, name, '0.gz'), 0, 0)
  expect(await sweepLeftovers(folder)).toEqual([name])
})

test('the next archive sweeps its folder', async () => {
  const folder = temporaryFolder()
  leave(folder, `${stem(deadPid)}.partial`)
  const archive = await createArchive({ path: join(folder, 'b.backup.tar.gz') })
  await archive.abort()
  expect(readdirSync(folder)).toEqual([])
})

test('gives two archives of one name working files of their own', () => {
  const [one, other] = [workingPaths('d/a', undefined), workingPaths('d/a', undefined)]
  expect(one.partial).not.toBe(other.partial)
  expect(one.spool).toMatch(/^d[/\\]\.a\./)
})
