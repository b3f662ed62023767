import { describe, expect, test } from 'vitest'
import { Lookup } from '../../src/database/lookup.js'
import type { Encoder, Session } from '../../src/database/port.js'
import { quoteIdentifier } from '../../src/database/quoting.js'
import { renderingOf } from '../../src/database/rendered-types.js'
import { type RenderedColumn, RowRenderer } from '../../src/database/row-renderer.js'
import { pinSettings } from '../../src/database/settings.js'
import type { MarkedLines } from '../../src/marked-lines.js'
import { encodeExpression } from '../../src/model/encodings.js'
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
  bigint: [
    '-9223372036854775808',
    '9007199254740993',
    '9007199254740991',
    '-9007199254740992',
    '-10',
    '999',
    '1000',
    '123456789012',
  ],
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
  date: [
    "'2026-11-22'",
    "'infinity'",
    "'-infinity'",
    "'0044-03-15 BC'",
    "'0001-12-31 BC'",
    "'0001-01-01'",
    "'2000-02-29'",
    "'1900-03-01'",
    "'9999-12-31'",
    "'10000-01-01'",
    "'5874897-12-31'",
    "'4713-01-01 BC'",
  ],
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
    "'1969-12-31 23:59:59.000001'",
    "'1712-02-29 00:00:00.1'",
    "'2290-01-01 00:00:00.120'",
    "'0001-01-01 00:00:00'",
    "'4713-11-24 00:00:00 BC'",
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
  'smallint[]': ["'{-1,7}'"],
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

/** Values, as SQL, of types whose values are encoded before they are rendered. */
const ENCODED: Readonly<Record<string, readonly string[]>> = {
  'boolean[]': ["'{t,f,null}'", "'{{t},{f}}'", "'[2:3]={t,null}'"],
  'smallint[]': ["'{-32768,null,7}'", "'[0:0]={-1}'"],
  'integer[]': [
    "'{1,null,3}'",
    "'{}'",
    "'[0:1]={1,2}'",
    "'{{1,2},{3,4}}'",
    "'{{{1},{2}},{{3},{null}}}'",
    "'[1:1][0:1]={{1,2}}'",
  ],
  'bigint[]': ["'{-9223372036854775808,9007199254740993}'", "'[-1:0]={9223372036854775807,null}'"],
  'text[]': [
    `'{"a,b","\\"",null,NULL,"NULL","null",""," ","ä €","{x}","\\\\"}'`,
    "'{}'",
    `'[3:13]={"a,b","\\"",null,"NULL","null",""," x","ä€ ","{x}","\\\\",y}'`,
    `array[e'tab\t', e'line\n', e'\x0b', e'\x01"']`,
    `('[0:3]={a,a,a,a}'::text[])[0:1] || array[e'tab\t', e'line\n', e'\x0b', e'\x01"']`,
    `array(select 'element "' || n || '"' from generate_series(1, 200) n)`,
    `array(select repeat(e'\n', 500) || n from generate_series(1, 1000) n)`,
    `array[[repeat('x', 70000), null], ['b', repeat('"', 70000)]]`,
    `array_fill(repeat('long ', 500), array[40], array[5])`,
  ],
  'character varying(9)[]': ["'{abc,null}'", "'[2:2]={NULL}'"],
  'character(4)[]': ["'{abc,null}'", "'[2:2]={ab}'"],
  'numeric[]': ["'{1.00,NaN}'", "'[0:0]={1.50}'"],
  'timestamptz[]': ["'{2026-11-22 10:00:00+01}'", "'[0:0]={infinity}'"],
  'public.labels': ['\'{a,"b \\\\"}\'', "'[0:0]={c}'"],
  jsonb: [
    "'null'",
    `'"null"'`,
    "'true'",
    "'1e3'",
    `'{"b": 1, "a": ["\\\\", "\\"", "\\n", "ä"]}'`,
    `'{"$json": 1}'`,
    `'{"\\u0024json": null, "b": 2}'`,
    `'{"$JSON": 1, "price": "5 $"}'`,
    `'{"a": {"$json": 1}}'`,
    `'{"a": "$json"}'`,
    `'"$json"'`,
    `'"\\"$json\\""'`,
    `'["a", "$json"]'`,
    `'[["$json"]]'`,
    `'[{"$json": 1}]'`,
    `'[]'`,
    `jsonb_build_object('a', repeat('x', 3000), '$json', 1)`,
    `jsonb_build_object('a', repeat('$json "', 20000))`,
    `jsonb_build_object('longer', repeat('ä', 200000), '$json', null)`,
    `jsonb_build_array(repeat('x', 5000), '$json')`,
    `to_jsonb(repeat('"$json"', 1000))`,
  ],
}

