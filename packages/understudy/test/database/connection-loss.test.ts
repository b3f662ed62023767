import { describe, expect, test } from 'vitest'
import type { Database, Session } from '../../src/database/port.js'
import { type ServerEngine, servers, withTestDatabase } from '../support/engines.js'

const SLOW = 'select pg_sleep(60)'

describe.each(servers)('a connection to $name that is ended', (engine) => {
  test('rejects the statement that is running', async () => {
    await withVictim(engine, async ({ victim, endIt }) => {
      const running = victim.query(SLOW)
      await Promise.all([expect(running).rejects.toMatchObject({ code: 'CONNECTION_LOST' }), endIt()])
    })
  })

  test('rejects the next statement when it was idle', async () => {
    await withVictim(engine, async ({ victim, endIt }) => {
      await endIt()
      await expect(victim.query('select 1')).rejects.toMatchObject({
        code: 'CONNECTION_LOST',
        detail: expect.stringContaining('terminating connection due to administrator command'),
      })
    })
  })

  test('rejects a read in the middle', async () => {
    await withVictim(engine, async ({ victim, endIt }) => {
      const read = async () => {
        let isEnded = false
        const select = "select repeat('x', 1000) from generate_series(1, 50000) as a, generate_series(1, 50000) as b"
        for await (const _ of victim.readLines(select)) {
          if (isEnded) continue
          isEnded = true
          await endIt()
        }
      }
      await expect(read()).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    })
  })

  test('rejects a write in the middle, and closes its source', async () => {
    await withVictim(engine, async ({ victim, endIt }) => {
      let isClosed = false
      async function* endless() {
        try {
          yield Buffer.from('first\n')
          await endIt()
          while (true) yield Buffer.from('more\n'.repeat(10_000))
        } finally {
          isClosed = true
        }
      }
      await victim.script('create temp table lines (line text)')
      const write = victim.writeLines({ table: 'lines', columns: ['line'] }, endless())
      await expect(write).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
      expect(isClosed).toBe(true)
    })
  })

  test('does not hide the error of the work in a transaction', async () => {
    await withVictim(engine, async ({ victim, endIt }) => {
      const given = new Error('given up')
      const work = victim.transaction({}, async () => {
        await endIt()
        throw given
      })
      await expect(work).rejects.toBe(given)
    })
  })

  test('leaves open whether a commit went through', async () => {
    await withVictim(engine, async ({ victim, endIt }) => {
      const work = victim.transaction({}, endIt)
      await expect(work).rejects.toMatchObject({
        code: 'CONNECTION_LOST',
        detail: expect.stringContaining('not known'),
      })
    })
  })
})

interface Scene {
  readonly victim: Session
  /** Ends the victim's connection, as an administrator does. */
  readonly endIt: () => Promise<void>
}

async function withVictim(engine: ServerEngine, use: (scene: Scene) => Promise<void>): Promise<void> {
  await withTestDatabase(engine, ({ database }) =>
    database.withSession(async (victim) => {
      const [row] = await victim.query<{ pid: number }>('select pg_backend_pid() as pid')
      await use({ victim, endIt: () => terminate(database, row?.pid) })
    }),
  )
}

async function terminate(database: Database, pid: number | undefined): Promise<void> {
  await database.withSession(async (session) => {
    await session.query('select pg_terminate_backend($1::integer, 5000)', [pid])
  })
}
