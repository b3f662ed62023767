import { lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Problem, UnderstudyError } from '../../src/errors.js'
import { engines } from '../support/engines.js'
import { createStage, type Stage } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'

/** Types that the target has narrower, and rules that only the target has. */
const SOURCE = `
create type mood as enum ('calm', 'wild', 'odd');
create table teams (id serial primary key, code text not null unique);
create table people (
  id serial primary key, code text not null unique, team_id int references teams,
  name varchar(80), age bigint, mood mood, mail text, nick text, password text, tags bigint[]
);
create table rooms (id serial primary key, code text not null unique, size int);
insert into teams (code) values ('red'), ('blue');
insert into people (code, team_id, name, age, mood, mail, nick, password, tags) values
  ('ada', 1, 'Ada', 36, 'calm', 'ada@x.example', 'a', 'long enough', '{1}'),
  ('bob', 2, 'Bob of a name that is too long', 36, 'calm', 'bob@x.example', 'b', 'long enough', '{1}'),
  ('cyd', 1, 'Cyd', 5000000000, 'odd', 'cyd@x.example', 'c', 'long enough', '{1,5000000000}'),
  ('dan', 1, null, -1, 'wild', 'dan@x.example', 'd', 'long enough', null),
  ('eve', 1, 'Eve', 20, 'wild', 'taken@x.example', 'a', 'short', '{2}');
insert into rooms (code, size) values ('hall', 0), ('shed', 3);`

const TARGET = `
create type mood as enum ('calm', 'wild');
create domain size_ok as int check (value > 0);
create table teams (id serial primary key, code text not null unique);
create table people (
  id serial primary key, code text not null unique, team_id int references teams,
  name varchar(20) not null, age int constraint age_is_plausible check (age between 0 and 150), mood mood,
  mail text unique, nick text unique, password text check (length(password) > 6), tags int[]
);
create table rooms (id serial primary key, code text not null unique, size size_ok);
insert into teams (code) values ('red');
select setval('people_id_seq', 40);
insert into people (code, name, mail) values ('local', 'Local', 'taken@x.example');`

/** Every problem of the example as `relation.column kind: row = value (other)`. */
const EVERY_PROBLEM = [
  'people.age refused value: "dan" = -1',
  'people.age unreadable value: "cyd" = 5000000000 (…)',
  'people.mail taken value: "eve" = "taken@x.example" ("local" (id 41))',
  'people.mood unreadable value: "cyd" = odd (…)',
  'people.name null value: "dan"',
  'people.name unreadable value: "bob" = Bob of a name that is too long (…)',
  'people.nick taken value: "eve" = "a" ("ada")',
  'people.password refused value: "eve" = ***',
  'people.tags unreadable value: "cyd" = [1,5000000000] (…)',
  'people.team_id missing target: "bob" = "blue"',
  'rooms.size refused value: "hall" = 0',
]

function listed(problems: readonly Problem[]): string[] {
  return problems
    .flatMap(({ kind, relation, column, cases }) =>
      cases.map(({ identity, value, other }) => {
        const beside = other === null ? '' : ` (${kind === 'unreadable value' ? '…' : other})`
        return `${relation}.${column} ${kind}: ${identity}${value === null ? '' : ` = ${value}`}${beside}`
      }),
    )
    .sort()
}

