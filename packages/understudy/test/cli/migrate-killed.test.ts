import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.js'
import type { Settings } from '../../src/config/settings.js'
import { openDatabase } from '../../src/database/open.js'
import type { Database } from '../../src/database/port.js'
import { migrateUp } from '../../src/migrate/migrate-up.js'
import { migrateResolve } from '../../src/migrate/repair.js'
import { failureOf, query } from '../migrate/project.js'
import { type Engine, engines, servers, type TestDatabase, withTestDatabase } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'
import { type CliRun, runCli } from './run-cli.js'

let folder: string

beforeEach(async () => {
  folder = await createScratchFolder()
  await mkdir(join(folder, 'migrations'))
})

/** A migration that ends its own process at once, without a word, after these statements. */
function dying(statements: string, options = ''): string {
  return `export default { description: 'dies', ${options} async up(db) {
    await db.execute(${JSON.stringify(statements)})
    process.kill(process.pid, 'SIGKILL')
  } }`
}

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'migrations', name), text)
}

function migrate(args: readonly string[], url: string, onSpawn?: (pid: number) => void): Promise<CliRun> {
  return runCli(['migrate', ...args], {
    cwd: folder,
    environment: { DATABASE_URL: url },
    onSpawn: (child) => child.pid && onSpawn?.(child.pid),
  })
}

async function withClosedDatabase(engine: Engine, use: (created: TestDatabase) => Promise<void>): Promise<void> {
  await withTestDatabase(engine, async (created) => {
    await created.database.close()
    await use(created)
  })
}

async function withOpen<T>(url: string, use: (database: Database, settings: Settings) => Promise<T>): Promise<T> {
  const database = await openDatabase(url)
  try {
    return await use(database, await loadConfig({ cwd: folder, environment: { DATABASE_URL: url } }))
  } finally {
    await database.close()
  }
}

function read(url: string, sql: string): Promise<Record<string, unknown>[]> {
  return withOpen(url, (database) => query(database, sql))
}

const LEDGER = `select id, state from understudy.migration order by id`
const OURS = `
  select from pg_stat_activity
  where application_name = 'understudy' and datname = current_database() and pid <> pg_backend_pid()`

describe.each(engines)('a client killed on $name', (engine) => {
  test('in the middle of a migration leaves nothing of it, and those before it whole', async () => {
    await write({ '001_a.sql': 'create table a ()', '002_b.ts': dying('create table b (); create table c ()') })
    await withClosedDatabase(engine, async ({ url }) => {
      expect((await migrate(['up'], url)).exitCode).toBe(null)
      await untilGone(engine, url)
      await withOpen(url, async (database, settings) => {
        expect(await query(database, LEDGER)).toEqual([{ id: '001_a', state: 'applied' }])
        expect(await query(database, `select to_regclass('b') as b, to_regclass('c') as c`)).toEqual([
          { b: null, c: null },
        ])
        await write({
          '002_b.ts': 'export default { description: "lives", up: (db) => db.execute("create table b ()") }',
        })
        expect(await migrateUp(settings, { database })).toMatchObject({ applied: [{ id: '002_b' }] })
      })
    })
  })

  test('in a migration without a transaction leaves word that it needs attention', async () => {
    await write({ '001_a.ts': dying('create table a ()', 'transaction: false,') })
    await withClosedDatabase(engine, async ({ url }) => {
      expect((await migrate(['up'], url)).exitCode).toBe(null)
      await untilGone(engine, url)
      await withOpen(url, async (database, settings) => {
        expect(await failureOf(migrateUp(settings, { database }))).toMatchObject({
          code: 'MIGRATION_UNFINISHED',
          hint: expect.stringContaining('`understudy migrate resolve 001_a --applied`'),
        })
        await migrateResolve(settings, { migration: '001', as: 'applied', database })
        expect(await migrateUp(settings, { database })).toMatchObject({ applied: [] })
      })
    })
  })
})

describe.each(servers)('a client killed on $name', (engine) => {
  test.each<[string, string, readonly boolean[]]>([
    ['while a statement runs', 'select', [false]],
    ['after its ledger row, before the commit', 'immediate', [false]],
    // The server has the word to commit: what matters is that the migration and its row share their fate.
    ['in the commit itself', 'deferred', [true, false]],
  ])('%s leaves all of the migration or nothing', async (_, stage, outcomes) => {
    await write({ '000_first.sql': 'select 0' })
    await withTestDatabase(engine, async ({ database, url }) => {
      await withOpen(url, (database, settings) => migrateUp(settings, { database }))
      const wait = stage === 'select' ? 'select pg_advisory_lock(4711)' : ''
      await write({ '001_b.sql': `create table b (); ${wait}` })
      await database.withSession(async (session) => {
        // The child waits for this lock: in a statement of its own, or in a trigger of the ledger.
        await session.script('select pg_advisory_lock(4711)')
        if (stage !== 'select') await session.script(holdUpLedger(stage))
        let pid: number | undefined
        const run = migrate(['up'], url, (child) => {
          pid = child
        })
        await until(async () => (await session.query(WAITING)).length > 0)
        process.kill(pid as number, 'SIGKILL')
        expect((await run).exitCode).toBe(null)
        await session.script('select pg_advisory_unlock(4711)')
      })
      await untilGone(engine, url)
      const [table] = await read(url, `select to_regclass('b') is not null as "isThere"`)
      const ids = (await read(url, LEDGER)).map(({ id }) => id)
      expect(outcomes).toContain(table?.isThere)
      expect(ids).toEqual(table?.isThere ? ['000_first', '001_b'] : ['000_first'])
    })
  })

  test('while it waits for another runner leaves the other to its work', async () => {
    await write({ '001_b.sql': 'create table b (); select pg_advisory_lock(4711)' })
    await withTestDatabase(engine, async ({ database, url }) => {
      let first: Promise<CliRun> | undefined
      await database.withSession(async (session) => {
        await session.script('select pg_advisory_lock(4711)')
        first = migrate(['up'], url)
        await until(async () => (await session.query(WAITING)).length > 0)
        const waiting = runCli(['migrate', 'up'], {
          cwd: folder,
          environment: { DATABASE_URL: url },
          onSpawn: (child) => child.stderr?.once('data', () => child.kill('SIGKILL')),
        })
        expect(await waiting).toMatchObject({
          exitCode: null,
          stderr: expect.stringMatching(/^waiting for process \d+ \(understudy\)/),
        })
        await session.script('select pg_advisory_unlock(4711)')
      })
      expect(await first).toMatchObject({ exitCode: 0 })
      expect(await read(url, LEDGER)).toEqual([{ id: '001_b', state: 'applied' }])
    })
  })
})

const WAITING = `
  select from pg_locks
  where locktype = 'advisory' and objid = 4711 and not granted
    and database = (select oid from pg_database where datname = current_database())`

/** From now on a row of the ledger waits for the lock when it is written, or when it is committed. */
function holdUpLedger(initially: string): string {
  return `
    create function wait_for_lock() returns trigger language plpgsql
    as $$ begin perform pg_advisory_lock(4711); return null; end $$;
    create constraint trigger hold_up after insert on understudy.migration deferrable initially ${initially}
    for each row execute function wait_for_lock()`
}

/** A server process notices the death of its client, and ends its transaction. */
async function untilGone(engine: Engine, url: string): Promise<void> {
  if (engine.driver === 'pglite') return
  await withOpen(url, (database) =>
    database.withSession((session) => until(async () => (await session.query(OURS)).length === 0)),
  )
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(20)
}
