import { Socket } from 'node:net'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { LINES_FORMAT } from '../../src/database/copy-format.js'
import { copyOut } from '../../src/database/postgres-copy-out.js'
import { ReadingSocket } from '../../src/database/reading-socket.js'
import { engines, withTestDatabase } from '../support/engines.js'

const SOCKETS = [
  ['a buffer of its own', () => new ReadingSocket()],
  ['a buffer for each read, as with TLS', () => new Socket()],
] as const

describe.each(engines.filter((engine) => engine.name !== 'PGlite'))('rows on $name', (engine) => {
  describe.each(SOCKETS)('from a socket with %s', (_, stream) => {
    const withClient = (use: (client: pg.Client) => Promise<void>) =>
      withTestDatabase(engine, async ({ url }) => {
        const client = new pg.Client({ connectionString: url, stream })
        await client.connect()
        try {
          await use(client)
          // Whatever happened, the connection is in order.
          expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
        } finally {
          await client.end()
        }
      })

    async function read(client: pg.Client, select: string, isReused: boolean): Promise<string> {
      const parts: Buffer[] = []
      for await (const chunk of copyOut(client, { select, format: LINES_FORMAT }, { isReused })) {
        parts.push(isReused ? Buffer.from(chunk) : (chunk as Buffer))
      }
      return Buffer.concat(parts).toString()
    }

    test.each([true, false])('come whole, chunks used again: %s', async (isReused) => {
      await withClient(async (client) => {
        const lines = Array.from({ length: 50_000 }, (_, n) => `${n}${'x'.repeat((n + 1) % 97)}`)
        const select = `select (n - 1) || repeat('x', n % 97) from generate_series(1, 50000) n`
        expect((await read(client, select, isReused)) === `${lines.join('\n')}\n`).toBe(true)
        expect(await read(client, `select repeat('y', 3000000)`, isReused)).toHaveLength(3_000_001)
        expect(await read(client, 'select 1 where false', isReused)).toBe('')
      })
    })

    test('come although notices come between', async () => {
      await withClient(async (client) => {
        await client.query(
          `create function pg_temp.say(n int) returns text language plpgsql as $$ begin raise notice 'row %', n; return n; end $$`,
        )
        expect(await read(client, 'select pg_temp.say(n) from generate_series(1, 3) n', false)).toBe('1\n2\n3\n')
      })
    })

    test('end with the error of the server', async () => {
      await withClient(async (client) => {
        const late = 'select (1 / (100000 - n))::text from generate_series(1, 200000) n'
        await expect(read(client, late, true)).rejects.toMatchObject({ code: '22012' })
        await expect(read(client, 'select missing', true)).rejects.toMatchObject({ code: '42703' })
      })
    })

    test('end when nobody wants more', async () => {
      await withClient(async (client) => {
        const endless = `select repeat('x', 1000) || generate_series(1, 100000000)`
        for await (const _ of copyOut(client, { select: endless, format: LINES_FORMAT }, { isReused: true })) break
      })
    })
  })
})
