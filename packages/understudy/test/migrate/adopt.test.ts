import { beforeEach, describe, expect, test } from 'vitest'
import { migrateBaseline } from '../../src/migrate/baseline.js'
import { migrateArchived } from '../../src/migrate/migrate-archived.js'
import { migrateDown } from '../../src/migrate/migrate-down.js'
import { migrationStatus } from '../../src/migrate/migration-status.js'
import { engines, withTestDatabase } from '../support/engines.js'
import { createProject, failureOf, type Project, query, readAppliedIds } from './project.js'

let project: Project

const mirror = { table: 'app"s.Settings', column: 'order', key: 'migrations "run"' }
const readList = `select "order" -> 'migrations "run"' as list from "app""s"."Settings"`

beforeEach(async () => {
  project = await createProject({ mirror })
  await project.write({
    '000_a.sql': 'create table a ()',
    '001_settings.sql': `
      create schema "app""s";
      create table "app""s"."Settings" ("order" jsonb);
      insert into "app""s"."Settings" values ('{"version": "0.1"}')`,
    '002_b.sql': 'create table b ();\n-- migrate: down\ndrop table b',
    '003_m.sql': '-- migrate: manual-only\nselect 1',
    '004_c.sql': '-- migrate: no-transaction\ncreate table c ();\n-- migrate: down\ndrop table c',
  })
})

describe.each(engines)('a list of the application’s own, on $name', (engine) => {
  test('is kept in step in the transaction of each migration, and keeps what only it knows', async () => {
    await project.write({ '005_bad.sql': `update "app""s"."Settings" set "order" = '{}'; select 1 / 0` })
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database, { only: '000' })
      await project.up(database, { only: '001' })
      expect(await query(database, readList)).toEqual([{ list: ['000_a', '001_settings'] }])
      await query(
        database,
        `update "app""s"."Settings" set "order" = jsonb_insert("order", '{"migrations \\"run\\"",0}', '"other"')`,
      )
      const error = await failureOf(project.up(database))
      expect(error).toMatchObject({ code: 'MIGRATION_DRIFT', detail: expect.stringContaining('unadopted:other') })
      await failureOf(project.up(database, { allow: ['unadopted:other'] }))
      const list = ['000_a', '001_settings', '002_b', '004_c', 'other']
      expect(await query(database, `select "order" from "app""s"."Settings"`)).toEqual([
        { order: { version: '0.1', 'migrations "run"': list } },
      ])
      await project.write({ '005_bad.sql': null })
      await migrateDown(await project.settings(), { to: '001', allow: ['unadopted:other'], database })
      expect(await query(database, readList)).toEqual([{ list: ['000_a', '001_settings', 'other'] }])
    })
  })

  test('is enough to adopt a database by', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      await query(database, 'drop schema understudy cascade')
      await query(
        database,
        `update "app""s"."Settings" set "order" = '{"migrations \\"run\\"": ["001_settings", "002_b", "003_m", "099_gone"]}'`,
      )
      const settings = await project.settings()
      expect(await failureOf(project.up(database))).toMatchObject({
        code: 'MIGRATION_DRIFT',
        hint: expect.stringContaining('migrate baseline'),
      })
      const before = await migrationStatus(settings, { database })
      expect(before.packages[0]?.migrations.map(({ state }) => state)).toEqual([
        'pending',
        'unadopted',
        'unadopted',
        'unadopted',
        'pending',
      ])
      expect(before.missing).toMatchObject([{ id: '099_gone', state: 'unadopted' }])

      const plan = await migrateBaseline(settings, { database, isPlanOnly: true })
      expect(plan).toMatchObject({ ids: ['000_a', '001_settings', '002_b', '003_m'], unknown: ['099_gone'] })
      expect(await query(database, `select to_regnamespace('understudy') as registry`)).toEqual([{ registry: null }])
      await migrateBaseline(settings, { database })
      expect(await query(database, 'select distinct method, duration_ms from understudy.migration')).toEqual([
        { method: 'baseline', duration_ms: null },
      ])
      await query(database, 'drop table c')
      expect(await project.up(database, { allow: ['unadopted:099_gone'] })).toEqual(['004_c'])
    })
  })
})

