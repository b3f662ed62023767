import { describe, expect, test } from 'vitest'
import { type IdentifyOptions, identifyRows } from '../../src/identify/identify-rows.js'
import { templateExpression } from '../../src/identify/template.js'
import { engines } from '../support/engines.js'
import { createStage, type Stage } from '../support/scenario.js'

const SCHEMA = `
create table users (id serial primary key, xmlid text unique, name text);
create schema "Büro";
create table "Büro"."order" (id serial primary key, "Code é" varchar(20) unique, "group" text not null, touched int not null default 0);
create table tokens (id serial primary key, guid uuid unique);
create table full_ones (id serial primary key, xmlid text unique);
create function slugify(text) returns text language sql immutable as $$ select lower(replace($1, ' ', '-')) $$;
create function touch() returns trigger language plpgsql as $$ begin new.touched := old.touched + 1; return new; end $$;
create trigger touched before update on "Büro"."order" for each row execute function touch();
`
const CONTENT = `
insert into users (xmlid, name) values ('ada', 'Ada'), (null, 'Bob B'), (null, 'Cyd C');
insert into "Büro"."order" ("Code é", "group") values (null, 'x y'), ('o1', 'z');
insert into tokens (guid) values (null), (null);
insert into full_ones (xmlid) values ('a');
`
const config = { relations: { 'Büro.order': { identity: ['Code é'] } } }

const identify = (stage: Stage, options: IdentifyOptions = {}) =>
  identifyRows(stage.settings, { ...options, database: stage.created.database })

describe.each(engines)('rows without an identity on $name', (engine) => {
  test('are listed by relation, with the rows themselves; nothing is written', async () => {
    const stage = await createStage(engine, SCHEMA + CONTENT, config)
    expect(await identify(stage)).toMatchObject({
      isWritten: false,
      filled: [],
      relations: [
        { relation: 'Büro.order', column: 'Code é', rows: 2, rowsWithout: 1, samples: ['id 1'], canBeFilled: true },
        { relation: 'tokens', column: 'guid', rows: 2, rowsWithout: 2, samples: ['id 1', 'id 2'] },
        { relation: 'users', column: 'xmlid', rows: 3, rowsWithout: 2, samples: ['id 2', 'id 3'] },
      ],
    })
    await expect(identify(stage, { only: ['usrs'] })).rejects.toMatchObject({ code: 'SELECTION_UNKNOWN' })
  })

  test('get one by a template in one transaction, and an export goes through', async () => {
    const stage = await createStage(engine, SCHEMA + CONTENT, config)
    await expect(stage.export()).rejects.toMatchObject({
      code: 'IDENTITY_PREFLIGHT',
      hint: expect.stringContaining('understudy identify'),
    })
    const dry = await identify(stage, { only: ['users'], fill: '{table}.{slugify(name)}', isDryRun: true })
    expect(dry.filled).toEqual([
      { relation: 'users', column: 'xmlid', rows: 2, samples: ['id 2: users.bob-b', 'id 3: users.cyd-c'] },
    ])
    expect((await identify(stage, { only: ['users'] })).relations).toHaveLength(1)
    const done = await identify(stage, { only: ['users'], fill: '{table}.{slugify(name)}' })
    expect(done).toMatchObject({ isWritten: true, filled: dry.filled })
    expect(
      (await identify(stage, { only: ['B*.order'], fill: '{{{schema}}} {upper("group") || \'!\'}' })).filled,
    ).toEqual([{ relation: 'Büro.order', column: 'Code é', rows: 1, samples: ['id 1: {Büro} X Y!'] }])
    expect((await identify(stage, { fill: '{uuid}' })).filled).toMatchObject([{ relation: 'tokens', rows: 2 }])
    expect(await stage.rows(`select xmlid from users order by id`)).toEqual([
      { xmlid: 'ada' },
      { xmlid: 'users.bob-b' },
      { xmlid: 'users.cyd-c' },
    ])
    // The application's own triggers see the update.
    expect(await stage.rows(`select "Code é" as code, touched from "Büro"."order" order by id`)).toEqual([
      { code: '{Büro} X Y!', touched: 1 },
      { code: 'o1', touched: 0 },
    ])
    expect((await identify(stage)).relations).toEqual([])
    expect((await stage.export()).files).toHaveLength(4)
  })

  test('are refused with every problem before any is written', async () => {
    const stage = await createStage(engine, SCHEMA + CONTENT, config)
    await stage.run(
      `update users set name = null where name like 'Cyd%'; insert into users (name) values ('ada'), ('x'), ('x')`,
    )
    await expect(
      identify(stage, { only: ['users', 'order'], fill: '{coalesce(nullif(xmlid, null), name)}' }),
    ).rejects.toMatchObject({
      code: 'IDENTIFY_REFUSED',
      message: 'the values for Büro.order.Code é cannot be made',
      detail: expect.stringContaining('xmlid'),
    })
    await expect(identify(stage, { only: ['users'], fill: '{name}' })).rejects.toMatchObject({
      code: 'IDENTIFY_REFUSED',
      detail:
        'users.xmlid: the template gives null for 1 row: id 3\n' +
        'users.xmlid: the template gives a value to several rows: x\n' +
        'users.xmlid: 1 row would get a value that another row has: ada',
    })
    await expect(identify(stage, { only: ['tokens'], fill: 'no uuid {id}' })).rejects.toMatchObject({
      code: 'IDENTIFY_REFUSED',
      detail: expect.stringContaining('invalid input syntax for type uuid'),
    })
    await expect(
      identify(stage, {
        only: ['users'],
        fill: '{1)::text as value from users t where $1::boolean) f; drop table users; select 1 from (select (1}',
      }),
    ).rejects.toMatchObject({
      code: 'IDENTIFY_REFUSED',
      detail: expect.stringContaining('multiple commands'),
    })
    expect(await stage.rows(`select count(*) as nulls from users where xmlid is null`)).toEqual([{ nulls: 5 }])
  })

  test('an identity that is a reference is listed, and left to a person', async () => {
    const stage = await createStage(
      engine,
      `${SCHEMA} create table profiles (id serial primary key, user_id int unique references users, bio text);
       insert into users (xmlid) values ('ada'); insert into profiles (bio) values ('x')`,
      { relations: { profiles: { identity: ['user_id'] } } },
    )
    expect((await identify(stage)).relations).toMatchObject([
      { relation: 'profiles', column: 'user_id', canBeFilled: false },
    ])
    await expect(identify(stage, { fill: '{uuid}' })).rejects.toMatchObject({
      detail: 'profiles.user_id: refers to another row, which no template can name',
    })
  })
})

test.each([
  ['{table}.{slug}', `'we"ird' || '.' || (slug)::text`],
  ["it's {{x}} {schema}", `'it''s ' || '{' || 'x' || '}' || ' ' || 'O''Neil'`],
  ['_{instance}', `'_' || '0a1b2c3d'`],
])('the template %s', (template, expression) => {
  const words = { instance: '0a1b2c3d-0000-4000-8000-000000000000' }
  expect(templateExpression(template, { schema: "O'Neil", name: 'we"ird' }, words)).toBe(expression)
})

test.each(['', '{', 'a}', '{}', '{ }', '{a{b}}'])('the template %j is refused', (template) => {
  expect(() => templateExpression(template, { schema: 's', name: 't' }, { instance: null })).toThrow(
    'cannot be understood',
  )
})