describe.each(engines)('conflicts on $name', (engine) => {
  async function given(): Promise<{ target: Stage; archive: string }> {
    const source = await createStage(engine, SOURCE)
    const target = await createStage(engine, TARGET)
    return { target, archive: (await source.export({ exclude: ['teams'] })).path }
  }

  async function problemsOf(work: Promise<unknown>): Promise<readonly Problem[]> {
    const error = await work.then(
      () => undefined,
      (thrown: UnderstudyError) => thrown,
    )
    expect(error?.code).toBe('IMPORT_REFUSED')
    return error?.problems ?? []
  }

  test('every problem of every relation is told at once, by a dry run as by an import, and nothing is written', async () => {
    const { target, archive } = await given()
    const before = await target.rows('select code, mail from people')
    const planned = await problemsOf(target.import(archive, { isDryRun: true }))
    expect(listed(planned)).toEqual(EVERY_PROBLEM)
    const refused = await problemsOf(target.import(archive))
    expect(refused).toEqual(planned)
    expect(await target.rows('select code, mail from people')).toEqual(before)
    expect(await target.rows('select last_value from people_id_seq')).toEqual([{ last_value: 41 }])
  })

  test('what only checks refuse is found before the write by a dry run, and all of it when a write fails', async () => {
    const rows = `insert into people (code, name, age, nick) values
      ('ada', 'Ada', 200, 'a'), ('bob', 'Bob', 20, 'b'), ('cyd', 'Cyd', -5, 'b'), ('dan', null, 7, 'd')`
    const source = await createStage(engine, `${SOURCE} truncate people, teams restart identity; ${rows}`)
    const target = await createStage(engine, TARGET)
    const { path } = await source.export()
    const expected = [
      'people.age refused value: "ada" = 200',
      'people.age refused value: "cyd" = -5',
      'people.name null value: "dan"',
      'people.nick taken value: "cyd" = "b" ("bob")',
      'rooms.size refused value: "hall" = 0',
    ]
    expect(listed(await problemsOf(target.import(path)))).toEqual(expected)
    expect(listed(await problemsOf(target.import(path, { isDryRun: true })))).toEqual(expected)
    expect(await target.rows('select code from people')).toEqual([{ code: 'local' }])
    expect(await target.rows(`select to_regnamespace('understudy')::text as registry`)).toEqual([{ registry: null }])
  })

  test('checks that the new value of an update, a generated column or a row of the target decides are asked with it', async () => {
    const schema = (rules: string) => `
      create table "Odd name" (id serial primary key, code text not null unique, low int, high int, "value" text, n int,
        total int generated always as (low + high) stored${rules});`
    const source = await createStage(
      engine,
      `${schema('')} insert into "Odd name" (code, low, high, "value", n) values ('a', 5, 1, 'x', 1), ('b', 1, 2, 'y', 1), ('c', 60, 60, 'z', 1)`,
    )
    const rules = `, extra int default 3, check (low <= high), constraint "Small total" check (total < 100), check (n < extra)`
    const target = await createStage(
      engine,
      `${schema(rules)} insert into "Odd name" (code, low, high, n, extra) values ('b', 0, 0, 0, 1)`,
    )
    const { path } = await source.export()
    expect(listed(await problemsOf(target.import(path, { isDryRun: true })))).toEqual([
      '"Odd name".low, high refused value: "a" = [5, 1]',
      '"Odd name".n, extra refused value: "b" = [1, 1]',
      '"Odd name".total refused value: "c" = 120',
    ])
  })

  test('a key on an expression, or over some of the rows, names both rows', async () => {
    const source = await createStage(
      engine,
      `create table tags (id serial primary key, code text not null unique, name text, is_main boolean);
       insert into tags (code, name, is_main) values ('a', 'Blue', true), ('b', 'BLUE', false), ('c', 'red', true), ('d', 'pink', false)`,
    )
    const target = await createStage(
      engine,
      `create table tags (id serial primary key, code text not null unique, name text, is_main boolean);
       create unique index tags_name on tags (lower(name)); create unique index tags_main on tags (is_main) where is_main;
       insert into tags (code, name) values ('z', 'Pink')`,
    )
    expect(listed(await problemsOf(target.import((await source.export()).path)))).toEqual([
      'tags.is_main taken value: "c" = true ("a")',
      'tags.name taken value: "b" = "blue" ("a")',
      'tags.name taken value: "d" = "pink" (id 1)',
    ])
  })

  test('a check that throws is named, with what it says', async () => {
    const source = await createStage(
      engine,
      'create table notes (id serial primary key, code text not null unique, v int); insert into notes (code, v) values ($$a$$, 1), ($$b$$, 2)',
    )
    const target = await createStage(
      engine,
      `create function picky(int) returns boolean language plpgsql immutable as 'begin if $1 = 2 then raise exception ''not two''; end if; return true; end';
       create table notes (id serial primary key, code text not null unique, v int constraint picks check (picky(v)))`,
    )
    const [problem, ...others] = await problemsOf(target.import((await source.export()).path))
    expect(others).toEqual([])
    expect(problem).toMatchObject({
      relation: 'notes',
      column: 'v',
      message: expect.stringMatching(/picks .* not two/),
    })
  })

  test('columns and relations that the target lacks are listed at once', async () => {
    const source = await createStage(engine, SOURCE)
    const target = await createStage(engine, 'create table people (id serial primary key, code int unique)')
    const error: UnderstudyError = await source
      .export()
      .then(({ path }) => target.import(path).catch((thrown) => thrown))
    expect(error.code).toBe('IMPORT_INCOMPATIBLE')
    expect(error.problems.map(({ relation, column }) => `${relation}.${column}`)).toEqual(
      expect.arrayContaining(['people.code', 'people.mail', 'rooms.null', 'teams.null']),
    )
  })

  test('of many rows a thousand are listed and all are counted', async () => {
    const source = await createStage(
      engine,
      `create table notes (id serial primary key, code text not null unique, v text); insert into notes (code, v) select 'n' || i, repeat('x', 300) from generate_series(1, 1500) i`,
    )
    const target = await createStage(
      engine,
      'create table notes (id serial primary key, code text not null unique, v varchar(10))',
    )
    const [problem] = await problemsOf(target.import((await source.export()).path))
    expect(problem).toMatchObject({ rows: 1500, column: 'v' })
    expect(problem?.cases).toHaveLength(1000)
    expect(problem?.cases[0]?.value).toBe(`${'x'.repeat(200)}…`)
  })

  describe('the report', () => {
    test('is written on refusal, dry run and success, whole, for its owner only', async () => {
      const { target, archive } = await given()
      const folder = await createScratchFolder()
      const report = join(folder, 'report.json')
      const read = async () => JSON.parse(await readFile(report, 'utf8'))
      await writeFile(report, 'an older report')
      await problemsOf(target.import(archive, { report }))
      const refused = await read()
      expect(refused).toMatchObject({ outcome: 'refused', mode: 'replace', error: { code: 'IMPORT_REFUSED' } })
      expect(listed(refused.problems)).toEqual(EVERY_PROBLEM)
      expect(refused.plan.relations).toMatchObject([
        { relation: 'people', inserts: 5 },
        { relation: 'rooms', inserts: 2 },
      ])
      expect(refused.warnings).toEqual([expect.stringMatching(/teams, which is not in the archive/)])
      expect(refused.steps.map(({ step }: { step: string }) => step)).toEqual(
        expect.arrayContaining(['stage', 'match', 'check']),
      )
      expect((await stat(report)).mode & 0o777).toBe(0o600)

      await target.run(
        `drop table people, rooms; drop type mood; drop domain size_ok; drop table teams; ${SOURCE} delete from people; delete from rooms`,
      )
      await target.import(archive, { report, isDryRun: true })
      expect(await read()).toMatchObject({ outcome: 'planned', problems: [], error: null })
      await target.import(archive, { report })
      expect(await read()).toMatchObject({
        outcome: 'written',
        problems: [],
        plan: { relations: [{ inserts: 5 }, { inserts: 2 }] },
      })
      expect(await readdir(folder)).toEqual(['report.json'])
    })

    test('goes through links and into devices, and replaces neither', async () => {
      const target = await createStage(engine, TARGET)
      const folder = await createScratchFolder()
      const link = join(folder, 'link.json')
      await mkdir(join(folder, 'reports'))
      await writeFile(join(folder, 'reports', 'report.json'), 'of before')
      await symlink(join('reports', 'report.json'), link)
      const failed = { code: 'ARCHIVE_NOT_FOUND' }
      await expect(target.import('none.tar.gz', { report: link })).rejects.toMatchObject(failed)
      expect((await lstat(link)).isSymbolicLink()).toBe(true)
      expect(JSON.parse(await readFile(join(folder, 'reports', 'report.json'), 'utf8'))).toMatchObject({
        error: failed,
      })
      expect(await readdir(join(folder, 'reports'))).toEqual(['report.json'])

      // Through a link, so that a fault replaces the link and not the machine's device.
      const device = join(folder, 'device')
      await symlink('/dev/null', device)
      await expect(target.import('none.tar.gz', { report: device })).rejects.toMatchObject(failed)
      expect([await readlink(device), (await stat('/dev/null')).isCharacterDevice()]).toEqual(['/dev/null', true])

      const dangling = join(folder, 'dangling')
      await symlink('nowhere', dangling)
      for (const report of [dangling, folder]) {
        const error = { code: 'REPORT_WRITE_FAILED', detail: expect.stringMatching(/not begun/) }
        await expect(target.import('none.tar.gz', { report })).rejects.toMatchObject(error)
      }
    })

    test('says what failed otherwise; where it cannot be written nothing is begun', async () => {
      const target = await createStage(engine, TARGET)
      const folder = await createScratchFolder()
      const report = join(folder, 'report.json')
      await expect(target.import(join(folder, 'none.tar.gz'), { report })).rejects.toMatchObject({
        code: 'ARCHIVE_NOT_FOUND',
      })
      expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({
        outcome: 'failed',
        plan: null,
        archive: null,
        error: { code: 'ARCHIVE_NOT_FOUND' },
      })
      await expect(target.import('none', { report: join(folder, 'nowhere', 'report.json') })).rejects.toMatchObject({
        code: 'REPORT_WRITE_FAILED',
        detail: expect.stringMatching(/not begun/),
      })
    })
  })
})
