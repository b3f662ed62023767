import { describe, expect, test } from 'vitest'
import type { UnderstudyConfig } from '../../src/config/define-config.js'
import { inspectDatabase } from '../../src/inspect/inspect-database.js'
import { engines, servers } from '../support/engines.js'
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

describe.each(engines)('a row known by its content that others refer to, on $name', (engine) => {
  test('is not deleted: the error names both relations and what to do, and inspect has said so', async () => {
    const { source, target, path } = await givenChange(engine, '')
    expect(await warningsOf(source)).toEqual([
      `lines is known by its content, so a row that changes is replaced; where one of ${MOVES} refers to it, the foreign key moves_line_id_fkey does not let it go and the import is refused: choose another identity`,
    ])
    await expect(target.import(path)).rejects.toMatchObject({
      code: 'IMPORT_REFUSED_BY_DATABASE',
      message: expect.stringMatching(/^cannot delete lines: .* foreign key/),
      detail: expect.stringMatching(
        /^rows of "La\\"ger"\.moves refer to rows that go\n.*\nconstraint moves_line_id_fkey$/,
      ),
      hint: expect.stringContaining('needs another identity: choose one for lines'),
    })
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
    await expect(restricting.target.import(restricting.path)).rejects.toMatchObject({
      message: expect.stringMatching(/^cannot delete lines: /),
      hint: expect.stringContaining('another identity'),
    })
    const cascading = await givenChange(engine, 'on delete cascade')
    expect(await warningsOf(cascading.target)).toEqual([
      expect.stringContaining('deletes that row or the import is refused'),
    ])
    await expect(cascading.target.import(cascading.path)).rejects.toMatchObject({ code: 'IMPORT_COUNT_MISMATCH' })
    expect(await cascading.target.rows(notes)).toHaveLength(2)
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
