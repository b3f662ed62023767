import { describe, expect, test } from 'vitest'
import { withAdvisoryLock } from '../../src/database/advisory-lock.js'
import { openDatabase } from '../../src/database/open.js'
import type { Database, Session } from '../../src/database/port.js'
import { engines, servers, urlOf, withTestDatabase } from '../support/engines.js'
import { startProxy } from '../support/proxy.js'

const REASON = new Error('no longer wanted')
const FOREVER = 'select pg_sleep(600)'

describe.each(engines)('an abort on $name', (engine) => {
  test('ends work between two statements, rolls back, and leaves the session usable', async () => {
    await withTestDatabase(engine, ({ database }) =>
      database.withSession(async (session) => {
        const stop = new AbortController()
        const work = session.transaction({}, () =>
          session.abortable(stop.signal, async () => {
            await session.script('create table lost ()')
            stop.abort(REASON)
            await session.script('create table lost_too ()')
          }),
        )
        await expect(work).rejects.toBe(REASON)
        expect(await session.query("select to_regclass('lost') is null as gone")).toEqual([{ gone: true }])
      }),
    )
  })

  test('comes through between statements even where they leave no time for anything else', async () => {
    await withTestDatabase(engine, ({ database }) =>
      database.withSession(async (session) => {
        const stop = new AbortController()
        const work = session.abortable(stop.signal, async () => {
          setImmediate(() => setTimeout(() => stop.abort(REASON), 0))
          while (true) await session.query('select 1')
        })
        await expect(work).rejects.toBe(REASON)
      }),
    )
  })

  test('of work that is through all the same ends it with the reason', async () => {
    await withTestDatabase(engine, ({ database }) =>
      database.withSession(async (session) => {
        const stop = new AbortController()
        const work = session.abortable(stop.signal, async () => stop.abort(REASON))
        await expect(work).rejects.toBe(REASON)
        await expect(session.abortable(stop.signal, async () => 1)).rejects.toBe(REASON)
        expect(await session.abortable(undefined, async () => 1)).toBe(1)
      }),
    )
  })
})

describe.each(servers)('an abort on $name', (engine) => {
  /** Aborts when the server is in the middle of the work. */
  async function abortInside(work: (session: Session) => Promise<unknown>): Promise<void> {
    await withTestDatabase(engine, ({ database }) =>
      database.withSession(async (session) => {
        const stop = new AbortController()
        const [own] = await session.query<{ pid: number }>('select pg_backend_pid() as pid')
        const running = session.abortable(stop.signal, () => work(session))
        await Promise.all([
          expect(running).rejects.toBe(REASON),
          untilActive(database, own?.pid).then(() => stop.abort(REASON)),
        ])
        expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
      }),
    )
  }

  test('cancels the running statement', async () => {
    await abortInside((session) => session.query(FOREVER))
  })

  test('cancels a read of lines', async () => {
    await abortInside(async (session) => {
      for await (const _ of session.readLines(`select 'x' from (${FOREVER}) s`));
    })
  })

  test('cancels a write of lines that the server holds up', async () => {
    await abortInside(async (session) => {
      await session.script(`
        create temp table held (line text);
        create function hold() returns trigger language plpgsql as 'begin perform pg_sleep(600); return new; end';
        create trigger hold before insert on held for each row execute function hold()`)
      async function* lines() {
        while (true) yield Buffer.from('line\n'.repeat(10_000))
      }
      await session.writeLines({ table: 'held', columns: ['line'] }, lines())
    })
  })

  test('ends the wait for an advisory lock', async () => {
    await withTestDatabase(engine, ({ database }) =>
      database.withSession((holder) =>
        withAdvisoryLock(holder, { waitMs: 0 }, async () => {
          const stop = new AbortController()
          const waiting = database.withSession((session) =>
            withAdvisoryLock(
              session,
              { waitMs: 600_000, signal: stop.signal, onWait: () => stop.abort(REASON) },
              async () => 1,
            ),
          )
          await expect(waiting).rejects.toBe(REASON)
        }),
      ),
    )
  })
})

describe.each(servers.slice(0, 1))('an abort on $name', (engine) => {
  test('leaves a server that cannot be reached any more', async () => {
    await withTestDatabase(engine, async ({ url, database }) => {
      const proxy = await startProxy(engine.server)
      try {
        const name = new URL(url).pathname.slice(1)
        const far = await openDatabase(urlOf(engine.server, { port: proxy.port, database: name }))
        await far.withSession(async (session) => {
          const stop = new AbortController()
          const [own] = await session.query<{ pid: number }>('select pg_backend_pid() as pid')
          const running = session.abortable(stop.signal, () => session.query(FOREVER))
          await Promise.all([
            expect(running).rejects.toBe(REASON),
            untilActive(database, own?.pid).then(() => {
              proxy.stall()
              stop.abort(REASON)
            }),
          ])
        })
      } finally {
        await proxy.close()
      }
    })
  })
})

/** Returns when a server process is inside a sleep. */
async function untilActive(database: Database, pid: number | undefined): Promise<void> {
  await database.withSession(async (session) => {
    for (;;) {
      const [row] = await session.query<{ isAsleep: boolean }>(
        `select wait_event = 'PgSleep' as "isAsleep" from pg_stat_activity where pid = $1::integer`,
        [pid],
      )
      if (row?.isAsleep) return
    }
  })
}
