import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { UnderstudyConfig } from '../../src/config/define-config.js'
import type { ImportPlan } from '../../src/import/plan.js'
import { engines, servers } from '../support/engines.js'
import { createStage, type Stage } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'

const SCHEMA = `
  create table "te""ams" (id serial primary key, code text not null unique);
  create table people (
    id serial primary key, code text not null unique, team_id int references "te""ams", "we""ird" text, mail text, password text,
    note text, score numeric, copied text
  );
  create table phones (id serial primary key, person_id int not null references people, number text);
  create table logs (id serial primary key, what text);`

const CONTENT = `
  insert into "te""ams" (code) values ('red'), ('blue');
  insert into people (code, team_id, "we""ird", mail, password, note, score, copied) values
    ('ada', 1, 'a', 'ada@x.example', 'p1', 'kept', 1.0, 'x'), ('bob', 2, null, 'bob@x.example', 'p2', 'kept', 2, 'x'),
    ('cyd', null, 'same', 'cyd@x.example', 'p3', 'kept', 3, 'x');
  insert into phones (person_id, number) values (1, '11'), (1, '12'), (2, '21');
  insert into logs (what) values ('begun');`

const config: UnderstudyConfig = {
  relations: {
    people: {
      mask: { mail: `'masked'` },
      keep: ['note'],
      copies: { copied: `(select 'x'::text)` },
    },
    phones: { identity: 'content', owner: 'person_id' },
  },
}

/** The rows of a plan as text: `people update: "ada": score 1.0 -> 1.5, mail`. */
function listed({ rows }: ImportPlan): string[] | undefined {
  return rows?.flatMap((each) =>
    each.rows.map(({ identity, columns }) => {
      const changes = columns.map(({ name, before, after }) =>
        before === null ? name : `${name} ${before} -> ${after}`,
      )
      return `${each.relation} ${each.change} of ${each.total}: ${identity}${columns.length === 0 ? '' : `: ${changes.join(', ')}`}`
    }),
  )
}

/** The target has the content already; then both sides go on. */
async function givenChanges(engine: (typeof engines)[number]): Promise<{ target: Stage; archive: string }> {
  const source = await createStage(engine, `${SCHEMA} ${CONTENT}`, config)
  const target = await createStage(engine, `${SCHEMA} select setval('phones_id_seq', 40);`, config)
  await target.import((await source.export()).path)
  await source.run(`
    insert into "te""ams" (code) values ('new'), ('newer'), ('newest');
    insert into logs (what) values ('done');
    update people set score = 1.00, "we""ird" = repeat('long', 20), password = 'other', team_id = 3, note = 'theirs' where code = 'ada';
    update people set "we""ird" = 'b' where code = 'bob';
    update phones set number = '13' where number = '12'`)
  await target.run(`update people set mail = 'here@x.example', copied = 'old'; update people set note = 'ours'`)
  return { target, archive: (await source.export()).path }
}

describe.each(engines)('the rows of a plan, on $name', (engine) => {
  test('are named by identity, updates with what changes, and nothing is written or shown that should not be', async () => {
    const { target, archive } = await givenChanges(engine)
    const before = await target.rows('select * from people order by id')
    const report = join(await createScratchFolder(), 'report.json')
    const { plan } = await target.import(archive, { isDryRun: true, rows: 20, report })
    expect(listed(plan)).toEqual([
      'logs insert of 1: id 2',
      'people update of 3: "ada": team_id "red" -> "new", we"ird, mail, password, score 1.0 -> 1.00',
      'people update of 3: "bob": we"ird null -> "b", mail',
      'people update of 3: "cyd": mail',
      'phones insert of 1: person_id "ada", id 2',
      'phones delete of 1: person_id "ada", id 42',
      '"te\\"ams" insert of 3: "new"',
      '"te\\"ams" insert of 3: "newer"',
      '"te\\"ams" insert of 3: "newest"',
    ])
    expect(JSON.parse(await readFile(report, 'utf8')).plan.rows).toEqual(plan.rows)
    expect(await target.rows('select * from people order by id')).toEqual(before)
  })
})

describe.each(servers.slice(0, 1))('the rows of a plan, on $name', (engine) => {
  test('are as many as were asked for, none where nobody asks, and those that were confirmed', async () => {
    const { target, archive } = await givenChanges(engine)
    await expect(target.import(archive, { rows: 0 })).rejects.toMatchObject({ code: 'USAGE' })
    expect((await target.import(archive, { isDryRun: true })).plan).not.toHaveProperty('rows')
    const one = await target.import(archive, { isDryRun: true, rows: 1 })
    expect(one.plan.rows?.map(({ rows, total }) => [rows.length, total])).toEqual([
      [1, 1],
      [1, 3],
      [1, 1],
      [1, 1],
      [1, 3],
    ])
    const confirm = async () => {
      await target.run(`update people set "we""ird" = 'meanwhile' where code = 'bob'`)
      return true
    }
    await expect(target.import(archive, { rows: 20, confirm })).rejects.toMatchObject({ code: 'PLAN_CHANGED' })
    expect((await target.import(archive, { rows: 20, confirm: async () => true })).isWritten).toBe(true)
    expect((await target.import(archive, { isDryRun: true, rows: 20 })).plan.rows).toEqual([])
  })

  test('whose reference finds no target are named without a value that would not be written', async () => {
    const schema = `
      create table teams (id serial primary key, code text not null unique);
      create table people (id serial primary key, code text not null unique, team_id int references teams)`
    const people = (team: string) => `insert into people (code, team_id) values ('ada', ${team})`
    const source = await createStage(engine, `${schema}; insert into teams (code) values ('red'); ${people('1')}`)
    const target = await createStage(engine, `${schema}; ${people('null')}`)
    const { path } = await source.export({ only: ['people'] })
    const { plan } = await target.import(path, { isDryRun: true, rows: 1, onMissing: 'null' })
    expect(listed(plan)).toEqual(['people update of 1: "ada": team_id'])
  })
})
