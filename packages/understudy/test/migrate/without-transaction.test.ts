import { beforeEach, describe, expect, test } from 'vitest'
import { migrateUp } from '../../src/migrate/migrate-up.js'
import { migrationStatus } from '../../src/migrate/migration-status.js'
import { migrateResolve } from '../../src/migrate/repair.js'
import { engines, withTestDatabase } from '../support/engines.js'
import { createProject, failureOf, type Project, query, readAppliedIds } from './project.js'

let project: Project

beforeEach(async () => {
  project = await createProject()
})

describe.each(engines)('without a transaction on $name', (engine) => {
  test('statements run one by one; a failure says what stands, and nothing runs until it is resolved', async () => {
    await project.write({
      '001_a.sql': 'create table a (id int)',
      '002_index.sql':
        '-- migrate: no-transaction\ncreate index concurrently one on a (id); create index concurrently two on a (id);',
      '003_half.sql': "-- migrate: no-transaction\ncreate table half (); select ';' / 0;",
      '004_after.sql': 'create table after ()',
    })
    await withTestDatabase(engine, async ({ database }) => {
      const error = await failureOf(project.up(database))
      expect(error.code).toBe('MIGRATION_FAILED')
      expect(error.detail).toContain('It ran without a transaction: what came before the error was not rolled back.')
      expect(error.hint).toContain('`understudy migrate resolve 003_half --pending`')
      expect(await readAppliedIds(database)).toEqual(['001_a', '002_index'])
      expect(
        await query(
          database,
          `select to_regclass('one') as one, to_regclass('two') as two, to_regclass('half') as half`,
        ),
      ).toEqual([{ one: 'one', two: 'two', half: 'half' }])

      expect(await failureOf(project.up(database))).toMatchObject({
        code: 'MIGRATION_UNFINISHED',
        message: 'migration 003_half needs attention',
      })
      const status = await migrationStatus(await project.settings(), { database })
      expect(status.packages[0]?.migrations.map(({ state }) => state)).toEqual([
        'applied',
        'applied',
        'unfinished',
        'pending',
      ])
      expect(status.problemCount).toBe(1)

      await query(database, 'drop table half')
      await project.write({ '003_half.sql': '-- migrate: no-transaction\ncreate table half ();' })
      await migrateResolve(await project.settings(), { migration: '003', as: 'pending', database })
      expect(await project.up(database)).toEqual(['003_half', '004_after'])
      const log = await query(
        database,
        `select action, detail from understudy.migration_log where migration = '003_half' order by id`,
      )
      expect(log.map(({ action }) => action)).toEqual(['failed', 'resolve', 'up'])
      expect(log[0]?.detail).toContain('invalid input syntax')
    })
  })

  test('what somebody has completed by hand counts as applied', async () => {
    await project.write({ '001_half.sql': '-- migrate: no-transaction\ncreate table half (); select 1 / 0;' })
    await withTestDatabase(engine, async ({ database }) => {
      await failureOf(project.up(database))
      await migrateResolve(await project.settings(), { migration: '001_half', as: 'applied', database })
      expect(await readAppliedIds(database)).toEqual(['001_half'])
      expect(await project.up(database)).toEqual([])
      const again = migrateResolve(await project.settings(), { migration: '001', as: 'applied', database })
      expect(await failureOf(again)).toMatchObject({ code: 'MIGRATION_RANGE_INVALID' })
    })
  })

  test('an index that is left invalid is named with the command that drops it', async () => {
    await project.write({
      '001_a.sql': 'create table "A b" (id int); insert into "A b" values (1), (1)',
      '002_unique.sql': '-- migrate: no-transaction\ncreate unique index concurrently "Ünï" on "A b" (id)',
    })
    await withTestDatabase(engine, async ({ database }) => {
      const dropIt = expect.stringContaining('public.Ünï is invalid: drop index concurrently "public"."Ünï";')
      expect(await failureOf(project.up(database))).toMatchObject({ code: 'MIGRATION_FAILED', detail: dropIt })
      expect(await failureOf(project.up(database))).toMatchObject({ code: 'MIGRATION_UNFINISHED', detail: dropIt })
      const settings = await project.settings()
      const resolved = migrateResolve(settings, { migration: '002', as: 'applied', database })
      expect(await failureOf(resolved)).toMatchObject({
        code: 'MIGRATION_UNFINISHED',
        detail: 'public.Ünï is invalid: drop index concurrently "public"."Ünï";',
      })

      // `if not exists` is content with the invalid index, and says nothing.
      await query(database, 'delete from "A b"')
      await migrateResolve(settings, { migration: '002', as: 'pending', database })
      await project.write({
        '002_unique.sql':
          '-- migrate: no-transaction\ncreate unique index concurrently if not exists "Ünï" on "A b" (id)',
      })
      expect(await failureOf(migrateUp(settings, { database }))).toMatchObject({
        message: 'migration 002_unique failed: it left an index that is invalid',
        detail: expect.stringContaining('drop index concurrently "public"."Ünï";'),
      })

      await query(database, 'drop index "Ünï"')
      await migrateResolve(settings, { migration: '002', as: 'pending', database })
      expect(await project.up(database)).toEqual(['002_unique'])
    })
  })
})
