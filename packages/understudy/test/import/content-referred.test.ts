import { describe, expect, test } from 'vitest'
import type { UnderstudyConfig } from '../../src/config/define-config.js'
import { openDatabase } from '../../src/database/open.js'
import type { Problem, UnderstudyError } from '../../src/errors.js'
import { inspectDatabase } from '../../src/inspect/inspect-database.js'
import { engines, servers, urlOf } from '../support/engines.js'
import { countsOf, createStage, type Stage } from '../support/scenario.js'

const MOVES = String.raw`"La\"ger".moves`

const schemaWith = (foreignKey: string) => `
  create schema "La""ger";
  create table orders (id serial primary key, code text unique not null);
  create table lines (id serial primary key, order_id int not null references orders, note text);
  create table "La""ger".moves (id serial primary key, code text unique not null, line_id int references lines ${foreignKey}, amount int);
  insert into orders (code) values ('o');`
const CONTENT = `
  insert into lines (order_id, note) values (1, 'a'), (1, 'b');
  insert into "La""ger".moves (code, line_id, amount) values ('m', 1, 3), ('n', 2, 5)`
const config: UnderstudyConfig = { relations: { lines: { identity: 'content', owner: 'order_id' } } }

async function warningsOf(stage: Stage): Promise<string[]> {
  const { warnings } = await inspectDatabase(stage.settings, { database: stage.created.database })
  return warnings.filter(({ kind }) => kind === 'content referred to').map((each) => `${each.relation} ${each.message}`)
}

/** Both databases hold the same; then the line that a move refers to changes in the source. */
async function givenChange(engine: (typeof engines)[number], foreignKey: string, own = config) {
  const schema = schemaWith(foreignKey)
  const source = await createStage(engine, `${schema} ${CONTENT}`, own)
  const target = await createStage(engine, schema, own)
  await target.import((await source.export()).path)
  await source.run(`update lines set note = 'c' where id = 1`)
  return { source, target, path: (await source.export()).path }
}

const notes = `select m.code, l.note from "La""ger".moves m left join lines l on l.id = m.line_id order by 1`

/** A dry run and an import are refused for the same problems. */
async function problemsOf(target: Stage, path: string): Promise<readonly Problem[]> {
  const [dry, real] = await Promise.all(
    [true, false].map(async (isDryRun) => {
      const error: UnderstudyError = await target.import(path, { isDryRun }).catch((thrown) => thrown)
      expect(error).toMatchObject({ code: 'IMPORT_REFUSED', hint: expect.stringContaining('needs another identity') })
      return error.problems
    }),
  )
  expect(dry).toEqual(real)
  return dry ?? []
}

const held = (relation: string, key: string, other: string) => ({
  kind: 'held row',
  relation: 'lines',
  column: null,
  message: `1 row is to be deleted that rows of ${relation} refer to (${key})`,
  rows: 1,
  cases: [{ identity: 'order_id "o", id 1', value: null, other: `${other} of ${relation}` }],
})

describe.each(engines)('a row known by its content that others refer to, on $name', (engine) => {
  test('is not deleted: a dry run as an import names row, foreign key and what holds it, and inspect has said so', async () => {
    const { source, target, path } = await givenChange(engine, '')
    expect(await warningsOf(source)).toEqual([
      `lines is known by its content, so a row that changes is replaced; where one of ${MOVES} refers to it, the foreign key moves_line_id_fkey does not let it go and the import is refused: choose another identity`,
    ])
    expect(await problemsOf(target, path)).toEqual([held(MOVES, 'moves_line_id_fkey, on delete no action', '1 row')])
    expect(await target.rows(notes)).toEqual([
      { code: 'm', note: 'a' },
      { code: 'n', note: 'b' },
    ])
  })
})

