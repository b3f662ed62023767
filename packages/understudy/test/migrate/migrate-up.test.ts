import { beforeEach, describe, expect, test } from 'vitest'
import { withAdvisoryLock } from '../../src/database/advisory-lock.js'
import { migrateUp } from '../../src/migrate/migrate-up.js'
import { migrationStatus } from '../../src/migrate/migration-status.js'
import { engines, servers, withTestDatabase } from '../support/engines.js'
import { createProject, failureOf, type Project, query, readAppliedIds } from './project.js'

let project: Project

beforeEach(async () => {
  project = await createProject()
})

describe.each(engines)('on $name', (engine) => {
  test('SQL and TypeScript run in the order of their numbers, once, and the ledger tells of it', async () => {
    await project.write({
      '001_people.sql':
        '-- migrate: description People: the first table\ncreate table people (id int); insert into people values (1);',
      '002_double.ts': `
        import { defineMigration } from 'understudy'
        export default defineMigration({
          description: 'doubles people',
          async up(db) {
            const rows = await db.query<{ id: number }>('select id from people where id = $1::int', [1])
            await db.execute(rows.map(({ id }) => \`insert into people values (\${id + 1});\`).join('') + 'create table "we""ird" ()')
          },
        })`,
      'README.md': 'no migration',
    })
    await withTestDatabase(engine, async ({ database }) => {
      const result = await migrateUp(await project.settings(), { database })
      expect(result).toMatchObject({
        database: database.label,
        applied: [
          { id: '001_people', package: 'all', description: 'People: the first table' },
          { id: '002_double', package: 'all', description: 'doubles people' },
        ],
        manual: [],
      })
      expect(await query(database, 'select id from people order by id')).toEqual([{ id: 1 }, { id: 2 }])
      const [row] = await query(
        database,
        'select *, applied_at is not null as dated from understudy.migration order by id',
      )
      expect(row).toMatchObject({
        id: '001_people',
        package: 'all',
        checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
        checksum_algorithm: 'sha256',
        dated: true,
        duration_ms: expect.any(Number),
        tool_version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        archive: null,
      })
      expect(await project.up(database)).toEqual([])
    })
  })

  test('everything in the ledger has a comment', async () => {
    await project.write({ '001_a.sql': 'select 1' })
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      const bare = await query(
        database,
        `select attname
         from pg_attribute
         where attrelid = 'understudy.migration'::regclass and attnum > 0 and col_description(attrelid, attnum) is null`,
      )
      expect(bare).toEqual([])
    })
  })

  test('a failing migration leaves nothing of itself and names the line; those before it stand', async () => {
    await project.write({
      '001_a.sql': 'create table a ()',
      '002_b.sql': "create table b ();\nselect 'ö😀';\nselect nothing_like_this;\n",
      '003_c.sql': 'create table c ()',
    })
    await withTestDatabase(engine, async ({ database }) => {
      const error = await failureOf(project.up(database))
      expect(error.code).toBe('MIGRATION_FAILED')
      expect(error.message).toContain('migration 002_b failed: column "nothing_like_this" does not exist')
      expect(error.detail).toMatch(/002_b\.sql:3\nSQLSTATE 42703/)
      expect(await readAppliedIds(database)).toEqual(['001_a'])
      const tables = await query(
        database,
        `select to_regclass('a') is not null as a, to_regclass('b') is not null as b`,
      )
      expect(tables).toEqual([{ a: true, b: false }])
    })
  })

  test('a migration that does not wait for its statements is an error', async () => {
    await project.write({
      '001_a.ts': `export default { description: 'hasty', async up(db) { db.execute('create table a ()') } }`,
    })
    await withTestDatabase(engine, async ({ database }) => {
      const error = await failureOf(project.up(database))
      expect(error.message).toBe('migration 001_a failed: it returned before its statements had ended')
      expect(error.hint).toContain('await')
      expect(await query(database, `select to_regclass('a') as a`)).toEqual([{ a: null }])
    })
  })

  test('what a migration sets for its session does not reach the next one', async () => {
    await project.write({
      '001_dump.sql': `select pg_catalog.set_config('search_path', '', false); set statement_timeout = 5000; create table public.a ();`,
      '002_next.sql': `create table b as select current_setting('statement_timeout') as timeout; select * from a;`,
    })
    await withTestDatabase(engine, async ({ database }) => {
      expect(await project.up(database)).toEqual(['001_dump', '002_next'])
      expect(await query(database, 'select timeout from b')).toEqual([{ timeout: '0' }])
    })
  })

  test('status tells applied, pending, manual, changed, inserted and missing apart, and writes nothing', async () => {
    await project.write({
      '001_a.sql': 'select 1',
      '002_b.sql': 'select 2',
      '004_d.sql': 'select 4',
      '005_m.sql': '-- migrate: manual-only\nselect 5',
      '006_f.sql': 'select 6',
    })
    await withTestDatabase(engine, async ({ database }) => {
      const before = await migrationStatus(await project.settings(), { database })
      expect(before).toMatchObject({ pendingCount: 4, problemCount: 0, missing: [] })
      expect(await query(database, `select to_regclass('understudy.migration') as ledger`)).toEqual([{ ledger: null }])

      await project.up(database)
      await project.write({ '002_b.sql': 'select 22', '003_c.sql': '', '004_d.sql': null, '007_g.sql': '' })
      const after = await migrationStatus(await project.settings(), { database })
      expect(after).toMatchObject({ pendingCount: 1, problemCount: 3 })
      expect(after.packages[0]?.migrations.map(({ id, state }) => `${id} ${state}`)).toEqual([
        '001_a applied',
        '002_b changed',
        '003_c inserted',
        '005_m manual',
        '006_f applied',
        '007_g pending',
      ])
      expect(after.missing).toMatchObject([
        { id: '004_d', state: 'missing', applied: { durationMs: expect.any(Number) } },
      ])
    })
  })
})

describe.each(servers)('on $name, with many connections', (engine) => {
  test('twenty concurrent runs apply every migration once', async () => {
    await project.write({
      '001_a.sql': 'create table a (); select pg_sleep(0.05)',
      '002_b.sql': 'create table b (); select pg_sleep(0.05)',
    })
    await withTestDatabase(engine, async ({ url }) => {
      const settings = { ...(await project.settings()), database: url }
      const results = await Promise.all(Array.from({ length: 20 }, () => migrateUp(settings)))
      expect(results.flatMap(({ applied }) => applied.map(({ id }) => id)).sort()).toEqual(['001_a', '002_b'])
    })
  })

  test('a second runner says for whom it waits, and stops when its time is over', async () => {
    await project.write({ '001_a.sql': 'select 1' })
    await withTestDatabase(engine, async ({ url, database }) => {
      const settings = { ...(await project.settings()), database: url }
      const steps: string[] = []
      const second = () => migrateUp(settings, { waitMs: 200, onProgress: ({ step }) => steps.push(step) })
      const failure = await database.withSession((first) =>
        withAdvisoryLock(first, { waitMs: 0 }, () => failureOf(second())),
      )
      expect(failure).toMatchObject({ code: 'LOCK_NOT_AVAILABLE' })
      expect(steps).toEqual(['waiting'])
    })
  })
})
