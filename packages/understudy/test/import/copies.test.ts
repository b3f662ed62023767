import { describe, expect, test } from 'vitest'
import { validateDatabase } from '../../src/validate/validate-database.js'
import { type Engine, engines, servers } from '../support/engines.js'
import { countsOf, createStage } from '../support/scenario.js'

const SCHEMA = `
create schema "Übe""r";
create table regions (id serial primary key, code text not null unique);
create table "Übe""r"."table" (
  id serial primary key, code text not null unique, price numeric, note json, region_id int references regions, "Zahl ""n""" int, region_code text, written int not null default 0
);
create table parts (play_id int references "Übe""r"."table", name text, primary key (play_id, name));
create function count_write() returns trigger language plpgsql as $$ begin new.written = new.written + 1; return new; end $$;
create trigger on_write before update on "Übe""r"."table" for each row execute function count_write();`
const CONTENT = `${SCHEMA}
insert into regions (code) values ('north');
insert into "Übe""r"."table" (code, price, note, region_id, "Zahl ""n""", region_code)
  values ('clouds', 1.10, '{"a": 1,  "b": [1.0]}', 1, 1, 'north'), ('birds', 2, null, null, 0, null);
insert into parts values (1, 'Strepsiades');`

const RELATION = 'Übe"r.table'
/** As it is printed. */
const LABEL = String.raw`"Übe\"r".table`
const config = {
  relations: {
    [RELATION]: {
      copies: {
        'Zahl "n"': '(select count(*) from parts where parts.play_id = "table".id)',
        region_code: `(select code from regions where regions.id = "table".region_id)`,
      },
    },
  },
}

const ROWS = `select code, price, "Zahl ""n""" as parts, region_code, written, xmin::text from "Übe""r"."table" order by code`

const TREE = `
create table cats (id serial primary key, name text not null unique, parent_id int references cats, path text);
create table leaves (id serial primary key, name text not null unique, cat_id int references cats, path text);`
const TREE_CONTENT = `${TREE}
insert into cats values (10, 'a', null, '/10'), (11, 'b', 10, '/10/11'), (12, 'c', 11, '/10/11/12');
insert into leaves values (5, 'x', 12, '/10/11/12')`
const paths = {
  leaves: { copies: { path: '(select c.path from cats c where c.id = leaves.cat_id)' } },
  cats: { copies: { path: `coalesce((select p.path from cats p where p.id = cats.parent_id), '') || '/' || cats.id` } },
}

const givenStages = async (engine: Engine, change: string) => ({
  source: await createStage(engine, CONTENT),
  stage: await createStage(engine, `${CONTENT} ${change}`, config),
})

describe.each(engines)('copies of other values on $name', (engine) => {
  test('are computed where the target has rows that the source has not, without a trigger, and nothing is written twice', async () => {
    const { source, stage } = await givenStages(
      engine,
      `
      insert into parts values (1, 'Socrates'), (2, 'Hoopoe');
      alter table "Übe""r"."table" disable trigger on_write;
      update "Übe""r"."table" set price = 3, "Zahl ""n""" = 2 where code = 'clouds';
      alter table "Übe""r"."table" enable trigger on_write`,
    )
    const { path } = await source.export()
    const first = await stage.import(path)
    // The other play stood there with a stale copy.
    expect(first.refreshedCopies).toBe(2)
    const after = await stage.rows(ROWS)
    expect(after).toMatchObject([
      { code: 'birds', parts: 1, written: 0 },
      { code: 'clouds', parts: 2, region_code: 'north', written: 0 },
    ])
    const second = await stage.import(path)
    expect(countsOf(second)[LABEL]).toBe('same 2')
    expect(second.refreshedCopies).toBe(0)
    expect(await stage.rows(ROWS)).toEqual(after)
    expect((await stage.import(path, { isDryRun: true })).refreshedCopies).toBe(0)
  })
})

