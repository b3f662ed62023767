import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Settings } from '../src/config/settings.js'
import * as door from '../src/index.js'
import { writeExample } from './archive/support.js'
import { servers } from './support/engines.js'
import { createStage, settingsFor } from './support/scenario.js'
import { createScratchFolder } from './support/scratch.js'
import { startMuteServer, type WireServer } from './support/wire-servers.js'

/** What a caller may give as a reason: not of our making. */
const REASON = new Error('no longer wanted')
let server: WireServer
let settings: Settings
let archive: string
let stop: AbortController
let onConnection = () => {}

beforeAll(async () => {
  server = await startMuteServer(undefined, () => onConnection())
  const root = await createScratchFolder()
  settings = settingsFor(`postgres://role@127.0.0.1:${server.port}/db?connect_timeout=4`, root)
  archive = join(settings.archives, '2026-11-22T10-30-00-123Z.backup.tar.gz')
  await mkdir(dirname(archive), { recursive: true })
  await mkdir(settings.migrations.folder)
  await writeFile(join(settings.migrations.folder, '001_first.sql'), 'select 1')
  await writeExample(archive)
})
afterAll(() => server.close())
beforeEach(() => {
  stop = new AbortController()
  onConnection = () => stop.abort(REASON)
})

type Call = (signal: AbortSignal) => Promise<unknown>

/** Every function of the library that takes a signal and connects. */
const CONNECTING: Readonly<Record<string, Call>> = {
  adoptDatabase: (signal) => door.adoptDatabase(settings, { how: 'as-copy', signal }),
  examineDatabase: (signal) => door.examineDatabase(settings, { signal }),
  exportContent: (signal) => door.exportContent(settings, { signal }),
  exportFileset: (signal) => door.exportFileset(settings, { out: join(settings.root, 'csv'), signal }),
  identifyRows: (signal) => door.identifyRows(settings, { signal }),
  importContent: (signal) => door.importContent(settings, { archive, mode: 'replace', signal }),
  initConfig: (signal) => door.initConfig(settings, { signal }),
  inspectDatabase: (signal) => door.inspectDatabase(settings, { signal }),
  migrateArchived: (signal) => door.migrateArchived(settings, { signal }),
  migrateBaseline: (signal) => door.migrateBaseline(settings, { signal }),
  migrateDown: (signal) => door.migrateDown(settings, { to: 'none', signal }),
  migrateDryRun: (signal) => door.migrateDryRun(settings, { signal }),
  migrateRepair: (signal) => door.migrateRepair(settings, { signal }),
  migrateResolve: (signal) => door.migrateResolve(settings, { migration: '001', as: 'applied', signal }),
  migrateUp: (signal) => door.migrateUp(settings, { signal }),
  migrateVerify: (signal) => door.migrateVerify(settings, { signal }),
  migrationStatus: (signal) => door.migrationStatus(settings, { signal }),
  rehearse: (signal) => door.rehearse(settings, { signal }),
  restoreArchive: (signal) => door.restoreArchive(settings, { archive, signal }),
  syncContent: (signal) =>
    door.syncContent(settings, { from: settings.database, to: 'pglite:memory', mode: 'replace', signal }),
  upgradeArchive: (signal) => door.upgradeArchive(settings, { archive, scratchUrl: settings.database, signal }),
  validateDatabase: (signal) => door.validateDatabase(settings, { signal }),
}
/** And those that read files alone. */
const READING: Readonly<Record<string, Call>> = {
  pruneBackups: (signal) => door.pruneBackups(settings, { keep: 0, signal }),
  readArchive: (signal) => door.readArchive(archive, { signal }),
  verifyArchive: (signal) => door.verifyArchive(archive, { signal }),
  verifyBackups: (signal) => door.verifyBackups(settings, ['latest'], { signal }),
}

test.each(Object.entries(CONNECTING))('%s, aborted while it connects, rejects with the reason', async (_, call) => {
  await expect(call(stop.signal)).rejects.toBe(REASON)
})

test.each(Object.entries({ ...CONNECTING, ...READING }))(
  '%s, aborted before it began, rejects with the reason',
  async (_, call) => {
    stop.abort(REASON)
    await expect(call(stop.signal)).rejects.toBe(REASON)
    expect(await readdir(settings.archives)).toHaveLength(1)
  },
)

describe.each(servers.slice(0, 1))('on $name', (engine) => {
  test('what is aborted in the middle rejects with the reason, and nothing was written', async () => {
    const schema = 'create table users (id serial primary key, code text not null unique);'
    const source = await createStage(
      engine,
      `${schema} insert into users (code) select g::text from generate_series(1, 50) g`,
    )
    const target = await createStage(engine, schema)
    const { path } = await source.export()
    const onProgress = () => stop.abort(REASON)
    const aborted: Call[] = [
      (signal) => source.export({ onProgress, signal }),
      (signal) => target.import(path, { onProgress, signal }),
      (signal) => door.validateDatabase(source.settings, { onCheck: onProgress, signal } as never),
      async (signal) => {
        const { folder } = source.settings.migrations
        await mkdir(folder, { recursive: true })
        await writeFile(join(folder, '001_slow.sql'), 'create table late (); select pg_sleep(600)')
        setTimeout(onProgress, 1000)
        return await door.migrateUp(source.settings, { signal })
      },
    ]
    for (const call of aborted) {
      stop = new AbortController()
      await expect(call(stop.signal)).rejects.toBe(REASON)
    }
    expect(await target.rows('select count(*)::int as n from users')).toEqual([{ n: 0 }])
  })
})
