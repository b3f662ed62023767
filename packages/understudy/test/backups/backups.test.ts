import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { writeFolders } from '../../src/archive/write-folders.js'
import { listBackups, showBackup, verifyBackups } from '../../src/backups/list-backups.js'
import { pruneBackups } from '../../src/backups/prune-backups.js'
import { resolveSettings } from '../../src/config/resolve-settings.js'
import { writeExample } from '../archive/support.js'
import { runCli } from '../cli/run-cli.js'
import { servers } from '../support/engines.js'
import { createStage } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'

async function folderOfArchives() {
  const root = await createScratchFolder()
  const archives = join(root, 'data', 'sync')
  await writeExample(join(archives, '2026-01-01T00-00-00-000Z.backup.tar.gz'), undefined, {
    id: '33333333-3333-4333-8333-333333333333',
    created_at: '2026-01-01T00:00:00.000Z',
  })
  const bytes = await readFile(join(archives, '2026-01-01T00-00-00-000Z.backup.tar.gz'))
  // The plan's own name for a gzipped tar, and a tar that is not compressed.
  await writeFile(join(archives, '2026-02-01T00-00-00-000Z.backup.tar'), bytes)
  await writeFile(join(archives, '2026-03-01T00-00-00-000Z.backup.tar'), gunzipSync(bytes))
  await writeFile(join(archives, '2026-04-01T00-00-00-000Z.backup.tar.gz'), bytes.subarray(0, bytes.length - 30))
  return { root, archives, settings: resolveSettings({}, { root, configFile: null, environment: {} }) }
}

describe('backups', () => {
  test('are listed with what their indexes say, gzipped or not, and shown by name', async () => {
    const { settings } = await folderOfArchives()
    const found = await listBackups(settings)
    expect(found.map(({ name, index }) => [name.slice(0, 7), index?.source.database])).toEqual([
      ['2026-04', 'stage'],
      ['2026-03', 'stage'],
      ['2026-02', 'stage'],
      ['2026-01', 'stage'],
    ])
    const shown = await showBackup(settings, '2026-02-01T00-00-00-000Z.backup.tar')
    expect(shown.index?.files).toHaveLength(3)
    await expect(showBackup(settings, 'nothing.backup.tar')).rejects.toMatchObject({ code: 'ARCHIVE_NOT_FOUND' })
  })

  test('are verified to the end: one that is cut off is found, the others pass', async () => {
    const { settings } = await folderOfArchives()
    const found = await verifyBackups(settings)
    expect(found.map(({ problem }) => problem?.code ?? 'sound')).toEqual(['ARCHIVE_DAMAGED', 'sound', 'sound', 'sound'])
    expect(await verifyBackups(settings, ['latest'])).toMatchObject([{ problem: { code: 'ARCHIVE_DAMAGED' } }])
  })

  test('have their documents written into folders, each named by the time, readable by their owner alone', async () => {
    const { root, archives } = await folderOfArchives()
    const path = join(archives, '2026-01-01T00-00-00-000Z.backup.tar.gz')
    const written = await writeFolders(path, join(root, 'data'))
    expect(written.documents).toContain(join(root, 'data', 'events', '2026-01-01T00-00-00-000Z.json'))
    const events = JSON.parse(readFileSync(join(root, 'data', 'events', '2026-01-01T00-00-00-000Z.json'), 'utf8'))
    expect(events).toMatchObject({ table: 'events', record_count: 2, records: [{ name: 'Straße' }, {}] })
    const index = JSON.parse(readFileSync(written.index, 'utf8'))
    expect(index.files.map(({ relation }: { relation: string }) => relation)).toEqual(['events', 'posts', 'T'])
    expect(statSync(written.index).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(root, 'data', 'events'))).toHaveLength(1)
  })
})

describe.each(servers.slice(0, 1))('with a database, backups', (engine) => {
  test('are pruned by the rules; the one that database and source have in common stays', async () => {
    const schema = 'create table things (code text primary key)'
    const source = await createStage(engine, `${schema}; insert into things values ('a')`)
    const target = await createStage(engine, schema)
    const into = `${target.settings.archives}/`
    const age = (name: string) => join(into, name)
    const base = await source.export({ out: age('2020-01-01T00-00-00-000Z.backup.tar.gz') })
    await target.import(base.path)
    const skipped = await source.export({ out: age('2020-01-02T00-00-00-000Z.backup.tar.gz') })
    const newest = await source.export({ out: age('2020-01-03T00-00-00-000Z.backup.tar.gz') })
    const { database } = target.created
    const rules = { keep: 1, keepDays: 0, database }

    const dry = await pruneBackups(target.settings, { ...rules, isDryRun: true })
    expect(dry.backups.map(({ isRemoved, reason }) => [isRemoved, reason])).toEqual([
      [false, 'one of the newest 1'],
      [true, '0 days old'],
      [false, 'the base of a merge'],
    ])
    await expect(pruneBackups(target.settings, { ...rules, confirm: async () => false })).rejects.toMatchObject({
      code: 'CANCELLED',
    })
    expect(existsSync(skipped.path)).toBe(true)
    await pruneBackups(target.settings, rules)
    expect([base, skipped, newest].map(({ path }) => existsSync(path))).toEqual([true, false, true])
  })

  test('from the command line: list, show, verify, prune, and an export into folders', async () => {
    const { settings, created } = await createStage(
      engine,
      `create table things (code text primary key); insert into things values ('a')`,
    )
    await created.database.close()
    const run = (...args: string[]) => runCli(args, { cwd: settings.root, environment: { DATABASE_URL: created.url } })
    expect((await run('backups', 'list')).stdout).toMatch(/^no archive in /)
    const exported = await run('export', '--layout', 'folders')
    expect(exported).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/data\/things\/.+\.json\n/) })
    expect((await run('backups', 'list')).stdout).toMatch(/\.backup\.tar\.gz +20.* UTC +\S+ +1 /)
    expect((await run('backups', 'show')).stdout).toMatch(/instance [0-9a-f-]{36}, .*\nthings +1 /s)
    expect(await run('backups', 'verify')).toMatchObject({ exitCode: 0 })
    const [name = ''] = readdirSync(settings.archives)
    expect(await run('validate', '--archive', name)).toMatchObject({ exitCode: 0 })
    expect((await run('adopt', '--by', 'primary-key', name, '--dry-run')).stderr).toContain('(ADOPT_REFUSED)')
    await writeFile(join(settings.archives, '2019-01-01T00-00-00-000Z.backup.tar'), 'no archive')
    const verified = await run('backups', 'verify')
    expect(verified).toMatchObject({ exitCode: 4, stdout: expect.stringContaining('damaged: 2019') })
    expect((await run('backups', 'prune')).stderr).toContain('no terminal')
    const pruned = await run('backups', 'prune', '--yes', '--keep', '0', '--keep-days', '0')
    expect(pruned.stdout).toMatch(/cannot be read\n\nremoved 1 of 2 archives/)
    expect(readdirSync(settings.archives)).toEqual(['2019-01-01T00-00-00-000Z.backup.tar'])
  })
})