const TYPES = `
  create type public.mood as enum ('so, "so"');
  create domain public.short as text check (length(value) < 10);
  create domain public.stamp as timestamp;
  create domain public.labels as text[];
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

  test('are encoded before, where that is asked for', async () => {
    await withTypes(async (session) => {
      for (const [type, values] of Object.entries(ENCODED)) {
        const rows = [...values, 'null'].map(
          (value, index) => `select ${index} as n, (${value})::${type} as "v v", 'end' as e`,
        )
        const select = rows.join(' union all ')
        const encoding = type === 'jsonb' ? 'jsonb' : 'array'
        const encoder: Encoder = { encoding, toSql: (value) => encodeExpression(encoding, value) }
        const records = await read(session.readRecords(select, { encoders: new Map([['v v', encoder]]) }))
        const encoded = `select n, ${encoder.toSql(`t.${quoteIdentifier('v v')}`)} as "v v", e from (${select}) t`
        expect(records, type).toBe(await read(session.readLines(`select row_to_json(r.*) from (${encoded}) r`)))
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

/** A file of `COPY` in binary; texts are given as they are, other values as their bytes. */
function binaryRows(rows: readonly (readonly (string | Buffer | null)[])[]): Buffer {
  const parts: Buffer[] = [Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]
  for (const row of rows) {
    parts.push(int16(row.length))
    for (const value of row) {
      if (value === null) parts.push(int32(-1))
      else parts.push(int32(Buffer.byteLength(value)), typeof value === 'string' ? Buffer.from(value) : value)
    }
  }
  return Buffer.concat([...parts, int16(-1)])
}

function int16(number: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(number)
  return bytes
}

function int32(number: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(number)
  return bytes
}

function column(name: string, typeOid: number, lookup?: Lookup): RenderedColumn {
  return { name, ...renderingOf(typeOid, { lookup }) }
}

describe('the renderer', () => {
  const COLUMNS = [column('id', 23), column('text', 25), column('at', 1184), column('ok', 16)]
  const at = Buffer.alloc(8)
  at.writeBigInt64BE(848_656_800_500_000n)
  const forever = Buffer.alloc(8)
  forever.writeBigInt64BE(9_223_372_036_854_775_807n)
  const ROWS: readonly (readonly (string | Buffer | null)[])[] = [
    [int32(1), 'a\tb"\\\v', at, Buffer.of(1)],
    [int32(-2), null, null, null],
    [int32(3), '', forever, Buffer.of(0)],
  ]
  const LINES = [
    String.raw`{"id":1,"text":"a\tb\"\\\u000b","at":"2026-11-22T10:00:00.5+00:00","ok":true}`,
    '{"id":-2,"text":null,"at":null,"ok":null}',
    '{"id":3,"text":"","at":"infinity","ok":false}',
  ]

  function render(chunks: Iterable<Uint8Array>, columns: readonly RenderedColumn[] = COLUMNS): string {
    const renderer = new RowRenderer(columns)
    const parts: Buffer[] = []
    for (const chunk of chunks) for (const part of renderer.push(chunk)) parts.push(bytesOf(part))
    for (const part of renderer.end()) parts.push(bytesOf(part))
    return Buffer.concat(parts).toString()
  }

  function times<T>(rows: readonly T[], count: number): T[] {
    return Array.from({ length: count }, () => rows).flat()
  }

  test('takes chunks that break anywhere', () => {
    const wanted = `${LINES.join('\n')}\n`
    const bytes = binaryRows(ROWS)
    expect(render([bytes])).toBe(wanted)
    expect(render(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toBe(wanted)
    for (let at = 0; at <= bytes.length; at++) expect(render([bytes.subarray(0, at), bytes.subarray(at)])).toBe(wanted)
  })

  test('takes long texts in chunks that break anywhere', () => {
    const text = `${'x"\n'.repeat(3000)}`
    const rows = [
      [text, Buffer.from(`\x01{"a":"${'$'.repeat(4000)}"}`)],
      [null, null],
    ]
    const columns: readonly RenderedColumn[] = [
      column('t', 25),
      { name: 'j', ...renderingOf(3802, { encoder: { encoding: 'jsonb', toSql: String } }) },
    ]
    const wanted = `{"t":${JSON.stringify(text)},"j":{"a":"${'$'.repeat(4000)}"}}\n{"t":null,"j":null}\n`
    const bytes = binaryRows(rows)
    expect(render([bytes], columns)).toBe(wanted)
    expect(
      render(
        Array.from(bytes, (byte) => Uint8Array.of(byte)),
        columns,
      ),
    ).toBe(wanted)
  })

  test('goes on over its block wherever that ends', () => {
    // Rows of an odd number of bytes and blocks of 64 KiB: the ends of blocks fall on every byte of a row.
    const count = 100_000
    expect(render([binaryRows(times(ROWS, count))]) === `${LINES.join('\n')}\n`.repeat(count)).toBe(true)
  })

  test('ends wherever the end comes in its block', () => {
    for (let bytes = 64 * 1024 - 100; bytes < 64 * 1024 + 10; bytes++) {
      const text = 'x'.repeat(bytes)
      const isRight = render([binaryRows([[text]])], [column('a', 25)]) === `{"a":"${text}"}\n`
      expect(isRight, `${bytes}`).toBe(true)
    }
  })

  test('writes what keys stand for, in any column and wherever a block ends', async () => {
    const lines = Buffer.from('1:"eins"\n22:["z\u00e4",2]\n-3:"drei"\n')
    const lookup = (await Lookup.read([lines] as never, { bytes: 100, textBytes: 100 })) ?? undefined
    const columns = [column('a', 23, lookup), column('b', 25), column('c', 20, lookup)]
    const rows = [
      ['1', 'x', '22'],
      [null, 'y', '4'],
      ['-3', '', null],
      ['2', 'z', '1'],
    ]
    const wanted = [
      '{"a":"eins","b":"x","c":["zä",2]}',
      '{"a":null,"b":"y","c":null}',
      '{"a":"drei","b":"","c":null}',
      '{"a":null,"b":"z","c":"eins"}',
    ]
    const bytes = binaryRows(rows)
    expect(render([bytes], columns)).toBe(`${wanted.join('\n')}\n`)
    expect(
      render(
        Array.from(bytes, (byte) => Uint8Array.of(byte)),
        columns,
      ),
    ).toBe(`${wanted.join('\n')}\n`)
    expect(render([binaryRows(times(rows, 50_000))], columns) === `${wanted.join('\n')}\n`.repeat(50_000)).toBe(true)
  })

  test('marks the lines that are whole in a piece, and where their first value ends', () => {
    const renderer = new RowRenderer(COLUMNS)
    const made: { text: string; marks: number[] }[] = []
    for (const part of renderer.push(binaryRows(times(ROWS, 30_000)))) {
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
    const renderer = new RowRenderer([column('j', 114)])
    const made = [...renderer.push(binaryRows([['[1,\n2]']])), ...renderer.end()]
    expect(made.map(({ bytes, isRaw }) => [bytes.toString(), isRaw])).toEqual([['{"j":[1,\n2]},\n', true]])
  })

  test('refuses rows that end in the middle', () => {
    const bytes = binaryRows(ROWS)
    for (let length = 0; length < bytes.length; length++)
      expect(() => render([bytes.subarray(0, length)])).toThrow('in the middle of its rows')
  })
})
