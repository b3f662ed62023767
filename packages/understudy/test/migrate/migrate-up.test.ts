import { beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../src/database/port.js'
import type { UnderstudyError } from '../../src/errors.js'
import { type MigrateOptions, migrateUp } from '../../src/migrate/migrate-up.js'
import { migrationStatus } from '../../src/migrate/migration-status.js'
import { engines, servers, withTestDatabase } from '../support/engines.js'
import { createProject, type Project } from './project.js'

let project: Project

beforeEach(async () => {
  project = await createProject()
})

async function up(
  database: Database,
  options: MigrateOptions = {},
  environment: Record<string, string> = {},
): Promise<string[]> {
  const { applied } = await migrateUp(await project.settings(environment), { database, ...options })
  return applied.map(({ id }) => id)
}

async function failureOf(work: Promise<unknown>): Promise<UnderstudyError> {
  return await work.then(
    () => expect.fail('expected an error'),
    (error) => error,
  )
}

const query = (database: Database, sql: string) => database.withSession((session) => session.query(sql))

const idsApplied = async (database: Database) =>
  (await query(database, 'select id from understudy.migration order by id collate "C"')).map(({ id }) => id)

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
      expect(await up(database)).toEqual([])
    })
  })

  test('everything in the ledger has a comment', async () => {
    await project.write({ '001_a.sql': 'select 1' })
    await withTestDatabase(engine, async ({ database }) => {
      await up(database)
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
      const error = await failureOf(up(database))
      expect(error.code).toBe('MIGRATION_FAILED')
      expect(error.message).toContain('migration 002_b failed: column "nothing_like_this" does not exist')
      expect(error.detail).toMatch(/002_b\.sql:3\nSQLSTATE 42703/)
      expect(await idsApplied(database)).toEqual(['001_a'])
      const tables = await query(
        database,
        `select to_regclass('a') is not null as a, to_regclass('b') is not null as b`,
      )
      expect(tables).toEqual([{ a: true, b: false }])
    })
  })

  test('a migration that ends its own transaction is an error and is not recorded', async () => {
    await project.write({ '001_a.sql': 'create table a (); commit; begin;' })
    await withTestDatabase(engine, async ({ database }) => {
      const error = await failureOf(up(database))
      expect(error.message).toBe('migration 001_a failed: it ended its own transaction')
    })
  })

  test('a migration that does not wait for its statements is an error', async () => {
    await project.write({
      '001_a.ts': `export default { description: 'hasty', async up(db) { db.execute('create table a ()') } }`,
    })
    await withTestDatabase(engine, async ({ database }) => {
      const error = await failureOf(up(database))
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
      expect(await up(database)).toEqual(['001_dump', '002_next'])
      expect(await query(database, 'select timeout from b')).toEqual([{ timeout: '0' }])
    })
  })

  test('without a transaction statements run one by one, and a failure says what stands', async () => {
    await project.write({
      '001_a.sql': 'create table a (id int)',
      '002_index.sql':
        '-- migrate: transaction off\ncreate index concurrently one on a (id); create index concurrently two on a (id);',
      '003_half.sql': "-- migrate: transaction off\ncreate table half (); select ';' / 0;",
    })
    await withTestDatabase(engine, async ({ database }) => {
      const error = await failureOf(up(database))
      expect(error.detail).toContain('It ran without a transaction: what came before the error was not rolled back.')
      expect(await idsApplied(database)).toEqual(['001_a', '002_index'])
      expect(
        await query(
          database,
          `select to_regclass('one') as one, to_regclass('two') as two, to_regclass('half') as half`,
        ),
      ).toEqual([{ one: 'one', two: 'two', half: 'half' }])
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

      await up(database)
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

// A server makes a database sooner than PGlite starts.
const fastest = engines.at(-1)
if (!fastest) throw new Error('no engine to test on')

describe('what runs', () => {
  const packages = {
    A: { title: 'Setup', from: 0, to: 9 },
    B: { title: 'Core', from: 10, to: 19 },
    E: { title: 'Final', from: 40 },
  }

  beforeEach(async () => {
    project = await createProject({ packages })
    await project.write({
      '000_a.sql': 'select 1',
      '001_b.sql': 'select 1',
      '010_c.sql': 'select 1',
      '011_m.sql': '-- migrate: manual-only\nselect 1',
      '040_e.sql': 'select 1',
    })
  })

  test('a range of packages, in either case; a flag wins over the environment', async () => {
    await withTestDatabase(fastest, async ({ database }) => {
      expect(await up(database, { to: 'a' }, { DB_MIGRATION_ENDWITH: 'B' })).toEqual(['000_a', '001_b'])
      expect(await up(database, {}, { DB_MIGRATION_STARTWITH: 'b', DB_MIGRATION_ENDWITH: 'b' })).toEqual(['010_c'])
      expect(await up(database, { from: 'E' })).toEqual(['040_e'])
      expect(await query(database, 'select package from understudy.migration order by id')).toEqual(
        ['A', 'A', 'B', 'E'].map((name) => ({ package: name })),
      )
    })
  })

  test('a manual migration runs when it is named, or when the environment says so, also behind applied ones', async () => {
    await withTestDatabase(fastest, async ({ database }) => {
      const { manual } = await migrateUp(await project.settings(), { database })
      expect(manual).toEqual(['011_m'])
      expect(await up(database, {}, { RUN_MANUAL_MIGRATIONS: 'true' })).toEqual(['011_m'])
    })
    await withTestDatabase(fastest, async ({ database }) => {
      await up(database, { to: 'B' })
      expect(await up(database, { only: '011' })).toEqual(['011_m'])
      expect(await up(database, { only: '011_m' })).toEqual([])
    })
  })

  test.each<[string, MigrateOptions, RegExp]>([
    ['an unknown letter', { to: 'Q' }, /no migration package is called Q/],
    ['a reversed range', { from: 'B', to: 'A' }, /from B to A is reversed/],
    ['a start that skips pending predecessors', { from: 'B' }, /skips migrations that are pending/],
    ['a migration that skips pending predecessors', { only: '010' }, /skips migrations that are pending/],
    ['a migration that does not exist', { only: '099' }, /no migration is called 099/],
    ['a migration and a range', { only: '000', to: 'A' }, /one migration and a range/],
  ])('%s is an error, and nothing runs', async (_, options, message) => {
    await withTestDatabase(fastest, async ({ database }) => {
      const error = await failureOf(up(database, options))
      expect(error.code).toBe('MIGRATION_RANGE_INVALID')
      expect(error.message).toMatch(message)
      expect(await query(database, `select to_regnamespace('understudy') as registry`)).toEqual([{ registry: null }])
    })
  })

  test('bad names, shared numbers and files in no package are all named', async () => {
    await project.write({ '001_twin.ts': '', 'helper.ts': '', '1_short.sql': '' })
    const error = await failureOf(project.settings().then((settings) => migrateUp(settings)))
    expect(error.code).toBe('MIGRATION_FILES_INVALID')
    expect(error.detail?.split('\n')).toEqual([
      '1_short.sql: not called NNN_name',
      'helper.ts: not called NNN_name',
      '001_b.sql, 001_twin.ts: share the number 001',
    ])
    await project.write({
      '001_twin.ts': null,
      'helper.ts': null,
      '1_short.sql': null,
      '025_x.sql': '',
      '039_y.sql': '',
    })
    const homeless = await failureOf(project.settings().then((settings) => migrateUp(settings)))
    expect(homeless.detail).toBe('025_x\n039_y')
  })

  test('files that cannot be read stop the run before anything runs, all of them named', async () => {
    await project.write({
      '002_x.ts': 'export default { up() {} }',
      '003_y.ts': 'nonsense(',
      '004_z.sql': '-- migrate: down',
    })
    await withTestDatabase(fastest, async ({ database }) => {
      const { code, detail } = await failureOf(up(database))
      expect(code).toBe('MIGRATION_FILES_INVALID')
      expect(detail).toMatch(/002_x\.ts: expected `export default.*003_y\.ts: .*004_z\.sql: line 1: unknown header/s)
      expect(await query(database, `select to_regnamespace('understudy') as registry`)).toEqual([{ registry: null }])
    })
  })

  test('changed, missing and inserted files stop every run; line ends do not count as a change', async () => {
    await withTestDatabase(fastest, async ({ database }) => {
      await project.write({ '002_lines.sql': 'select 1;\nselect 2;\n' })
      await up(database)
      await project.write({ '002_lines.sql': '\uFEFFselect 1;\r\nselect 2;\r\n' })
      expect(await up(database)).toEqual([])
      await project.write({ '000_a.sql': 'select 2', '001_b.sql': null, '003_new.sql': 'select 3' })
      const { code, detail } = await failureOf(up(database))
      expect(code).toBe('MIGRATION_DRIFT')
      expect(detail).toMatch(
        /^000_a: its text was changed .*\n001_b: its file is missing.*\n003_new: is new, and comes before/,
      )
    })
  })

  test('an interrupted run ends before the next statement, and keeps what was committed', async () => {
    await withTestDatabase(fastest, async ({ database }) => {
      const controller = new AbortController()
      const onProgress = (progress: { step: string }) =>
        progress.step === 'done' && controller.abort(new Error('enough'))
      const error = await failureOf(up(database, { onProgress, signal: controller.signal }))
      expect(error.message).toBe('enough')
      expect(await idsApplied(database)).toEqual(['000_a'])
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
    await project.write({ '001_a.sql': 'select pg_sleep(1)' })
    await withTestDatabase(engine, async ({ url }) => {
      const settings = { ...(await project.settings()), database: url }
      let second: Promise<UnderstudyError> | undefined
      const steps: string[] = []
      const onProgress = () => {
        second ??= failureOf(migrateUp(settings, { waitMs: 200, onProgress: ({ step }) => steps.push(step) }))
      }
      await migrateUp(settings, { onProgress })
      expect(await second).toMatchObject({ code: 'LOCK_NOT_AVAILABLE' })
      expect(steps).toEqual(['waiting'])
    })
  })
})
