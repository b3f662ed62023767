import { beforeEach, expect, test } from 'vitest'
import { type MigrateOptions, migrateUp } from '../../src/migrate/migrate-up.js'
import { engines, withTestDatabase } from '../support/engines.js'
import { createProject, failureOf, type Project, query, readAppliedIds } from './project.js'

let project: Project

// A server makes a database sooner than PGlite starts.
const fastest = engines.at(-1)
if (!fastest) throw new Error('no engine to test on')

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
    expect(await project.up(database, { to: 'a' }, { DB_MIGRATION_ENDWITH: 'B' })).toEqual(['000_a', '001_b'])
    expect(await project.up(database, {}, { DB_MIGRATION_STARTWITH: 'b', DB_MIGRATION_ENDWITH: 'b' })).toEqual([
      '010_c',
    ])
    expect(await project.up(database, { from: 'E' })).toEqual(['040_e'])
    expect(await query(database, 'select package from understudy.migration order by id')).toEqual(
      ['A', 'A', 'B', 'E'].map((name) => ({ package: name })),
    )
  })
})

test('a manual migration runs when it is named, or when the environment says so, also behind applied ones', async () => {
  await withTestDatabase(fastest, async ({ database }) => {
    const { manual } = await migrateUp(await project.settings(), { database })
    expect(manual).toEqual(['011_m'])
    expect(await project.up(database, {}, { RUN_MANUAL_MIGRATIONS: 'true' })).toEqual(['011_m'])
  })
  await withTestDatabase(fastest, async ({ database }) => {
    await project.up(database, { to: 'B' })
    expect(await project.up(database, { only: '011' })).toEqual(['011_m'])
    expect(await project.up(database, { only: '011_m' })).toEqual([])
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
    const error = await failureOf(project.up(database, options))
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
    '001_b.sql, 001_twin.ts: share the number 001; to run both: --allow-drift duplicate:001',
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
    '004_z.sql': '-- migrate: sideways',
  })
  await withTestDatabase(fastest, async ({ database }) => {
    const { code, detail } = await failureOf(project.up(database))
    expect(code).toBe('MIGRATION_FILES_INVALID')
    expect(detail).toMatch(/002_x\.ts: expected `export default.*003_y\.ts: .*004_z\.sql: line 1: unknown header/s)
    expect(await query(database, `select to_regnamespace('understudy') as registry`)).toEqual([{ registry: null }])
  })
})

test('changed, missing and inserted files stop every run; line ends do not count as a change', async () => {
  await withTestDatabase(fastest, async ({ database }) => {
    await project.write({ '002_lines.sql': 'select 1;\nselect 2;\n' })
    await project.up(database)
    await project.write({ '002_lines.sql': '\uFEFFselect 1;\r\nselect 2;\r\n' })
    expect(await project.up(database)).toEqual([])
    await project.write({ '000_a.sql': 'select 2', '001_b.sql': null, '003_new.sql': 'select 3' })
    const { code, detail } = await failureOf(project.up(database))
    expect(code).toBe('MIGRATION_DRIFT')
    expect(detail).toMatch(
      /^000_a: its text was changed .*\n001_b: its file is missing.*\n003_new: is new, and comes before/,
    )
  })
})

test('an interrupted run ends before the next statement, and keeps what was committed', async () => {
  await withTestDatabase(fastest, async ({ database }) => {
    const controller = new AbortController()
    const onProgress = (progress: { step: string }) => progress.step === 'done' && controller.abort(new Error('enough'))
    const error = await failureOf(project.up(database, { onProgress, signal: controller.signal }))
    expect(error.message).toBe('enough')
    expect(await readAppliedIds(database)).toEqual(['000_a'])
  })
})
