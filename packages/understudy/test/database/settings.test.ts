import { describe, expect, test } from 'vitest'
import { pinSettings, useSearchPath } from '../../src/database/settings.js'
import { engines, withTestDatabase } from '../support/engines.js'

const UNUSUAL = `
  set timezone = 'Asia/Kathmandu'; set datestyle = 'SQL, DMY'; set intervalstyle = 'sql_standard'; set bytea_output = 'escape';
  set extra_float_digits = -3; set xmloption = 'document'; set statement_timeout = '1h'; set search_path = 'public'`

const SAMPLE = `
  select
    timestamptz '2024-03-01 12:00:00+00'::text as at, date '2024-03-01'::text as date, interval '1 mon -2 days 3 h'::text as interval,
    '\\x00ff'::bytea::text as bytea, (0.1::float8 + 0.2::float8)::text as float, '1.5'::money::text as money,
    current_setting('search_path') as path, current_setting('statement_timeout') as timeout, current_setting('row_security') as security`

const PINNED = {
  at: '2024-03-01 12:00:00+00',
  date: '2024-03-01',
  interval: '1 mon -2 days +03:00:00',
  bytea: '\\x00ff',
  float: '0.30000000000000004',
  money: expect.stringMatching(/^\$?1\.50$/),
  path: '',
  timeout: '0',
  security: 'off',
}

describe.each(engines)('pinned settings on $name', (engine) => {
  test('give every value the same text, and only until the end of the transaction', async () => {
    await withTestDatabase(engine, ({ database }) =>
      database.withSession(async (session) => {
        await session.script(UNUSUAL)
        const before = await session.query(SAMPLE)
        const inside = await session.transaction({ isReadOnly: true }, async () => {
          await pinSettings(session)
          return await session.query(SAMPLE)
        })
        expect(inside).toEqual([PINNED])
        expect(await session.query(SAMPLE)).toEqual(before)
      }),
    )
  })

  test("go back to the database's own search path where it is wanted", async () => {
    await withTestDatabase(engine, ({ database }) =>
      database.withSession(async (session) => {
        const [fresh] = await session.query<{ path: string }>("select current_setting('search_path') as path")
        await session.transaction({}, async () => {
          await pinSettings(session)
          expect(await session.query(SAMPLE)).toMatchObject([{ path: '' }])
          await useSearchPath(session, 'own')
          expect(await session.query(SAMPLE)).toMatchObject([{ path: fresh?.path, timeout: '0' }])
        })
      }),
    )
  })
})
