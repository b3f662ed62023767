import { beforeEach, describe, expect, test } from 'vitest'
import { migrateDryRun } from '../../src/migrate/dry-run.js'
import { engines, withTestDatabase } from '../support/engines.js'
import { createProject, failureOf, type Project, query, readAppliedIds } from './project.js'

let project: Project

beforeEach(async () => {
  project = await createProject()
  await project.write({ '001_a.sql': 'create table a (id int)' })
})

describe.each(engines)('a dry run on $name', (engine) => {
  test('returns the statements as they were sent, and leaves nothing', async () => {
    await project.write({
      '002_b.sql': '-- migrate: description B\ncreate table b ();\n-- migrate: down\ndrop table b',
      '003_c.ts': `export default { description: 'c', async up(db) {
        await db.query('insert into a values ($1::int)', [7])
        const [row] = await db.query('select id from a')
        await db.execute('comment on table b is ' + "'" + row.id + "'; set constraints all immediate")
      } }`,
      '004_index.sql': '-- migrate: no-transaction\ncreate index concurrently on a (id)',
      '005_d.ts': `export default { description: 'd', up: (db) => db.execute('create table d ()') }`,
    })
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database, { only: '001' })
      const { steps } = await migrateDryRun(await project.settings(), { database })
      expect(steps).toMatchObject([
        {
          id: '002_b',
          wasTried: true,
          statements: [{ sql: '-- migrate: description B\ncreate table b ();', values: [] }],
          durationMs: expect.any(Number),
        },
        {
          id: '003_c',
          wasTried: true,
          statements: [
            { sql: 'insert into a values ($1::int)', values: [7] },
            { sql: 'select id from a' },
            { sql: "comment on table b is '7'; set constraints all immediate" },
          ],
        },
        { id: '004_index', wasTried: false, statements: [{ sql: expect.stringContaining('concurrently') }] },
        { id: '005_d', wasTried: false, statements: [], durationMs: null },
      ])
      expect(await query(database, `select to_regclass('b') as b, count(*) as rows from a`)).toEqual([
        { b: null, rows: 0 },
      ])
      expect(await readAppliedIds(database)).toEqual(['001_a'])
      expect(await project.up(database)).toEqual(['002_b', '003_c', '004_index', '005_d'])
    })
  })

  test('writes nothing into a new database, not even the registry', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      const { steps } = await migrateDryRun(await project.settings(), { database })
      expect(steps.map(({ id }) => id)).toEqual(['001_a'])
      expect(await query(database, `select to_regnamespace('understudy') as registry, to_regclass('a') as a`)).toEqual([
        { registry: null, a: null },
      ])
    })
  })

  test.each([
    ['commits', 'create table b (); commit; create table c ();', /unsupported ON COMMIT/],
    ['commits and begins anew', 'create table b (); commit; begin; create table c ();', /unsupported ON COMMIT/],
    ['rolls back and goes on', 'rollback; create table b ();', /read-only transaction/],
    ['rolls back and begins anew', 'rollback; begin; create table b (); commit; begin;', /read-only transaction/],
  ])('lets no migration write that %s unseen', async (_, sql, message) => {
    // With escapes in plain literals the server sees statements where standard SQL has none.
    const unseen = String.raw`select '\'';${sql} --'`
    await project.write({
      '002_b.ts': `export default { description: 'b', async up(db) {
        await db.execute('set standard_conforming_strings = off')
        await db.execute(${JSON.stringify(unseen)})
      } }`,
    })
    await withTestDatabase(engine, async ({ database }) => {
      const error = await failureOf(migrateDryRun(await project.settings(), { database }))
      expect(error.code).toBe('MIGRATION_FAILED')
      expect(`${error.message}\n${error.detail}`).toMatch(message)
      expect(await query(database, `select count(*) as tables from pg_tables where schemaname = 'public'`)).toEqual([
        { tables: 0 },
      ])
      expect(await query(database, 'show default_transaction_read_only')).toEqual([
        { default_transaction_read_only: 'off' },
      ])
    })
  })

  test('names the migration that would fail, and its line', async () => {
    await project.write({ '002_b.sql': 'select 1;\nselect id from nowhere' })
    await withTestDatabase(engine, async ({ database }) => {
      const error = await failureOf(migrateDryRun(await project.settings(), { database }))
      expect(error).toMatchObject({
        message: 'migration 002_b failed: relation "nowhere" does not exist',
        detail: expect.stringMatching(/002_b\.sql:2\n/),
      })
    })
  })
})
