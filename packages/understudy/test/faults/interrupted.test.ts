import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withAdvisoryLock } from '../../src/database/advisory-lock.js'
import type { Database, Session } from '../../src/database/port.js'
import { servers, type TestDatabase, withTestDatabases } from '../support/engines.js'
import {
  CONFIG,
  content,
  fingerprint,
  type Killable,
  SCHEMA,
  scratchFolder,
  startCli,
  until,
  untilAlone,
} from './support.js'

/** A check that never comes to an end: whoever writes a team stays inside the statement. */
const ENDLESS = `
  create function dream() returns boolean language plpgsql as 'begin perform pg_sleep(600); return true; end';
  alter table teams add constraint dream check (dream()) not valid`

let folder: string
const children: Killable[] = []

beforeEach(async () => {
  folder = scratchFolder()
  await writeFile(join(folder, 'understudy.config.json'), JSON.stringify(CONFIG))
})

afterEach(async () => {
  for (const { child, ended } of children.splice(0)) {
    child.kill('SIGKILL')
    await ended
  }
})

function start(args: readonly string[], url: string): Killable {
  const started = startCli(args, { cwd: folder, url })
  children.push(started)
  return started
}

describe.each(servers)('on $name', (engine) => {
  /** A source that was exported, and a target with another history. */
  async function withPair(use: (source: TestDatabase, target: TestDatabase) => Promise<void>): Promise<void> {
    await withTestDatabases([engine, engine], async ([source, target]) => {
      if (!source || !target) throw new Error('two databases were asked for')
      await source.database.withSession((session) => session.script(`${SCHEMA}; ${content(1000, 'new')}`))
      await target.database.withSession((session) => session.script(`${SCHEMA}; ${content(5000, 'old')}`))
      expect(await start(['export', '--out', 'content.tar.gz'], source.url).ended).toMatchObject({ exitCode: 0 })
      await use(source, target)
    })
  }

  const IMPORT = ['import', 'content.tar.gz', '--yes']

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s cancels the statement of an import, and nothing was written', async (signal, exitCode) => {
    await withPair(async (_, { url, database }) => {
      await database.withSession((session) => session.script(ENDLESS))
      const before = await fingerprint(database)
      const { child, ended } = start(IMPORT, url)
      await untilAsleep(database)
      child.kill(signal)
      const end = await ended
      expect(end, end.said).toMatchObject({ exitCode, signal: null })
      expect(end.said).toContain('interrupted: rolling back')
      expect(end.said).toMatch(/error: interrupted.* \(CANCELLED\)\nhint: Nothing was written/)
      await untilAlone(database)
      expect(await fingerprint(database)).toEqual(before)
    })
  })

  test('SIGKILL inside a statement: the server notices within seconds, and the lock is free', async () => {
    await withPair(async (_, { url, database }) => {
      await database.withSession((session) => session.script(ENDLESS))
      const before = await fingerprint(database)
      const { child, ended } = start(IMPORT, url)
      await untilAsleep(database)
      child.kill('SIGKILL')
      await ended
      // The statement would take ten minutes.
      await untilAlone(database)
      expect(
        await database.withSession((session) => withAdvisoryLock(session, { waitMs: 0 }, async () => 'free')),
      ).toBe('free')
      expect(await fingerprint(database)).toEqual(before)
    })
  })

  test('SIGINT ends the wait for another import, which was named', async () => {
    await withPair(async (_, { url, database }) => {
      await database.withSession((holder) =>
        withAdvisoryLock(holder, { waitMs: 0 }, async () => {
          const { child, said, ended } = start([...IMPORT, '--wait', '600'], url)
          const pid = await pidOf(holder)
          await until(() => said().includes(`waiting for process ${pid} (understudy)`))
          child.kill('SIGINT')
          expect(await ended).toMatchObject({ exitCode: 130 })
        }),
      )
    })
  })

  test('SIGINT ends the wait for an application that writes, which was named, and leaves its writes alone', async () => {
    await withPair(async (_, { url, database }) => {
      await database.withSession((writer) =>
        writer.transaction({}, async () => {
          await writer.execute(`update users set points = 7 where mail = '1@example.org'`)
          const { child, said, ended } = start([...IMPORT, '--wait', '600'], url)
          const pid = await pidOf(writer)
          await until(() => said().includes(`waiting for process ${pid} (understudy)`))
          child.kill('SIGINT')
          expect(await ended).toMatchObject({ exitCode: 130 })
        }),
      )
      expect(
        await database.withSession((s) => s.query(`select points from users where mail = '1@example.org'`)),
      ).toEqual([{ points: 7 }])
    })
  })

  test('SIGINT cancels the statement of an export, and no archive is left', async () => {
    await withPair(async ({ url, database }) => {
      await database.withSession((session) =>
        session.script(`
          create function slow_text(t text) returns text language plpgsql as 'begin perform pg_sleep(600); return t; end'`),
      )
      await writeFile(
        join(folder, 'understudy.config.json'),
        JSON.stringify({ relations: { ...CONFIG.relations, teams: { mask: { note: 'slow_text(note)' } } } }).replaceAll(
          'slow_text',
          'public.slow_text',
        ),
      )
      const { child, ended } = start(['export', '--out', 'slow/'], url)
      await untilAsleep(database)
      child.kill('SIGINT')
      const end = await ended
      expect(end, end.said).toMatchObject({ exitCode: 130 })
      expect(await readdir(join(folder, 'slow'))).toEqual([])
      await untilAlone(database)
    })
  })
})

async function pidOf(session: Session): Promise<number | undefined> {
  const [row] = await session.query<{ pid: number }>('select pg_backend_pid() as pid')
  return row?.pid
}

/** Returns when a session of the database sleeps. */
async function untilAsleep(database: Database): Promise<void> {
  await database.withSession((session) =>
    until(async () => {
      const rows = await session.query(
        `select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`,
      )
      return rows.length > 0
    }),
  )
}
