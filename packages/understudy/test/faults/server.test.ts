import { spawnSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyArchive } from '../../src/archive/reader.js'
import { openDatabase } from '../../src/database/open.js'
import type { Database } from '../../src/database/port.js'
import { UnderstudyError } from '../../src/errors.js'
import { exportContent } from '../../src/export/export-content.js'
import { importContent } from '../../src/import/import-content.js'
import { servers, type TestDatabase, urlOf } from '../support/engines.js'
import { type NetworkProxy, startProxy } from '../support/proxy.js'
import { settingsFor } from '../support/scenario.js'
import { type OwnServer, startOwnServer } from '../support/servers.js'
import { CONFIG, content, fingerprint, points, SCHEMA, scratchFolder, untilAlone, withoutSequences } from './support.js'

const TIMEOUT_MS = 300_000

/** What became of an import that a fault met: exactly what was, or exactly what should be, and our own error unless it was through. */
async function expectWhole(
  work: Promise<unknown>,
  database: Database,
  states: { before: unknown; after: unknown },
  where: string,
) {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  )
  if (error !== undefined) expect(error, where).toBeInstanceOf(UnderstudyError)
  const now = await fingerprint(database)
  const isAfter = JSON.stringify(withoutSequences(now)) === JSON.stringify(withoutSequences(states.after))
  if (!isAfter) {
    expect(now, where).toEqual(states.before)
    expect(error, where).toMatchObject({ code: expect.stringMatching(/^(CONNECTION_LOST|SERVER_|CONNECTION_FAILED)/) })
  }
  return isAfter
}

describe.each(servers)('between this program and $name', (engine) => {
  let archive: string
  let after: unknown
  let proxy: NetworkProxy
  const databases: TestDatabase[] = []
  const create = async (script: string) => {
    const created = await engine.createDatabase()
    await created.database.withSession((session) => session.script(script))
    databases.push(created)
    return created
  }
  const far = ({ url }: TestDatabase) =>
    urlOf(engine.server, { port: proxy.port, database: new URL(url).pathname.slice(1) })

  beforeAll(async () => {
    proxy = await startProxy(engine.server)
    const source = await create(`${SCHEMA}; ${content(1000, 'new')}`)
    archive = (await exportContent(settingsFor(source.url, scratchFolder(), CONFIG), { jobs: 1 })).path
    const twin = await create(`${SCHEMA}; ${content(5000, 'old')}`)
    await importContent(settingsFor(twin.url, scratchFolder(), CONFIG), { archive, mode: 'replace' })
    after = await fingerprint(twin.database)
  })
  afterAll(async () => {
    await proxy.close()
    for (const each of databases) await each.dispose()
  })

  test('a network that is cut at any of twenty points of an import leaves all as it was, or all as it should be', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const start = async () => {
      const target = await create(`${SCHEMA}; ${content(5000, 'old')}`)
      return { target, before: await fingerprint(target.database) }
    }
    let { target, before } = await start()
    const run = (at?: number) => {
      const first = proxy.messages
      proxy.onMessage = (count) => count - first === at && proxy.cut()
      return importContent(settingsFor(far(target), scratchFolder(), CONFIG), { archive, mode: 'replace' })
    }
    const first = proxy.messages
    await run()
    const total = proxy.messages - first
    ;({ target, before } = await start())
    for (const at of points(20, total)) {
      const isAfter = await expectWhole(run(at), target.database, { before, after }, `message ${at} of ${total}`)
      await untilAlone(target.database)
      if (isAfter) ({ target, before } = await start())
    }
  })

  test('a network that is cut at any of twenty points of an export leaves no archive that is not whole, and no leftovers', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const source = await create(`${SCHEMA}; ${content(1000, 'new')}`)
    const folder = scratchFolder()
    const run = (at?: number) => {
      const first = proxy.messages
      proxy.onMessage = (count) => count - first === at && proxy.cut()
      return exportContent(settingsFor(far(source), folder, CONFIG), { out: `${folder}/`, jobs: 2 })
    }
    await run()
    const first = proxy.messages
    await run()
    const total = proxy.messages - first
    let made = 2
    let failed = 0
    for (const at of points(20, total - 1)) {
      const failure = await run(at).catch((error: unknown) => error)
      // A session that was just taking its leave is not missed: the export is done, and its archive whole.
      if (failure instanceof Error) {
        failed++
        expect(failure, `message ${at} of ${total}`).toMatchObject({ code: expect.stringMatching(/^CONNECTION_/) })
      }
      const names = await readdir(folder)
      expect(names.filter((name) => name.startsWith('.'))).toEqual([])
      // The last messages write the archive down in the registry: then it is whole already, and the export has succeeded.
      expect(names.length > made, `message ${at} of ${total}`).toBe(!(failure instanceof Error))
      if (names.length > made) await verifyArchive(join(folder, names.sort().at(-1) ?? ''))
      made = names.length
    }
    expect(made).toBeLessThan(10)
    expect(failed).toBeGreaterThan(10)
  })

  test('a server tells a client that is gone from one that is slow within half a minute', async () => {
    const settings = await databases[0]?.database.withSession((session) =>
      session.query(`select name, setting::int from pg_settings where name like 'tcp_keepalives%' order by name`),
    )
    expect(settings).toEqual([
      { name: 'tcp_keepalives_count', setting: 3 },
      { name: 'tcp_keepalives_idle', setting: 10 },
      { name: 'tcp_keepalives_interval', setting: 5 },
    ])
  })
})

