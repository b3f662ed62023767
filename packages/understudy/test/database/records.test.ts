import { describe, expect, test } from 'vitest'
import type { Session } from '../../src/database/port.js'
import { engines, withTestDatabase } from '../support/engines.js'

const TABLE = 'pg_temp.records'
const MEGABYTE = 1 << 20

interface Row {
  readonly n: number
  readonly master: string | null
  readonly line: string
}

function linesOf(rows: readonly Row[]): Buffer {
  return Buffer.from(rows.map(({ n, master, line }) => `${n}\x02${master ?? ''}\x02${line}\n`).join(''))
}

/** In chunks of so many bytes, of one buffer that is used again and again, as a reader's may be. */
async function* cut(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(size)
  for (let at = 0; at < bytes.length; at += size) yield chunk.subarray(0, bytes.copy(chunk, 0, at, at + size))
}

describe.each(engines)('records on $name', (engine) => {
  /** In a transaction, with a table for them. */
  const withRecords = <T>(use: (session: Session) => Promise<T>): Promise<T> =>
    withTestDatabase(engine, ({ database }) =>
      database.withSession((session) =>
        session.transaction({}, async () => {
          await session.script('create temporary table records (n bigint, master text, line text)')
          return await use(session)
        }),
      ),
    )
  const read = (session: Session) =>
    session.query<Row & Record<string, unknown>>(`select n, master, line from ${TABLE} order by n`)

  const ROWS: Row[] = [
    { n: 1, master: '1', line: '{"a":1}' },
    { n: 2, master: null, line: '{}' },
    { n: 3, master: '["x, y", "ü€😀"]', line: `{"a":"\\\\.","b":"\\"ü€😀'"}` },
    { n: 4, master: '\\.', line: '\\.' },
    { n: 5, master: 'null', line: '\\N' },
    { n: 2 ** 31, master: '-1', line: ' ' },
    { n: 2 ** 32 - 1, master: ' ', line: 'x'.repeat(3000) },
    { n: 2 ** 32 + 7, master: 'm'.repeat(500), line: '"' },
    { n: 2 ** 53 - 1, master: '0', line: '{"a":null}' },
  ]

  test.each([1, 2, 7, 64, 1000, 100_000])('come as they went in, in chunks of %i bytes', async (size) => {
    await withRecords(async (session) => {
      expect(await session.writeRecords(TABLE, cut(linesOf(ROWS), size))).toBe(ROWS.length)
      expect(await read(session)).toEqual(ROWS)
    })
  })

  test('may be so long that they are passed on, first, last and between others', async () => {
    const long = (n: number, bytes: number): Row => ({ n, master: String(n), line: `{"a":"${'ö'.repeat(bytes / 2)}"}` })
    const lengths = [3 * MEGABYTE, 10, MEGABYTE - 20, MEGABYTE, MEGABYTE + 20, 10, 20, 2 * MEGABYTE, 4 * MEGABYTE]
    const rows = lengths.map((bytes, index) => long(index + 1, bytes))
    for (const size of [65_536, 300_001, 16 * MEGABYTE]) {
      await withRecords(async (session) => {
        expect(await session.writeRecords(TABLE, cut(linesOf(rows), size))).toBe(rows.length)
        expect((await read(session)).map(({ n, line }) => [n, line.length])).toEqual(
          rows.map(({ n, line }) => [n, line.length]),
        )
        const [same] = await session.query(
          `select bool_and(line ~ '^{"a":"ö+"}$' and master = n::text) as "all" from ${TABLE}`,
        )
        expect(same).toEqual({ all: true })
      })
    }
  })

  test('may be many, of any length', async () => {
    const rows = Array.from({ length: 30_000 }, (_, at) => ({
      n: at + 1,
      master: at % 7 === 0 ? null : `${at}`,
      line: `{"a":"${'é'.repeat((at * 37) % 300)}"}`,
    }))
    await withRecords(async (session) => {
      expect(await session.writeRecords(TABLE, cut(linesOf(rows), 262_144))).toBe(rows.length)
      expect(await read(session)).toEqual(rows)
    })
  })

  test('are none from an empty source', async () => {
    await withRecords(async (session) => {
      expect(await session.writeRecords(TABLE, cut(Buffer.alloc(0), 1))).toBe(0)
      expect(await read(session)).toEqual([])
    })
  })

  test('fail with what their source fails with, between two and in the middle of one', async () => {
    for (const begun of ['1\x02\x02a\n', '1\x02\x02a\n2\x02\x02bc', `1\x02\x02${'long '.repeat(MEGABYTE)}`]) {
      const given = new Error('the disk is on fire')
      async function* failing() {
        yield Buffer.from(begun)
        throw given
      }
      const work = withRecords((session) => session.writeRecords(TABLE, failing()))
      await expect(work).rejects.toBe(given)
    }
  })

  test('fail with the error of the server, and the session goes on', async () => {
    await withTestDatabase(engine, ({ database }) =>
      database.withSession(async (session) => {
        const broken = Buffer.from([...Buffer.from('1\x02\x02'), 0xc3, 0x28, 0x0a])
        const work = session.transaction({}, async () => {
          await session.script('create temporary table records (n bigint, master text, line text)')
          return await session.writeRecords(TABLE, cut(broken, 100))
        })
        await expect(work).rejects.toMatchObject({ code: '22021' })
        await expect(
          session.transaction({}, () => session.writeRecords('public.missing', cut(broken, 9))),
        ).rejects.toMatchObject({
          code: '42P01',
        })
        expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
      }),
    )
  })
})