describe.each(servers.slice(0, 1))('copies of other values on $name', (engine) => {
  test('do not hide that other values differ in their text alone', async () => {
    const { source, stage } = await givenStages(
      engine,
      `
      alter table "Übe""r"."table" disable trigger on_write;
      insert into parts values (1, 'Socrates');
      update "Übe""r"."table" set price = 1.1, "Zahl ""n""" = 2 where code = 'clouds';
      update "Übe""r"."table" set note = '{}' where code = 'birds'`,
    )
    const { path } = await source.export()
    expect(countsOf(await stage.import(path))[LABEL]).toBe('update 2')
    expect(await stage.rows(`select price::text, note::text from "Übe""r"."table" order by code`)).toEqual([
      { price: '2', note: null },
      { price: '1.10', note: '{"a": 1,  "b": [1.0]}' },
    ])
  })

  test('follow a value that changed in another relation', async () => {
    const { source, stage } = await givenStages(engine, '')
    await source.run(
      `insert into regions (code) values ('south'); update "Übe""r"."table" set region_id = 2 where code = 'clouds'`,
    )
    await stage.import((await source.export()).path)
    expect(await stage.rows(`select region_code from "Übe""r"."table" where code = 'clouds'`)).toEqual([
      { region_code: 'south' },
    ])
  })

  test('that cannot be computed take the import back, with the place in the configuration', async () => {
    const source = await createStage(engine, CONTENT)
    const stage = await createStage(engine, SCHEMA, {
      relations: { [RELATION]: { copies: { region_code: 'nowhere.code' } } },
    })
    await expect(stage.import((await source.export()).path)).rejects.toMatchObject({
      code: 'COPY_UNCOMPUTABLE',
      message: expect.stringContaining(`${LABEL}.region_code cannot be computed: `),
      hint: expect.stringContaining('copies.region_code'),
    })
    expect(await stage.rows('select from regions')).toEqual([])
  })

  test('that depend on copies of other rows are computed until none changes', async () => {
    const source = await createStage(engine, TREE_CONTENT)
    const stage = await createStage(engine, TREE, { relations: paths })
    const { path } = await source.export()
    await stage.import(path, { mode: 'init' })
    expect(await stage.rows('select path from cats order by id')).toEqual([
      { path: '/1' },
      { path: '/1/2' },
      { path: '/1/2/3' },
    ])
    expect(await stage.rows('select path from leaves')).toEqual([{ path: '/1/2/3' }])
    expect((await stage.import(path)).refreshedCopies).toBe(0)
  })

  test('make no difference to an archive; what they are computed from does', async () => {
    const source = await createStage(engine, TREE_CONTENT)
    const stage = await createStage(engine, TREE, { relations: paths })
    const { path } = await source.export()
    await stage.import(path, { mode: 'init' })
    const options = { archive: path, database: stage.created.database }
    const failing = async () =>
      (await validateDatabase(stage.settings, options)).checks.filter(({ status }) => status !== 'passed')
    expect(await failing()).toEqual([])
    await stage.run(`update cats set parent_id = null, path = '/2' where name = 'b'`)
    expect(await failing()).toMatchObject([
      { name: 'cats.path is up to date', samples: ['c'] },
      { name: "cats: the archive's content", samples: ['b (differs)'] },
    ])
  })

  test('that never settle take the import back', async () => {
    const schema = 'create table counters (code text primary key, ticks int)'
    const source = await createStage(engine, `${schema}; insert into counters values ('a', 0)`)
    const stage = await createStage(engine, schema, {
      relations: { counters: { copies: { ticks: 'counters.ticks + 1' } } },
    })
    await expect(stage.import((await source.export()).path)).rejects.toMatchObject({
      code: 'COPY_UNCOMPUTABLE',
      message: 'counters.ticks cannot be computed: its values still change after 100 rounds',
      hint: expect.stringContaining('relations.counters.copies.ticks'),
    })
    expect(await stage.rows('select from counters')).toEqual([])
  })
})
