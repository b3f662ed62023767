import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Database } from '../../src/database/port.js'
import { migrateDryRun } from '../../src/migrate/dry-run.js'
import { engines, servers, withTestDatabase } from '../support/engines.js'
import { createProject, failureOf, type Project, query, readAppliedIds } from './project.js'

const SCHEMA = `
create table people (id serial primary key, mail text not null unique, "Größe" int, mentor_id int references people);
create table plays (id serial primary key, code text not null unique, author_id int references people on delete restrict);`

const seed = (body: string, more = '') => `import { defineMigration } from 'understudy'
export default defineMigration({ description: 'A seed', ${more} async up(db) { ${body} } })`

async function givenProject(files: Readonly<Record<string, string>>): Promise<Project> {
  const project = await createProject()
  await project.write({ '000_schema.sql': SCHEMA })
  for (const name of ['plays', 'people']) await mkdir(join(project.folder, 'sets', name), { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(project.folder, 'sets', name), text)
  return project
}

const FILES = {
  'plays/plays.csv': 'code,author_id/mail\nclouds,ada@example.org\nbirds,bob@example.org\n',
  'people/people.csv': 'mail,Größe,mentor_id/mail\nada@example.org,170,bob@example.org\nbob@example.org,,\n',
}
const BOTH = `await db.importFileset('sets/plays', { onMissing: 'null' }); await db.importFileset('sets/people')`

const readPlays = (database: Database) =>
  query(
    database,
    `select p.code, a.mail, a."Größe", m.mail as mentor
       from plays p left join people a on a.id = author_id left join people m on m.id = a.mentor_id order by 1`,
  )

describe.each(engines)('filesets in migrations on $name', (engine) => {
  test('one finds what the other brings, and the migration goes on under its own settings', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      const project = await givenProject(FILES)
      const settings = `(select string_agg(current_setting(name), ', ') from unnest('{search_path,TimeZone,lock_timeout}'::text[]) name)`
      await project.write({
        '001_seed.ts': seed(`
          await db.execute("set time zone 'Asia/Tokyo'; create temporary table own (before text); insert into own select ${settings}")
          ${BOTH}
          await db.query('create table seen as select before, ${settings.replaceAll("'", "\\'")} as after from own')`),
      })
      expect(await project.up(database)).toEqual(['000_schema', '001_seed'])
      expect(await readPlays(database)).toEqual([
        { code: 'birds', mail: 'bob@example.org', Größe: null, mentor: null },
        { code: 'clouds', mail: 'ada@example.org', Größe: 170, mentor: 'bob@example.org' },
      ])
      expect(await query(database, 'select after = before as same, before from seen')).toEqual([
        { same: true, before: expect.stringContaining('Asia/Tokyo') },
      ])
    })
  })
})

describe.each(servers.slice(0, 1))('filesets in migrations on $name', (engine) => {
  test('what is wrong with a file is told by file and line, and nothing of the migration stays', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      const project = await givenProject({ ...FILES, 'people/people.csv': 'mail,Größe\nada@example.org,tall\n' })
      await project.write({ '001_seed.ts': seed(`await db.execute('create table before ()'); ${BOTH}`) })
      const failure = await failureOf(project.up(database))
      expect(failure).toMatchObject({
        code: 'FILESET_INVALID',
        message: expect.stringContaining('migration 001_seed failed'),
        detail: expect.stringMatching(/people\.csv:2, Größe: .*tall/),
      })
      expect(await readAppliedIds(database)).toEqual(['000_schema'])
      expect(
        await query(database, `select to_regclass('before') as made, (select count(*) from plays) as plays`),
      ).toEqual([{ made: null, plays: 0 }])
    })
  })

  test('a reference to nothing is refused by default, and so is a folder that is none', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      const project = await givenProject(FILES)
      await project.write({ '001_seed.ts': seed(`await db.importFileset('sets/plays')`) })
      expect(await failureOf(project.up(database))).toMatchObject({
        code: 'IMPORT_REFUSED',
        detail: expect.stringContaining('plays.csv:2'),
      })
      await project.write({ '001_seed.ts': seed(`await db.importFileset('sets/nothing')`) })
      expect(await failureOf(project.up(database))).toMatchObject({
        code: 'FILESET_INVALID',
        message: expect.stringContaining('sets/nothing is no fileset'),
      })
    })
  })

  test('a value that a file would empty stays, unless its loss is allowed', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      const project = await givenProject(FILES)
      await project.write({ '001_seed.ts': seed(BOTH) })
      await project.up(database, { only: '000' })
      await query(database, `insert into people (mail, "Größe") values ('bob@example.org', 168)`)
      expect(await failureOf(project.up(database))).toMatchObject({
        code: 'DATA_LOSS',
        detail: expect.stringMatching(/people\.Größe: .*168/),
      })
      expect(await query(database, 'select mail, "Größe" from people')).toEqual([
        { mail: 'bob@example.org', Größe: 168 },
      ])
      await project.up(database, { allowLoss: ['people.Größe'] })
      expect(await query(database, 'select "Größe" from people order by mail')).toEqual([
        { Größe: 170 },
        { Größe: null },
      ])
    })
  })

  test('a dry run names it, and a migration without a transaction gives it one', async () => {
    await withTestDatabase(engine, async ({ database }) => {
      const project = await givenProject(FILES)
      await project.write({ '001_seed.ts': seed(BOTH) })
      const { steps } = await migrateDryRun(await project.settings(), { database })
      expect(steps[1]?.statements.map(({ sql }) => sql)).toEqual([
        '-- the fileset sets/plays is imported',
        '-- the fileset sets/people is imported',
      ])
      expect(await query(database, `select to_regclass('plays') as made`)).toEqual([{ made: null }])
      await project.write({ '001_seed.ts': seed(BOTH, 'transaction: false,') })
      await project.up(database, { backup: false })
      expect(await readPlays(database)).toHaveLength(2)
    })
  })
})
