import { beforeEach, describe, expect, test } from 'vitest'
import { migrateUp } from '../../src/migrate/migrate-up.js'
import { migrateRepair } from '../../src/migrate/repair.js'
import { migrateVerify } from '../../src/migrate/verify.js'
import { engines, withTestDatabase } from '../support/engines.js'
import { createProject, failureOf, type Project, query, readAppliedIds } from './project.js'

let project: Project

beforeEach(async () => {
  project = await createProject({
    packages: { A: { title: 'First', from: 0, to: 9 }, B: { title: 'Then', from: 10 } },
  })
  await project.write({ '001_a.sql': 'select 1', '003_c.sql': 'select 3', '010_d.sql': 'select 10' })
})

describe.each(engines)('files and ledger that disagree, on $name', (engine) => {
  test.each([
    ['edited', { '003_c.sql': 'select 33' }, 'changed:003_c', []],
    ['deleted', { '003_c.sql': null }, 'missing:003_c', []],
    ['inserted before applied ones', { '002_b.sql': 'select 2' }, 'inserted:002_b', ['002_b']],
  ])(
    'a file that was %s stops every run until its override is given, which is recorded',
    async (_, files, word, ran) => {
      await withTestDatabase(engine, async ({ database }) => {
        await project.up(database)
        await project.write({ ...files, '011_e.sql': 'select 11' })
        for (const options of [{}, { to: 'B' }, { only: '011' }, { allow: ['changed:001_a'] }]) {
          const error = await failureOf(project.up(database, options))
          expect(error).toMatchObject({
            code: 'MIGRATION_DRIFT',
            detail: expect.stringMatching(`--allow-drift ${word}$`),
          })
        }
        expect(await readAppliedIds(database)).toEqual(['001_a', '003_c', '010_d'])
        expect(await project.up(database, { allow: [word] })).toEqual([...ran, '011_e'])
        const log = await query(database, `select detail from understudy.migration_log where action = 'override'`)
        expect(log).toEqual([{ detail: expect.stringMatching(`^${word}: `) }])
      })
    },
  )

  test('two files with one number stop every run until the override is given', async () => {
    await project.write({ '003_zz.sql': 'select 4' })
    await withTestDatabase(engine, async ({ database }) => {
      const error = await failureOf(project.up(database))
      expect(error).toMatchObject({
        code: 'MIGRATION_FILES_INVALID',
        detail: '003_c.sql, 003_zz.sql: share the number 003; to run both: --allow-drift duplicate:003',
      })
      const allow = ['duplicate:003']
      expect(await failureOf(project.up(database, { allow, only: '003' }))).toMatchObject({
        message: 'two migrations have the number 003',
        detail: '003_c\n003_zz',
      })
      expect(await project.up(database, { allow })).toEqual(['001_a', '003_c', '003_zz', '010_d'])
      expect(await failureOf(project.up(database))).toMatchObject({ code: 'MIGRATION_FILES_INVALID' })
    })
  })

  test('a renamed file is recognised by its text', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      await project.write({ '003_c.sql': null, '003_see.sql': 'select 3' })
      const { detail } = await failureOf(project.up(database))
      expect(detail).toMatch(/^003_c: its file is missing.*, and 003_see has its text: was it renamed\?/m)
    })
  })

  test('repair accepts a changed text, which is recorded with the checksum before', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      const [before] = await query(database, `select checksum from understudy.migration where id = '003_c'`)
      await project.write({ '003_c.sql': '-- a word on it\nselect 3', '010_d.sql': 'select 100' })
      const settings = await project.settings()
      const plan = await migrateRepair(settings, { only: ['003'], isPlanOnly: true, database })
      expect(plan.accepted).toMatchObject([{ id: '003_c', before: before?.checksum }])
      expect((await failureOf(project.up(database))).detail).toMatch(/003_c.*\n010_d/)

      await migrateRepair(settings, { only: ['003'], database })
      expect((await failureOf(project.up(database))).detail).toMatch(/^010_d.*$/)
      await migrateRepair(settings, { database })
      expect(await project.up(database)).toEqual([])
      const log = await query(
        database,
        `select migration, detail from understudy.migration_log where action = 'repair'`,
      )
      expect(log).toMatchObject([
        { migration: '003_c', detail: `checksum before: ${before?.checksum}` },
        { migration: '010_d' },
      ])
    })
  })

  test('verify tells checksums, order and packages apart, and writes nothing', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      const settings = await project.settings()
      expect(await migrateVerify(settings, { database })).toMatchObject({
        fileCount: 3,
        appliedCount: 3,
        findings: [],
      })
      await project.write({ '002_b.sql': 'select 2', '001_a.sql': 'select 11' })
      await migrateUp(settings, { database, allow: ['inserted:002_b', 'changed:001_a'] })
      const moved = await createProject({ packages: { all: { title: 'All', from: 0 } } })
      await moved.write({ '001_a.sql': 'select 11', '002_b.sql': 'select 2', '003_c.sql': 'select 3' })
      const { findings } = await migrateVerify(await moved.settings(), { database })
      expect(findings.map(({ kind, id }) => `${kind}:${id}`)).toEqual([
        'changed:001_a',
        'missing:010_d',
        'order:002_b',
        'package:001_a',
        'package:002_b',
        'package:003_c',
      ])
      const { findings: left } = await migrateVerify(await moved.settings(), { database, allow: ['order:002_b'] })
      expect(left).toHaveLength(5)
    })
  })
})
