import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { withAdvisoryLock } from '../../src/database/advisory-lock.js'
import type { LockHolder } from '../../src/database/lock-holder.js'
import { openDatabase } from '../../src/database/open.js'
import { engines, servers, urlOf, withTestDatabase } from '../support/engines.js'
import { startTransactionPooler } from '../support/wire-servers.js'

describe.each(engines)('the advisory lock on $name', (engine) => {
  test('returns what the work returned, and throws what it threw', async () => {
    await withTestDatabase(engine, ({ database }) =>
      database.withSession(async (session) => {
        expect(await withAdvisoryLock(session, { waitMs: 0 }, async () => 1)).toBe(1)
        const given = new Error('given up')
        await expect(withAdvisoryLock(session, { waitMs: 0 }, () => Promise.reject(given))).rejects.toBe(given)
        expect(await withAdvisoryLock(session, { waitMs: 0 }, async () => 2)).toBe(2)
      }),
    )
  })
})

describe.each(servers)('the advisory lock on $name', (engine) => {
  test('names its holder to who does not wait', async () => {
    await withTestDatabase(engine, async ({ url, database }) => {
      const other = await openDatabase(url, { applicationName: 'the other one' })
      await other.withSession((holder) =>
        withAdvisoryLock(holder, { waitMs: 0 }, async () => {
          const [pid] = await holder.query<{ pid: number }>('select pg_backend_pid() as pid')
          const attempt = database.withSession((session) => withAdvisoryLock(session, { waitMs: 0 }, async () => 1))
          await expect(attempt).rejects.toMatchObject({
            code: 'LOCK_NOT_AVAILABLE',
            message: `the database is in use by process ${pid?.pid} (the other one)`,
            detail: expect.stringMatching(/role postgres, connected since \d{4}-\d\d-\d\dT/),
          })
        }),
      )
    })
  })

  test('comes to who waits, after naming the holder once', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      const events: string[] = []
      const work = (name: string, during: () => Promise<void>, onWait: (holder?: LockHolder) => void) =>
        database.withSession((session) =>
          withAdvisoryLock(session, { waitMs: 60_000, onWait }, async () => {
            events.push(`${name} begins`)
            await during()
            events.push(`${name} ends`)
          }),
        )
      let second: Promise<void> | undefined
      const holdUntilSecondWaits = () =>
        new Promise<void>((resolve) => {
          const onWait = (holder?: LockHolder) => {
            events.push(`second waits for ${holder?.applicationName} of ${holder?.role}`)
            // Longer than the pauses between the first questions, so that it asks more than once.
            setTimeout(resolve, 500)
          }
          second = work('second', async () => undefined, onWait)
        })
      await work('first', holdUntilSecondWaits, () => events.push('first waits'))
      await second
      expect(events).toEqual([
        'first begins',
        'second waits for understudy of postgres',
        'first ends',
        'second begins',
        'second ends',
      ])
    })
  })

  test('is never held twice by twenty at once', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      let inside = 0
      let most = 0
      const work = () =>
        database.withSession((session) =>
          withAdvisoryLock(session, { waitMs: 60_000 }, async () => {
            most = Math.max(most, ++inside)
            await sleep(5)
            inside--
          }),
        )
      await Promise.all(Array.from({ length: 20 }, work))
      expect(most).toBe(1)
    })
  })

  test('is another one with another key and in another database', async () => {
    await withTestDatabase(engine, ({ database }) =>
      withTestDatabase(engine, (elsewhere) =>
        database.withSession((session) =>
          withAdvisoryLock(session, { waitMs: 0 }, async () => {
            const otherKey = database.withSession((s) => withAdvisoryLock(s, { key: 2, waitMs: 0 }, async () => 1))
            expect(await otherKey).toBe(1)
            const otherDatabase = elsewhere.database.withSession((s) =>
              withAdvisoryLock(s, { waitMs: 0 }, async () => 2),
            )
            expect(await otherDatabase).toBe(2)
          }),
        ),
      ),
    )
  })

  test('is free again when its holder is gone', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      const lost = database.withSession((session) =>
        withAdvisoryLock(session, { waitMs: 0 }, () => session.query('select pg_terminate_backend(pg_backend_pid())')),
      )
      await expect(lost).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
      expect(await database.withSession((s) => withAdvisoryLock(s, { waitMs: 60_000 }, async () => 1))).toBe(1)
    })
  })

  test('is refused behind a transaction pooler', async () => {
    await withTestDatabase(engine, async ({ url }) => {
      const name = new URL(url).pathname.slice(1)
      const pooler = await startTransactionPooler(engine.server, name)
      try {
        const pooled = await openDatabase(urlOf(engine.server, { port: pooler.port, database: name }))
        await pooled.withSession(async (session) => {
          expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
          await expect(withAdvisoryLock(session, { waitMs: 0 }, async () => 1)).rejects.toMatchObject({
            code: 'POOLER_REFUSED',
            detail: expect.stringMatching(
              /^Server process \d+ (served two sessions at once|answered this session, then)/,
            ),
          })
        })
      } finally {
        await pooler.close()
      }
    })
  })
})