describe.each(servers.slice(0, 1))('a row known by its content that others refer to, on $name', (engine) => {
  test('is not deleted either where the foreign key restricts, or would take the other row along', async () => {
    const restricting = await givenChange(engine, 'on delete restrict')
    expect(await warningsOf(restricting.target)).toEqual([expect.stringContaining('does not let it go')])
    expect(await problemsOf(restricting.target, restricting.path)).toEqual([
      held(MOVES, 'moves_line_id_fkey, on delete restrict', '1 row'),
    ])
    const cascading = await givenChange(engine, 'on delete cascade')
    expect(await warningsOf(cascading.target)).toEqual([
      expect.stringContaining('deletes that row or the import is refused'),
    ])
    expect(await problemsOf(cascading.target, cascading.path)).toMatchObject([
      {
        kind: 'lost row',
        relation: MOVES,
        message: '1 row of the archive would be deleted in turn (on delete cascade)',
        cases: [{ identity: '"m"', other: 'goes with order_id "o", id 1 of lines by moves_line_id_fkey' }],
      },
    ])
    expect(await cascading.target.rows(notes)).toHaveLength(2)
  })

  test('is not deleted where a relation that is left out refers to it, at whatever distance', async () => {
    const own = { ...config, exclude: ['La"ger.moves', 'audits', 'parts'] }
    const { target, path } = await givenChange(engine, '', own)
    await target.run(`
      create table audits (id serial primary key, line_id int references lines on delete cascade, up int references audits on delete cascade);
      create table parts (id serial primary key, audit_id int references audits on delete restrict);
      insert into audits (line_id, up) values (1, null), (null, 1), (2, null)`)
    const { plan } = await target.import(path, { isDryRun: true, rows: 1 })
    expect(plan.rows?.filter(({ change }) => change === 'cascade')).toEqual([
      { relation: 'audits', change: 'cascade', total: 2, rows: [{ identity: 'id 1', columns: [] }] },
    ])
    expect(plan.notes).toEqual([
      'audits.line_id: 1 rows will be deleted, because they refer to rows of lines that go',
      'audits.up: 1 rows will be deleted, because they refer to rows of audits that go',
    ])
    await target.run(`
      insert into "La""ger".moves (code, line_id) values ('x', 1), ('y', 1), ('z', 2);
      insert into parts (audit_id) values (2), (3)`)
    expect(await problemsOf(target, path)).toEqual([
      held(MOVES, 'moves_line_id_fkey, on delete no action', '2 rows'),
      expect.objectContaining({
        relation: 'audits',
        cases: [{ identity: 'id 2', value: null, other: '1 row of parts' }],
      }),
    ])
  })

  test('is named by the database where the role may not look, and the plan says that it could not', async () => {
    const { target, path } = await givenChange(engine, '', { ...config, exclude: ['La"ger.moves'] })
    const role = `blind_${Date.now()}`
    await target.run(`
      insert into "La""ger".moves (code, line_id) values ('x', 1);
      create role ${role} login password 'blind';
      grant usage on schema understudy, public, "La""ger" to ${role};
      grant all on all tables in schema understudy, public to ${role};
      grant all on all sequences in schema public to ${role}`)
    const name = target.created.url.split('/').at(-1) ?? ''
    const database = await openDatabase(urlOf(engine.server, { role, password: 'blind', database: name }))
    try {
      const { plan } = await target.import(path, { isDryRun: true, database })
      expect(plan.notes).toEqual([
        `${MOVES}: the role may not read which rows refer to rows of lines that go (moves_line_id_fkey, on delete no action)`,
      ])
      await expect(target.import(path, { database })).rejects.toMatchObject({
        code: 'IMPORT_REFUSED_BY_DATABASE',
        message: expect.stringMatching(/^cannot delete lines: .* foreign key/),
        detail: expect.stringMatching(
          /^rows of "La\\"ger"\.moves refer to rows that go\n.*\nconstraint moves_line_id_fkey$/,
        ),
        hint: expect.stringContaining('needs another identity: choose one for lines'),
      })
    } finally {
      await database.close()
      await target.run(`drop owned by ${role}; drop role ${role}`)
    }
  })

  test('is found again where on update cascade changes the key that it stands under', async () => {
    const schema = `
      create table orders (id serial primary key, xmlid text unique not null, code text unique not null);
      create table lines (order_code text references orders (code) on update cascade, number int, note text, primary key (order_code, number));`
    const own = { relations: { lines: { identity: 'content', owner: 'order_code' } } } as const
    const source = await createStage(
      engine,
      `${schema} insert into orders (xmlid, code) values ('o', 'old'); insert into lines values ('old', 1, 'a'), ('old', 2, 'b')`,
      own,
    )
    const target = await createStage(engine, schema, own)
    await target.import((await source.export()).path)
    await source.run(`update orders set code = 'new'; update lines set note = 'c' where number = 2`)
    expect(countsOf(await target.import((await source.export()).path))).toEqual({
      lines: 'insert 1, delete 1, same 1',
      orders: 'update 1',
    })
    const lines = 'select * from lines order by number'
    expect(await target.rows(lines)).toEqual(await source.rows(lines))
  })

  test.each([
    ['the foreign key is deferrable', 'deferrable', config],
    ['it sets null', 'on delete set null', config],
    [
      'the others are replaced too',
      '',
      { relations: { ...config.relations, 'La"ger.moves': { identity: 'content', owner: 'line_id' } } },
    ],
  ] as const)('is replaced where %s', async (_, foreignKey, own) => {
    const { target, path } = await givenChange(engine, foreignKey, own)
    expect(await warningsOf(target)).toEqual([])
    expect(countsOf(await target.import(path))).toMatchObject({ lines: 'insert 1, delete 1, same 1' })
    expect(await target.rows(notes)).toEqual([
      { code: 'm', note: 'c' },
      { code: 'n', note: 'b' },
    ])
  })
})
