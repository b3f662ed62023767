import { readFile } from 'node:fs/promises'
import { beforeEach, expect, test } from 'vitest'
import { readMigrations } from '../../src/migrate/migration-files.js'
import { newMigration } from '../../src/migrate/new-migration.js'
import { createProject, failureOf, type Project } from './project.js'

let project: Project

beforeEach(async () => {
  project = await createProject({
    packages: {
      A: { title: 'First', from: 0, to: 9 },
      B: { title: 'Then', from: 10, to: 11 },
      C: { title: 'Last', from: 20 },
    },
  })
})

test('a new file gets the next number of its package, which is that of the last file unless another is named', async () => {
  const settings = await project.settings()
  const make = async (name: string, options = {}) => (await newMigration(settings, { name, ...options })).id
  expect(await make('base schema')).toBe('000_base_schema')
  expect(await make('  Müßige Übung – add TAGS!', { package: 'b' })).toBe('010_mussige_ubung_add_tags')
  expect(await make('more')).toBe('011_more')
  expect(await failureOf(newMigration(settings, { name: 'too much' }))).toMatchObject({
    code: 'MIGRATION_RANGE_INVALID',
    message: 'package B is full: its range ends with 11',
  })
  expect(await newMigration(settings, { name: 'late', package: 'A' })).toMatchObject({
    id: '001_late',
    before: ['010_mussige_ubung_add_tags', '011_more'],
  })
  expect(await failureOf(newMigration(settings, { name: 'x', package: 'Q' }))).toMatchObject({
    message: 'no migration package is called Q',
  })
  expect(await failureOf(newMigration(settings, { name: '…', package: 'C' }))).toMatchObject({ code: 'USAGE' })
})

test('what is written can be run as it is', async () => {
  const settings = await project.settings()
  await newMigration(settings, { name: 'with "quotes" and `ticks`', kind: 'ts' })
  const { path } = await newMigration(settings, { name: 'plain' })
  expect(await readFile(path, 'utf8')).toBe('-- migrate: description plain\n\n')
  expect((await readMigrations(settings.migrations.folder)).map(({ id }) => id)).toEqual([
    '000_with_quotes_and_ticks',
    '001_plain',
  ])
})
