import { describe, expect, test } from 'vitest'
import { describeSqlError } from '../../src/database/failures.js'
import type { Session } from '../../src/database/port.js'
import { engines, withTestDatabase } from '../support/engines.js'

describe.each(engines)('a session on $name', (engine) => {
  const withSession = <T>(use: (session: Session) => Promise<T>): Promise<T> =>
    withTestDatabase(engine, ({ database }) => database.withSession(use))

  test('gives back booleans, numbers, parsed json, arrays of text, and text for all else', async () => {
    const [row] = await withSession((session) =>
      session.query(`
        select
          true as bool, 1::int2 as int2, 2::int4 as int4, 3::int8 as int8, 4::oid as oid, 1.5::float4 as float4,
          'NaN'::float8 as float8, '{"a":[1]}'::json as json, 'null'::jsonb as jsonb,
          array['a', 'b "c" \\ ,d', null, 'NULL', '']::text[] as texts, array['x']::name[] as names, '{}'::text[] as none,
          1.10::numeric as numeric, date '2024-02-29' as date, timestamptz '2024-01-01 00:00:00+00' as at,
          '\\x00ff'::bytea as bytea, array[1, 2]::int4[] as ints, null::int4 as missing, 'n'::name as name`),
    )
    expect(row).toEqual({
      bool: true,
      int2: 1,
      int4: 2,
      int8: 3,
      oid: 4,
      float4: 1.5,
      float8: Number.NaN,
      json: { a: [1] },
      jsonb: null,
      texts: ['a', 'b "c" \\ ,d', null, 'NULL', ''],
      names: ['x'],
      none: [],
      numeric: '1.10',
      date: '2024-02-29',
      at: expect.stringMatching(/^2024-01-01 00:00:00\+00|2023-12-31/),
      bytea: '\\x00ff',
      ints: '{1,2}',
      missing: null,
      name: 'n',
    })
  })

  test('takes every kind of value as a parameter', async () => {
    const [row] = await withSession((session) =>
      session.query(
        `select $1::text as text, $2::boolean as bool, $3::bigint as int8, $4::jsonb as jsonb, $5::text[] as texts,
           $6::bytea as bytea, $7::text as missing, $8::integer[] as ints, $9::text[] as none`,
        [
          'ü\'"\\',
          false,
          9007199254740991n,
          { a: 'ü' },
          ['"', '\\', null, 'NULL', '', '{,}'],
          Buffer.of(0, 255),
          null,
          [1],
          [],
        ],
      ),
    )
    expect(row).toEqual({
      text: 'ü\'"\\',
      bool: false,
      int8: 9007199254740991,
      jsonb: { a: 'ü' },
      texts: ['"', '\\', null, 'NULL', '', '{,}'],
      bytea: '\\x00ff',
      missing: null,
      ints: '{1}',
      none: [],
    })
  })

  test('says how many rows a statement touched', async () => {
    await withSession(async (session) => {
      expect(await session.execute('create table t (a integer)')).toBe(0)
      expect(await session.execute('insert into t select generate_series(1, $1::integer)', [5])).toBe(5)
      expect(await session.execute('update t set a = a + 1 where a > 3')).toBe(2)
      expect(await session.execute('delete from t where false')).toBe(0)
    })
  })

  test('runs a script of several statements, and an empty one', async () => {
    await withSession(async (session) => {
      await session.script("create table t (a text); insert into t values ('a;b'); -- a comment; with a semicolon")
      await session.script('')
      expect(await session.query('select a from t')).toEqual([{ a: 'a;b' }])
    })
  })

  test('undoes a script that fails, outside a transaction too', async () => {
    await withSession(async (session) => {
      await expect(session.script('create table t (a text); select 1 / 0')).rejects.toMatchObject({ code: '22012' })
      expect(await session.query("select to_regclass('public.t') is null as gone")).toEqual([{ gone: true }])
    })
  })

  test('runs statements that are sent together one after the other', async () => {
    await withSession(async (session) => {
      const rows = await Promise.all([1, 2, 3].map((n) => session.query('select $1::integer as n', [n])))
      expect(rows.flat()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    })
  })

  test('reports SQL errors with the same facts', async () => {
    await withSession(async (session) => {
      await session.script('create schema s; create table s.t (a integer constraint one_a unique, b integer not null)')
      await session.execute('insert into s.t values (1, 1)')
      const duplicate = await session.execute('insert into s.t values (1, 1)').catch((error) => error)
      expect(describeSqlError(duplicate)).toMatchObject({
        sqlstate: '23505',
        message: 'duplicate key value violates unique constraint "one_a"',
        detail: 'Key (a)=(1) already exists.',
        schema: 's',
        table: 't',
        constraint: 'one_a',
      })
      const missing = await session.execute('insert into s.t values ($1::integer, null)', [2]).catch((error) => error)
      expect(describeSqlError(missing)).toMatchObject({ sqlstate: '23502', schema: 's', table: 't', column: 'b' })
      expect(describeSqlError(new Error('no SQL error'))).toBeUndefined()
      expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
    })
  })

  test('hands out a session without traces of the one before', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      const state = `select current_setting('work_mem') as work_mem, to_regclass('pg_temp.t') is null as is_clean`
      const before = await database.withSession((session) => session.query(state))
      const failing = database.withSession(async (session) => {
        await session.script(
          "create temp table t (a text); set work_mem = '5MB'; begin; create table left_open (a text)",
        )
        throw new Error('given up')
      })
      await expect(failing).rejects.toThrow('given up')
      expect(await database.withSession((session) => session.query(state))).toEqual(before)
      expect(
        await database.withSession((session) => session.query("select to_regclass('left_open') is null as gone")),
      ).toEqual([{ gone: true }])
    })
  })

  test('refuses a session that was given back, and a database that was closed', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      const kept = await database.withSession(async (session) => session)
      await expect(kept.query('select 1')).rejects.toMatchObject({ code: 'SESSION_MISUSED' })
      await database.close()
      await expect(database.withSession(async () => 1)).rejects.toMatchObject({ code: 'SESSION_MISUSED' })
    })
  })
})