describe.each(servers.map(({ server }) => server.major))('a PostgreSQL %d of its own', (major) => {
  let own: OwnServer
  beforeAll(async () => {
    own = await startOwnServer({ major })
  })
  afterAll(async () => {
    await own.stop()
  })

  async function create(name: string, script: string): Promise<string> {
    const main = await openDatabase(urlOf(own.server))
    await main.withSession((session) => session.script(`drop database if exists ${name}`))
    await main.withSession((session) => session.script(`create database ${name}`))
    const url = urlOf(own.server, { database: name })
    const database = await openDatabase(url)
    await database.withSession((session) => session.script(script))
    // A sequence comes out of a crash up to 32 values further on, unless it was on disk.
    await database.withSession((session) => session.script('checkpoint'))
    return url
  }

  test('that dies at any of eight points of an import, and comes back, has all as it was, or all as it should be', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const source = await create('source', `${SCHEMA}; ${content(1000, 'new')}`)
    const { path: archive } = await exportContent(settingsFor(source, scratchFolder(), CONFIG))
    const proxy = await startProxy(own.server)
    try {
      const far = urlOf(own.server, { port: proxy.port, database: 'target' })
      const run = () => importContent(settingsFor(far, scratchFolder(), CONFIG), { archive, mode: 'replace' })
      const url = await create('target', `${SCHEMA}; ${content(5000, 'old')}`)
      const target = await openDatabase(url)
      const before = await fingerprint(target)
      const first = proxy.messages
      await run()
      const total = proxy.messages - first
      const after = await fingerprint(target)
      let isNew = true
      for (const at of points(8, total - 2)) {
        if (isNew) await create('target', `${SCHEMA}; ${content(5000, 'old')}`)
        const begin = proxy.messages
        let crash: Promise<void> | undefined
        proxy.onMessage = (count) => {
          if (count - begin === at) crash = own.crash()
        }
        const work = run()
        await work.catch(() => undefined)
        await crash
        proxy.onMessage = undefined
        await own.restart()
        isNew = await expectWhole(work, target, { before, after }, `message ${at} of ${total}`)
      }
      if (isNew) await create('target', `${SCHEMA}; ${content(5000, 'old')}`)
      await run()
      expect(await fingerprint(target)).toEqual(after)
    } finally {
      await proxy.close()
    }
  })
})

describe.skipIf(spawnSync('prlimit', ['--version']).status !== 0)('a server whose disk is full', () => {
  test('refuses an import whose lines do not fit into its temporary files, and has all as it was', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const own = await startOwnServer({ maxFileBytes: 24 * 2 ** 20 })
    try {
      const url = urlOf(own.server)
      const database = await openDatabase(url)
      await database.withSession((session) =>
        session.script(`create table files (id serial primary key, name text unique not null, body text);
          insert into files (name, body) select n, repeat(n::text || ' ', 200000) from generate_series(1, 80) n`),
      )
      const settings = settingsFor(url, scratchFolder(), {})
      const { path: archive } = await exportContent(settings)
      await database.withSession((session) => session.script('truncate files'))
      await expect(importContent(settings, { archive, mode: 'init' })).rejects.toMatchObject({
        code: 'IMPORT_REFUSED_BY_DATABASE',
        message: expect.stringMatching(/^could not (extend|write)/),
      })
      expect(await database.withSession((session) => session.query(`select count(*)::int as n from files`))).toEqual([
        { n: 0 },
      ])
      expect(
        await database.withSession((session) => session.query(`select last_value::int as n from files_id_seq`)),
      ).toEqual([{ n: 80 }])
    } finally {
      await own.stop()
    }
  })

  test('that has no room for the locks of an import says how much it needs, and has all as it was', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const own = await startOwnServer({ settings: { max_locks_per_transaction: '10', max_connections: '10' } })
    try {
      const url = urlOf(own.server)
      const database = await openDatabase(url)
      const all = (make: (n: number) => string) => Array.from({ length: 150 }, (_, n) => make(n)).join(';')
      const tables = all((n) => `create table t${n} (id serial primary key, name text unique not null)`)
      // In parts: the tables of one transaction take locks as well.
      for (const script of tables.split(';')) await database.withSession((session) => session.script(script))
      await database.withSession((session) => session.script(`insert into t7 (name) values ('a'), ('b')`))
      const { path: archive } = await exportContent(settingsFor(url, scratchFolder(), {}))
      await database.withSession((session) => session.script('truncate t7'))
      await expect(
        importContent(settingsFor(url, scratchFolder(), {}), { archive, mode: 'init' }),
      ).rejects.toMatchObject({
        code: 'IMPORT_REFUSED_BY_DATABASE',
        message: expect.stringContaining('out of shared memory'),
        hint: expect.stringContaining('max_locks_per_transaction to 25 × relations / max_connections'),
      })
      expect(await database.withSession((session) => session.query('select count(*)::int as n from t7'))).toEqual([
        { n: 0 },
      ])
      await database.close()
    } finally {
      await own.stop()
    }
  })
})
