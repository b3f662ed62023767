import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Session } from '../../src/database/port.js'
import { engines, withTestDatabase } from '../support/engines.js'

const TARGET = { table: 'public.lines', columns: ['line'] }
const MEGABYTE = 1 << 20

async function* chunksOf(...texts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield typeof text === 'string' ? Buffer.from(text) : text
}

async function read(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts).toString('utf8')
}

async function digest(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

describe.each(engines)('lines on $name', (engine) => {
  const withLines = <T>(use: (session: Session) => Promise<T>): Promise<T> =>
    withTestDatabase(engine, ({ database }) =>
      database.withSession(async (session) => {
        await session.script(
          'create table public.lines (at integer generated always as identity, line text, extra text)',
        )
        return await use(session)
      }),
    )
  const all = 'select line from public.lines order by at'

  test('come back as they went in, whatever they hold', async () => {
    const lines = ['{"a":"\\n\\u0001\\"\\\\"}', '"', "'", '\\', '\\N', 'ü€😀', ' ', ',;\t|', 'NULL', '{"a":"\\."}'].map(
      (l) => `${l}\n`,
    )
    await withLines(async (session) => {
      expect(await session.writeLines(TARGET, chunksOf(...lines))).toBe(lines.length)
      expect(await read(session.readLines(all))).toBe(lines.join(''))
      const [counted] = await session.query("select count(*) as n from public.lines where line = '\\N'")
      expect(counted).toEqual({ n: 1 })
    })
  })

  test('may be cut into chunks anywhere', async () => {
    const bytes = Buffer.from('äöü\n€uro\n😀\n')
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte))
    await withLines(async (session) => {
      expect(await session.writeLines(TARGET, chunksOf(...single))).toBe(3)
      expect(await read(session.readLines(all))).toBe(bytes.toString())
    })
  })

  test('need no newline at the end', async () => {
    await withLines(async (session) => {
      expect(await session.writeLines(TARGET, chunksOf('a\nb'))).toBe(2)
      expect(await read(session.readLines(all))).toBe('a\nb\n')
    })
  })

  test('are none from an empty source, and none from an empty result', async () => {
    await withLines(async (session) => {
      expect(await session.writeLines(TARGET, chunksOf())).toBe(0)
      expect(await session.writeLines(TARGET, chunksOf(''))).toBe(0)
      expect(await read(session.readLines(all))).toBe('')
    })
  })

  test('fill several columns, an empty one with null', async () => {
    await withLines(async (session) => {
      const target = { table: 'public.lines', columns: ['line', 'extra'] }
      expect(await session.writeLines(target, chunksOf('a\x02b\n', '\x02c\n', 'd\x02\n'))).toBe(3)
      expect(await session.query('select line, extra from public.lines order by at')).toEqual([
        { line: 'a', extra: 'b' },
        { line: null, extra: 'c' },
        { line: 'd', extra: null },
      ])
    })
  })

  test('of a json column are the bytes of the column', async () => {
    await withLines(async (session) => {
      expect(await read(session.readLines(`select '{"b":  1, "a":1.0}'::json`))).toBe('{"b":  1, "a":1.0}\n')
      expect(await read(session.readLines('select row_to_json(r.*) from (select 1 as a) as r'))).toBe('{"a":1}\n')
    })
  })

  test('may be 20 MB long', async () => {
    await withLines(async (session) => {
      const line = Buffer.alloc(20 * MEGABYTE, 'long line ')
      const pieces = [Buffer.from('short\n'), line, Buffer.from('\nshort again\n'), line, Buffer.from('\n')]
      expect(await session.writeLines(TARGET, chunksOf(...pieces))).toBe(4)
      expect(await digest(session.readLines(all))).toBe(await digest(chunksOf(...pieces)))
    })
  })

  test('may be many', async () => {
    const rows = 200_000
    await withLines(async (session) => {
      const select = `select '{"n":' || n || ',"md5":"' || md5(n::text) || '"}' from generate_series(1, ${rows}) as n`
      expect(await session.writeLines(TARGET, chunksOf(await read(session.readLines(select))))).toBe(rows)
      expect(await digest(session.readLines(all))).toBe(await digest(session.readLines(select)))
    })
  })

  test('are written whole or not at all when the source fails', async () => {
    const given = new Error('the disk is on fire')
    async function* failing() {
      yield Buffer.from(`${'a'.repeat(1023)}\n`.repeat(20 * 1024))
      throw given
    }
    await withLines(async (session) => {
      await expect(session.writeLines(TARGET, failing())).rejects.toBe(given)
      expect(await session.query('select count(*) as n from public.lines')).toEqual([{ n: 0 }])
      const work = session.transaction({}, () => session.writeLines(TARGET, failing()))
      await expect(work).rejects.toBe(given)
      expect(await session.query('select count(*) as n from public.lines')).toEqual([{ n: 0 }])
    })
  })

  test('fail with the error of the server, and the source is closed', async () => {
    let isClosed = false
    async function* tooManyColumns() {
      try {
        while (true) yield Buffer.from('a\x02b\n'.repeat(100_000))
      } finally {
        isClosed = true
      }
    }
    await withLines(async (session) => {
      await expect(session.writeLines(TARGET, tooManyColumns())).rejects.toMatchObject({ code: '22P04' })
      expect(isClosed).toBe(true)
      await expect(
        session.writeLines({ table: 'public.missing', columns: ['a'] }, chunksOf('a\n')),
      ).rejects.toMatchObject({ code: '42P01' })
      expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
    })
  })

  test('fail with the error of the select, at the start and in the middle', async () => {
    await withLines(async (session) => {
      await expect(read(session.readLines('select missing'))).rejects.toMatchObject({ code: '42703' })
      const late = "select repeat('x', 1000) || (1 / (5000 - n)) from generate_series(1, 10000) as n"
      await expect(read(session.readLines(late))).rejects.toMatchObject({ code: '22012' })
      expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
      const work = session.transaction({}, () => read(session.readLines(late)))
      await expect(work).rejects.toMatchObject({ code: '22012' })
      expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
    })
  })

  test('can be left early, and session and transaction go on', async () => {
    // Nested, because a single generate_series is computed to its end before its first row is sent.
    const endless = "select repeat('x', 1000) from generate_series(1, 50000) as a, generate_series(1, 50000) as b"
    const readSome = async (session: Session) => {
      for await (const chunk of session.readLines(endless)) return chunk.length
      return 0
    }
    await withLines(async (session) => {
      expect(await readSome(session)).toBeGreaterThan(0)
      expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
      await session.transaction({}, async () => {
        await session.execute("insert into public.lines (line) values ('kept')")
        expect(await readSome(session)).toBeGreaterThan(0)
        await session.execute("insert into public.lines (line) values ('kept too')")
      })
      expect(await read(session.readLines(all))).toBe('kept\nkept too\n')
    })
  })

  test('are read in the snapshot of the transaction', async () => {
    await withLines(async (session) => {
      await session.transaction({ isolation: 'repeatable read' }, async () => {
        await session.execute("insert into public.lines (line) values ('mine')")
        expect(await read(session.readLines(all))).toBe('mine\n')
        expect(await read(session.readLines(all))).toBe('mine\n')
      })
    })
  })

  test('do not mix with other statements of the session', async () => {
    await withLines(async (session) => {
      const meddle = async () => {
        for await (const _ of session.readLines('select 1')) await session.query('select 1')
      }
      await expect(meddle()).rejects.toMatchObject({ code: 'SESSION_MISUSED' })
      async function* meddling() {
        yield Buffer.from('a\n')
        await session.query('select 1')
      }
      await expect(session.writeLines(TARGET, meddling())).rejects.toMatchObject({ code: 'SESSION_MISUSED' })
      expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
    })
  })
})