describe.each(engines)('a transaction on $name', (engine) => {
  const withTable = <T>(use: (session: Session) => Promise<T>): Promise<T> =>
    withTestDatabase(engine, ({ database }) =>
      database.withSession(async (session) => {
        await session.script('create table t (a integer)')
        return await use(session)
      }),
    )
  const count = async (session: Session) => (await session.query<{ n: number }>('select count(*) as n from t'))[0]?.n

  test('commits and returns what the work returned', async () => {
    await withTable(async (session) => {
      expect(await session.transaction({}, () => session.execute('insert into t values (1)'))).toBe(1)
      expect(await count(session)).toBe(1)
    })
  })

  test('rolls back on an error and throws that error', async () => {
    await withTable(async (session) => {
      const given = new Error('given up')
      const work = session.transaction({}, async () => {
        await session.execute('insert into t values (1)')
        throw given
      })
      await expect(work).rejects.toBe(given)
      expect(await count(session)).toBe(0)
    })
  })

  test('rolls back on an SQL error and goes on afterwards', async () => {
    await withTable(async (session) => {
      const work = session.transaction({}, async () => {
        await session.execute('insert into t values (1)')
        await session.execute('select 1 / 0')
      })
      await expect(work).rejects.toMatchObject({ code: '22012' })
      expect(await count(session)).toBe(0)
    })
  })

  test('fails where the server rolls back because an error was swallowed', async () => {
    await withTable(async (session) => {
      const work = session.transaction({}, async () => {
        await session.execute('insert into t values (1)')
        await session.execute('select 1 / 0').catch(() => undefined)
      })
      await expect(work).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
      expect(await count(session)).toBe(0)
    })
  })

  test('is not nested', async () => {
    await withTable(async (session) => {
      const work = session.transaction({}, () => session.transaction({}, async () => 1))
      await expect(work).rejects.toMatchObject({ code: 'SESSION_MISUSED' })
      expect(await session.transaction({}, async () => 2)).toBe(2)
    })
  })

  test('has the isolation and the access that were asked for', async () => {
    await withTable(async (session) => {
      const settings = `select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as read_only`
      expect(
        await session.transaction({ isolation: 'repeatable read', isReadOnly: true }, () => session.query(settings)),
      ).toEqual([{ isolation: 'repeatable read', read_only: 'on' }])
      expect(await session.transaction({}, () => session.query(settings))).toEqual([
        { isolation: 'read committed', read_only: 'off' },
      ])
    })
  })
})
