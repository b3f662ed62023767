import { beforeEach, describe, expect, test } from 'vitest'
import { migrateDryRun } from '../../src/migrate/dry-run.js'
import { migrateDown } from '../../src/migrate/migrate-down.js'
import { migrationStatus } from '../../src/migrate/migration-status.js'
import { migrateResolve } from '../../src/migrate/repair.js'
import { engines, withTestDatabase } from '../support/engines.js'
import { createProject, failureOf, type Project, query, readAppliedIds } from './project.js'

let project: Project

beforeEach(async () => {
  project = await createProject()
  await project.write({ '001_a.sql': "create table a (mail text); insert into a values ('ada'), ('bob')" })
})

const LEDGER = 'select id, state from understudy.migration order by id'
const MODULE = (body: string) => `export default { description: 'x', async up(db) { ${body} } }`
/** With escapes in plain literals the server sees a `commit` where standard SQL has none. */
const HIDDEN = String.raw`await db.execute('set standard_conforming_strings = off')
  await db.execute("create table b (); select '\\'';commit;--'")`

describe.each(engines)('a migration that would end its own transaction on $name', (engine) => {
  test.each([
    ['commit; drop table a;', ['1: commit']],
    ['begin;\ncreate table b ();\ncommit;', ['1: begin', '3: commit']],
    ['create table b ();\nend; select 1 / 0', ['2: end']],
    ['drop table a;\n-- undone\nrollback', ['3: rollback']],
  ])('is refused before anything runs: %s', async (sql, statements) => {
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      await project.write({ '002_b.sql': 'create table early ()', '003_c.sql': sql })
      const file = expect.stringContaining(statements.map((statement) => `003_c.sql:${statement}`).at(-1) ?? '')
      for (let turn = 0; turn < 2; turn++)
        expect(await failureOf(project.up(database))).toMatchObject({ code: 'MIGRATION_FILES_INVALID', detail: file })
      const error = await failureOf(migrateDryRun(await project.settings(), { database }))
      expect(error.detail?.split('\n')).toHaveLength(statements.length)
      expect(await readAppliedIds(database)).toEqual(['001_a'])
      expect(await query(database, `select to_regclass('b') as b, to_regclass('early') as early, * from a`)).toEqual([
        { b: null, early: null, mail: 'ada' },
        { b: null, early: null, mail: 'bob' },
      ])
    })
  })

  test('is refused on the way that would do so only', async () => {
    await project.write({ '002_b.sql': 'create table b ();\n-- migrate: down\ndrop table b; commit' })
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      const down = migrateDown(await project.settings(), { to: '001', database })
      expect(await failureOf(down)).toMatchObject({
        code: 'MIGRATION_FILES_INVALID',
        detail: expect.stringContaining('002_b.sql:3: commit'),
      })
      expect(await readAppliedIds(database)).toEqual(['001_a', '002_b'])
    })
  })

  test('may do so without a transaction, and inside of functions', async () => {
    await project.write({
      '002_b.sql': '-- migrate: no-transaction\nbegin; create table b (); commit;',
      '003_c.sql': 'create function one() returns int begin atomic select 1; end; do $$ begin perform 1; end $$;',
    })
    await withTestDatabase(engine, async ({ database }) => {
      expect(await project.up(database)).toEqual(['001_a', '002_b', '003_c'])
    })
  })

  test('is rolled back where a module sends the statement', async () => {
    await project.write({ '002_b.ts': MODULE(`await db.execute('drop table a'); await db.query('commit')`) })
    await withTestDatabase(engine, async ({ database }) => {
      expect(await failureOf(project.up(database))).toMatchObject({
        code: 'MIGRATION_FAILED',
        message: 'migration 002_b failed: `commit` would begin or end a transaction',
      })
      expect(await query(database, LEDGER)).toEqual([{ id: '001_a', state: 'applied' }])
      expect(await query(database, 'select count(*) as rows from a')).toEqual([{ rows: 2 }])
    })
  })

  test('needs attention where it has done so unseen: nothing runs until it is resolved', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      await project.write({
        '002_b.ts': MODULE(`${HIDDEN}; await db.execute('drop table a')`),
        '003_c.sql': 'select 1',
      })
      const error = await failureOf(project.up(database))
      expect(error).toMatchObject({
        code: 'MIGRATION_FAILED',
        message: 'migration 002_b failed: it ended its own transaction',
        detail: expect.stringContaining('What ran before its `commit` stands; what ran after that may stand. It needs'),
        hint: expect.stringContaining('`understudy migrate resolve 002_b --pending`'),
      })
      expect(await query(database, LEDGER)).toEqual([
        { id: '001_a', state: 'applied' },
        { id: '002_b', state: 'unfinished' },
      ])
      expect(await failureOf(project.up(database))).toMatchObject({ code: 'MIGRATION_UNFINISHED' })
      const settings = await project.settings()
      const status = await migrationStatus(settings, { database })
      expect(status).toMatchObject({ pendingCount: 1, problemCount: 1 })

      await query(database, 'drop table b')
      await project.write({ '002_b.ts': null, '002_b.sql': 'create table b ()' })
      await migrateResolve(settings, { migration: '002', as: 'pending', database })
      expect(await project.up(database)).toEqual(['002_b', '003_c'])
      const log = await query(database, `select action, detail from understudy.migration_log where migration = '002_b'`)
      expect(log.slice(0, 2)).toEqual([
        { action: 'failed', detail: 'it ended its own transaction' },
        { action: 'resolve', detail: 'pending' },
      ])
    })
  })

  test('needs attention too where it fails afterwards, and on its way back', async () => {
    await project.write({
      '002_b.ts': `export default { description: 'x', up() {}, async down(db) { ${HIDDEN}; await db.query('select 1 / 0') } }`,
    })
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      const error = await failureOf(migrateDown(await project.settings(), { to: '001', database }))
      expect(error.detail).toContain('Then it failed: division by zero\nWhat ran before its `commit` stands')
      expect(await query(database, LEDGER)).toEqual([
        { id: '001_a', state: 'applied' },
        { id: '002_b', state: 'unfinished' },
      ])
    })
  })

  test('writes nothing in a dry run, and needs no attention', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      await project.write({ '002_b.ts': MODULE(HIDDEN) })
      const error = await failureOf(migrateDryRun(await project.settings(), { database }))
      expect(error).toMatchObject({
        message: 'migration 002_b failed: it ended its own transaction',
        detail: expect.stringMatching(/002_b\.ts\nThen it failed: unsupported ON COMMIT[^\n]*$/),
      })
      expect(await query(database, LEDGER)).toEqual([{ id: '001_a', state: 'applied' }])
      expect(await query(database, `select to_regclass('b') as b`)).toEqual([{ b: null }])
    })
  })
})
