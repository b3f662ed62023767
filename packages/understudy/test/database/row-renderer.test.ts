import { describe, expect, test } from 'vitest'
import { Lookup } from '../../src/database/lookup.js'
import type { Session } from '../../src/database/port.js'
import { type RenderedColumn, RowRenderer } from '../../src/database/row-renderer.js'
import { pinSettings } from '../../src/database/settings.js'
import type { MarkedLines } from '../../src/marked-lines.js'
import { engines, withTestDatabase } from '../support/engines.js'
import { bytesOf } from '../support/marked-lines.js'

async function read(chunks: AsyncIterable<Uint8Array | MarkedLines>): Promise<string> {
  const parts: Buffer[] = []
  for await (const chunk of chunks) parts.push(bytesOf(chunk))
  return Buffer.concat(parts).toString()
}

/** Values, as SQL, of every type that is rendered, and of some that are not. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  boolean: ['true', 'false'],
  smallint: ['-32768', '0', '7'],
  integer: ['-1', '2147483647'],
  bigint: ['-9223372036854775808', '9007199254740993'],
  real: ["'NaN'", "'-Infinity'", "'Infinity'", '-0.0', '1e-30', '3.4028235e38'],
  'double precision': ["'NaN'", "'-Infinity'", "'Infinity'", "'-0'", '0.1', '1e300', '5e-324'],
  numeric: ["'NaN'", "'Infinity'", "'-Infinity'", '1.00', '-0.000', `${'1234567890'.repeat(30)}.5`],
  text: [
    "''",
    "'NULL'",
    String.raw`'\N'`,
    String.raw`'\'`,
    String.raw`'a\\b\t'`,
    `'"'`,
    `'"quoted", and ''quoted'''`,
    String.raw`e'\b\f\n\r\t\v'`,
    "(select string_agg(chr(n), '' order by n) from generate_series(1, 300) n)",
    "'ä€😀'",
    "'v'",
    "'\u2028\u2029\ufeff'",
    'repeat(\'long "line" \', 60000)',
    "repeat(e'\\n', 300000)",
  ],
  'character varying(5)': ["'abc'"],
  'character(5)': ["'abc'", "''"],
  uuid: ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
  date: ["'2026-11-22'", "'infinity'", "'-infinity'", "'0044-03-15 BC'", "'12026-01-01'"],
  time: ["'24:00'", "'10:00:00.000001'"],
  timetz: ["'10:00+05:30'", "'10:00:00.5-03'"],
  timestamp: [
    "'2026-11-22 10:00:00'",
    "'2026-11-22 10:00:00.000001'",
    "'infinity'",
    "'-infinity'",
    "'0044-03-15 12:00:00.25 BC'",
    "'12026-01-01 00:00:00'",
    "'294276-12-31 23:59:59.999999'",
  ],
  timestamptz: [
    "'2026-11-22 10:00:00+01'",
    "'2026-11-22 10:00:00.12-03:30'",
    "'infinity'",
    "'-infinity'",
    "'0044-03-15 12:00:00.25+00 BC'",
    "'294276-12-31 23:59:59.999999+00'",
  ],
  json: [`'{"b":  1, "a": "x\\ty"}'`, `'"\\u0001"'`, "'null'"],
  jsonb: [`'{"b": 1, "a": ["\\\\", "\\"", "\\n", "ä"]}'`, "'null'", `'"\\t"'`],
  'integer[]': ["'{1,null,3}'", "'{}'", "'[0:1]={1,2}'", "'{{1},{2}}'"],
  'text[]': [`'{"a,b","\\"",null,NULL,"NULL"}'`],
  interval: ["'1 mon -3 days 04:05:06.7'"],
  bytea: [String.raw`'\x00ff5c'`],
  inet: ["'10.0.0.1/8'"],
  'public.mood': ['\'so, "so"\''],
  'public.short': ["'domain'"],
  'public.stamp': ["'2026-11-22 10:00:00'"],
  'public.pair': [`row(1, 'x "y"')`],
}

const TYPES = `
  create type public.mood as enum ('so, "so"');
  create domain public.short as text check (length(value) < 10);
  create domain public.stamp as timestamp;
  create type public.pair as (a int, b text);`

describe.each(engines)('records on $name', (engine) => {
  const withTypes = (use: (session: Session) => Promise<void>) =>
    withTestDatabase(engine, ({ database }) =>
      database.withSession(async (session) => {
        await session.script(TYPES)
        await session.transaction({}, async () => {
          await pinSettings(session)
          await use(session)
        })
      }),
    )

  async function expectSame(session: Session, select: string): Promise<string> {
    const records = await read(session.readRecords(select))
    expect(records).toBe(await read(session.readLines(`select row_to_json(r.*) from (${select}) r`)))
    return records
  }

  test('are what row_to_json makes of the rows, whatever the values', async () => {
    await withTypes(async (session) => {
      for (const [type, values] of Object.entries(VALUES)) {
        const rows = [...values, 'null'].map(
          (value, index) => `select ${index} as n, (${value})::${type} as v, 'end' as e`,
        )
        const records = await expectSame(session, rows.join(' union all '))
        expect(records.split('\n').length - 1, type).toBe(values.length + 1)
      }
    })
  })

  test('with all values in one row, and with none', async () => {
    await withTypes(async (session) => {
      const columns = Object.entries(VALUES).flatMap(([type, values]) => values.map((value) => `(${value})::${type}`))
      await expectSame(session, `select ${columns.map((column, index) => `${column} as c${index}`).join(', ')}`)
      await expectSame(session, `select ${columns.map((_, index) => `null as c${index}`).join(', ')}`)
      expect(await expectSame(session, 'select 1 as a where false')).toBe('')
    })
  })

  test('with columns of any name', async () => {
    const names = ['a"b', 'tab\there', 'line\nhere', 'back\\slash', '', 'Käse €', 'select', '$origin', 'n'.repeat(63)]
    const columns = names
      .filter((name) => name !== '')
      .map((name, index) => `${index} as "${name.replaceAll('"', '""')}"`)
    await withTypes(async (session) => {
      await expectSame(session, `select ${columns.join(', ')}`)
    })
  })

  test('that are many', async () => {
    await withTypes(async (session) => {
      await expectSame(
        session,
        `select n, repeat('x', n % 700) as x, n % 2 = 0 as even, null::text as nothing, now() + n * interval '1 hour' as at, '"' || n as q
           from generate_series(1, 20000) n order by n`,
      )
    })
  })

  test('leave the session in order when the reader stops early', async () => {
    await withTypes(async (session) => {
      for await (const _ of session.readRecords('select generate_series(1, 10000000) as n')) break
      expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
    })
  })
})

describe('the renderer', () => {
  const COLUMNS: readonly RenderedColumn[] = [
    { name: 'id', typeOid: 23 },
    { name: 'text', typeOid: 25 },
    { name: 'at', typeOid: 1184 },
    { name: 'ok', typeOid: 16 },
  ]
  const ROWS = Buffer.from(
    `${String.raw`1	a\tb"\\\v	2026-11-22 10:00:00.5+00	t`}\n${String.raw`-2	\N	\N	\N`}\n3\t\tinfinity\tf\n`,
  )
  const LINES = [
    String.raw`{"id":1,"text":"a\tb\"\\\u000b","at":"2026-11-22T10:00:00.5+00:00","ok":true}`,
    '{"id":-2,"text":null,"at":null,"ok":null}',
    '{"id":3,"text":"","at":"infinity","ok":false}',
  ]

  function render(chunks: Iterable<Uint8Array>, columns = COLUMNS): string {
    const renderer = new RowRenderer(columns)
    const parts: Buffer[] = []
    for (const chunk of chunks) for (const part of renderer.push(chunk)) parts.push(bytesOf(part))
    for (const part of renderer.end()) parts.push(bytesOf(part))
    return Buffer.concat(parts).toString()
  }

  test('takes chunks that break anywhere', () => {
    const wanted = `${LINES.join('\n')}\n`
    expect(render([ROWS])).toBe(wanted)
    expect(render(Array.from(ROWS, (byte) => Uint8Array.of(byte)))).toBe(wanted)
  })

  test('goes on over its block wherever that ends', () => {
    // Rows of 53 bytes and blocks of 64 KiB: the ends of blocks fall on every byte of a row.
    const count = 300_000
    const rows = Buffer.concat(Array.from({ length: count / 3 }, () => ROWS))
    expect(render([rows]) === `${LINES.join('\n')}\n`.repeat(count / 3)).toBe(true)
  })

  test('ends wherever the end comes in its block', () => {
    for (let bytes = 64 * 1024 - 70; bytes < 64 * 1024 + 70; bytes++) {
      const text = 'x'.repeat(bytes - 1)
      expect(render([Buffer.from(`${text}\n`)], [{ name: 'a', typeOid: 25 }]) === `{"a":"${text}"}\n`, `${bytes}`).toBe(
        true,
      )
    }
  })

  test('writes what keys stand for, in any column and wherever a block ends', async () => {
    const lines = Buffer.from('1:"eins"\n22:["z\u00e4",2]\n-3:"drei"\n')
    const lookup = (await Lookup.read([lines] as never, { bytes: 100, textBytes: 100 })) ?? undefined
    const columns = [
      { name: 'a', typeOid: 23, lookup },
      { name: 'b', typeOid: 25 },
      { name: 'c', typeOid: 20, lookup },
    ]
    const rows = '1\tx\t22\n\\N\ty\t4\n-3\t\t\\N\n2\tz\t1\n'
    const wanted = [
      '{"a":"eins","b":"x","c":["zä",2]}',
      '{"a":null,"b":"y","c":null}',
      '{"a":"drei","b":"","c":null}',
      '{"a":null,"b":"z","c":"eins"}',
    ]
    expect(render([Buffer.from(rows)], columns)).toBe(`${wanted.join('\n')}\n`)
    const single = Array.from(Buffer.from(rows), (byte) => Uint8Array.of(byte))
    expect(render(single, columns)).toBe(`${wanted.join('\n')}\n`)
    const many = Buffer.from(rows.repeat(50_000))
    expect(render([many], columns) === `${wanted.join('\n')}\n`.repeat(50_000)).toBe(true)
  })

  test('marks the lines that are whole in a piece, and where their first value ends', () => {
    const renderer = new RowRenderer(COLUMNS)
    const rows = Buffer.concat(Array.from({ length: 30_000 }, () => ROWS))
    const made: { text: string; marks: number[] }[] = []
    for (const part of renderer.push(rows)) {
      made.push({ text: part.bytes.toString('latin1'), marks: [...part.marks] })
    }
    expect(made.length).toBeGreaterThan(10)
    for (const { text, marks } of made) {
      const [from = 0, ...pairs] = marks
      expect(from).toBe(/^\{"id":-?\d+,/.test(text) ? 0 : text.indexOf('\n') + 1)
      const ends = pairs.filter((_, index) => index % 2 === 1)
      expect(text.slice(from, ends.at(-1)).match(/\n/g)?.length).toBe(ends.length)
      expect(ends.every((end) => text[end - 1] === '\n')).toBe(true)
      expect(text.indexOf('\n', ends.at(-1))).toBe(-1)
      const starts = [from, ...ends.slice(0, -1)]
      const firsts = pairs.filter((_, index) => index % 2 === 0)
      expect(firsts.every((end, index) => /^\{"id":(1|-2|3)$/.test(text.slice(starts[index], end)))).toBe(true)
    }
  })

  test('says where json holds a control character', () => {
    const renderer = new RowRenderer([{ name: 'j', typeOid: 114 }])
    const rows = Buffer.from(`${String.raw`[1,\n2]`}\n`)
    const made = [...renderer.push(rows), ...renderer.end()].map(({ bytes, isRaw }) => [bytes.toString(), isRaw])
    expect(made).toEqual([['{"j":[1,\n2]},\n', true]])
  })

  test('refuses rows that end in the middle', () => {
    expect(() => render([Buffer.from('1\tab')])).toThrow('in the middle of a row')
  })
})