describe.each(engines)('on $name', (engine) => {
  test('a baseline records everything up to a migration, manual ones only when it names them', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      const settings = await project.settings()
      await migrateBaseline(settings, { to: '004', database })
      expect(await readAppliedIds(database)).toEqual(['000_a', '001_settings', '002_b', '004_c'])
      expect(await migrateBaseline(settings, { to: '003', database })).toMatchObject({ ids: ['003_m'] })
      expect(await project.up(database)).toEqual([])
    })
  })

  test('down takes back what comes after a migration, newest first, and says what has no way back', async () => {
    await project.write({
      '005_d.ts': `export default { description: 'd', up: (db) => db.execute('create table d ()'), down: (db) => db.execute('drop table d') }`,
      '006_e.sql': 'create table e ()',
      '006_e.down.sql': 'drop table e',
    })
    await withTestDatabase(engine, async ({ database }) => {
      const settings = await project.settings()
      await project.up(database)
      const stuck = await failureOf(migrateDown(settings, { to: 'none', database }))
      expect(stuck).toMatchObject({ code: 'MIGRATION_IRREVERSIBLE', detail: '001_settings\n000_a' })
      expect(await migrateDown(settings, { to: '001', isPlanOnly: true, database })).toMatchObject({ reverted: [] })
      expect(await readAppliedIds(database)).toHaveLength(6)

      const { reverted } = await migrateDown(settings, { to: '001', database })
      expect(reverted.map(({ id }) => id)).toEqual(['006_e', '005_d', '004_c', '002_b'])
      expect(await readAppliedIds(database)).toEqual(['000_a', '001_settings'])
      expect(
        await query(database, `select count(*) as tables from pg_tables where tablename in ('b', 'c', 'd', 'e')`),
      ).toEqual([{ tables: 0 }])
      expect(await failureOf(migrateDown(settings, { to: '002', database }))).toMatchObject({
        message: 'migration 002_b is not applied',
      })
      expect(await project.up(database)).toEqual(['002_b', '004_c', '005_d', '006_e'])
    })
  })

  test('a way back that fails leaves its migration applied, and names the line in its file', async () => {
    await project.write({
      '005_x.sql': 'create table x ();\n\n-- migrate: down\ndrop table x;\ndrop table nothing',
      '006_y.sql': 'select 1',
      '006_y.down.sql': '\nselect nowhere',
    })
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      const settings = await project.settings()
      expect(await failureOf(migrateDown(settings, { to: '004', database }))).toMatchObject({
        detail: expect.stringMatching(/006_y\.down\.sql:2\n/),
      })
      await project.write({ '006_y.down.sql': 'select 1' })
      expect(await failureOf(migrateDown(settings, { to: '004', database }))).toMatchObject({
        message: 'migration 005_x failed: table "nothing" does not exist',
      })
      expect(await readAppliedIds(database)).toEqual(['000_a', '001_settings', '002_b', '004_c', '005_x'])
      expect(await query(database, `select to_regclass('x') as x`)).toEqual([{ x: 'x' }])
    })
  })

  test('archived seeds run by their own command, in a ledger of their own', async () => {
    await project.write({ '005_late.sql': 'create table late ()' })
    await project.writeArchived({
      '002_seed.sql': '-- migrate: manual-only\ninsert into seeded values (2)',
      '004_seed.ts': `export default { description: 'four', up: (db) => db.query('insert into seeded values ($1::int)', [4]) }`,
    })
    await withTestDatabase(engine, async ({ database }) => {
      const settings = await project.settings()
      await project.up(database, { only: '000' })
      expect(await failureOf(migrateArchived(settings, { database }))).toMatchObject({
        code: 'MIGRATION_RANGE_INVALID',
        detail: '001_settings',
      })
      await project.up(database, { only: '001' })
      await query(database, 'create table seeded (id int)')
      const { applied } = await migrateArchived(settings, { database, only: '002' })
      expect(applied).toMatchObject([{ id: '002_seed', package: 'archived' }])
      // Its number is higher than those of pending migrations, which is no reason to call them inserted.
      expect(await project.up(database)).toEqual(['002_b', '004_c', '005_late'])
      expect((await migrateArchived(settings, { database })).applied).toMatchObject([{ id: '004_seed' }])
      expect(await query(database, 'select id from seeded order by id')).toEqual([{ id: 2 }, { id: 4 }])

      await project.writeArchived({ '002_seed.sql': 'select 1' })
      for (const run of [() => migrateArchived(settings, { database }), () => project.up(database)])
        expect(await failureOf(run())).toMatchObject({
          code: 'MIGRATION_DRIFT',
          detail: expect.stringContaining('changed:002_seed'),
        })
    })
  })

  test('a ledger of an earlier version is read as it is, and gets its columns with the next migration', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database, { only: '000' })
      await query(database, 'alter table understudy.migration drop column state, drop column method')
      await query(database, 'drop table understudy.migration_log')
      const settings = await project.settings()
      const status = await migrationStatus(settings, { database })
      expect(status.packages[0]?.migrations[0]).toMatchObject({ state: 'applied', applied: { method: 'run' } })
      expect(await project.up(database)).toEqual(['001_settings', '002_b', '004_c'])
      expect(await query(database, `select distinct state, method from understudy.migration`)).toEqual([
        { state: 'applied', method: 'run' },
      ])
    })
  })
})
