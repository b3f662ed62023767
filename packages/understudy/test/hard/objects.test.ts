import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import { administer, engines, servers, urlOf } from '../support/engines.js'
import { createStage } from '../support/scenario.js'
import { errorOf, transfer } from './support.js'

const USERS = `create table users (id serial primary key, xmlid text not null unique);`

describe.each(engines)('partitions, inheritance and triggers on $name', (engine) => {
  test('partitioned tables of several levels travel through their root, and rows move to another partition', async () => {
    const { target } = await transfer(engine, {
      schema: `${USERS}
        create table logs (id serial, region text not null, day date, user_id int references users, note text, xmlid text, primary key (id, region, day), unique (xmlid, region, day)) partition by list (region);
        create table logs_eu partition of logs for values in ('eu', 'uk') partition by range (day); create table logs_eu_1 partition of logs_eu for values from ('2024-01-01') to ('2025-01-01');
        create table logs_eu_rest partition of logs_eu default; create table logs_rest (note text, day date not null, extra int, region text not null, user_id int, id int not null, xmlid text);
        alter table logs_rest drop column extra; alter table logs attach partition logs_rest default;
        create table marks (xmlid text primary key, log_id int, region text, day date, foreign key (log_id, region, day) references logs on update cascade, leaf_id int);`,
      source: `insert into users values (1, 'u1'), (2, 'u2');
        insert into logs (region, day, user_id, note, xmlid) values ('eu', '2024-05-01', 1, 'a', 'l1'), ('eu', '2030-01-01', 2, 'b', 'l2'), ('us', '2024-01-01', 1, 'c', 'l3'), ('uk', '2024-02-02', null, 'd', 'l4');
        insert into marks values ('m1', 1, 'eu', '2024-05-01'), ('m2', 3, 'us', '2024-01-01');`,
      target: `insert into users values (8, 'u2'), (9, 'u1');
        insert into logs (id, region, day, user_id, note, xmlid) values (51, 'us', '2024-05-01', 8, 'old', 'l1'), (52, 'eu', '2030-01-01', 8, 'b', 'l2'), (53, 'eu', '2024-01-01', 9, 'local', 'x');
        insert into marks values ('m1', 51, 'us', '2024-05-01');`,
      equal: [
        `select l.tableoid::regclass::text as part, l.xmlid, l.region, l.day::text, u.xmlid as u, l.note from logs l left join users u on u.id = l.user_id where l.xmlid <> 'x' order by l.xmlid`,
        `select m.xmlid, l.xmlid as log, m.region from marks m join logs l on l.id = m.log_id and l.region = m.region and l.day = m.day order by 1`,
      ],
      config: { relations: { logs: { identity: ['xmlid'] } } },
    })
    expect(await target.rows(`select count(*) as n from logs`)).toEqual([{ n: 5 }])
  })

  test('a foreign key that stands on a partition alone binds its rows, or is refused by name', async () => {
    const schema = `${USERS} create table logs (xmlid text, region text, user_id int, primary key (xmlid, region)) partition by list (region);
      create table logs_eu partition of logs for values in ('eu'); create table logs_us partition of logs for values in ('us'); alter table logs_eu add foreign key (user_id) references users;`
    const source = await createStage(
      engine,
      `${schema} insert into users values (1, 'u1'), (2, 'u2'); insert into logs values ('l', 'eu', 1)`,
    )
    const target = await createStage(engine, `${schema} insert into users values (1, 'somebody else')`)
    const error = await errorOf(source.export().then(({ path }) => target.import(path)))
    if (error.code !== 'none') expect(error.text).toMatch(/logs_eu/)
    else
      expect(await target.rows(`select u.xmlid from logs l join users u on u.id = l.user_id`)).toEqual([
        { xmlid: 'u1' },
      ])
  })

  test('parents and children of plain inheritance keep their own rows, once', async () => {
    await transfer(engine, {
      schema: `${USERS} create table animals (id serial primary key, xmlid text unique not null, name text, user_id int references users);
        create table cats (lives int, primary key (id), unique (xmlid), foreign key (user_id) references users) inherits (animals); create table kittens (foreign key (user_id) references users, unique (xmlid)) inherits (cats);
        create unlogged table notes (xmlid text primary key, animal_id int references animals);`,
      source: `insert into users values (1, 'u1'); insert into animals (xmlid, name, user_id) values ('a', 'ant', 1); insert into cats (xmlid, name, lives, user_id) values ('a', 'cat', 9, 1); insert into kittens (xmlid, name, user_id) values ('a', 'kit', 1); insert into notes values ('n', 1);`,
      target: `insert into users values (5, 'x'), (6, 'u1'); insert into animals (id, xmlid, name) values (40, 'a', 'old'); insert into cats (id, xmlid, name) values (41, 'a', 'old'), (42, 'local', ''); insert into kittens (id, xmlid, name) values (43, 'z', 'local');`,
      equal: [
        `select a.tableoid::regclass::text as t, a.xmlid, name, u.xmlid as u from animals a left join users u on u.id = user_id where name not in ('', 'local') order by 1`,
        `select a.name from notes n join only animals a on a.id = n.animal_id`,
      ],
    })
  })

  test('triggers keep their exact state on every leaf, and none fires', async () => {
    const { target } = await transfer(engine, {
      schema: `${USERS} create table fired (name text);
        create function fire() returns trigger language plpgsql as $$ begin insert into fired values (tg_table_name || '.' || tg_name); return new; end $$;
        create table t (xmlid text primary key, v text, user_id int references users deferrable initially deferred);
        ${['o', 'r', 'a', 'd'].map((name) => `create trigger ${name} before insert or update on t for each row execute function fire();`).join('')}
        create trigger "Statement ""s""" after insert or update or delete on t for each statement execute function fire();
        alter table t enable replica trigger r, enable always trigger a, disable trigger d;
        create table p (xmlid text, k int, v text, primary key (xmlid, k)) partition by list (k); create table p1 partition of p for values in (1); create table p2 partition of p default;
        ${['o', 'r', 'a', 'd'].map((name) => `create trigger ${name} after insert or update on p for each row execute function fire();`).join('')}
        create trigger leaf before insert on p2 for each row execute function fire();
        alter table p enable replica trigger r, enable always trigger a, disable trigger d; alter table p1 disable trigger o; alter table p2 enable always trigger leaf; alter table only p1 enable trigger d; alter table p2 enable always trigger r;
        create constraint trigger checked after insert on t deferrable initially deferred for each row execute function fire(); alter table t disable trigger checked;`,
      source: `alter table t disable trigger user; alter table p disable trigger user; insert into users values (1, 'u1'); insert into t values ('a', 'new', 1), ('b', 'new', 1); insert into p values ('a', 1, 'new'), ('b', 2, 'new');`,
      target: `alter table t disable trigger user; alter table p disable trigger user; begin; insert into t values ('a', 'old', null), ('z', '', null); commit; insert into p values ('a', 1, 'old');
        alter table t enable trigger o, enable replica trigger r, enable always trigger a, enable trigger "Statement ""s"""; alter table p enable trigger o, enable replica trigger r, enable always trigger a;
        alter table p1 disable trigger o; alter table p2 enable always trigger leaf; alter table only p1 enable trigger d; alter table p2 enable always trigger r;
        create table before as select tgrelid, tgname, tgenabled from pg_trigger;`,
      equal: [`select xmlid, v from t where xmlid <> 'z' order by 1`, `select * from p order by 1`],
      config: { exclude: ['before', 'fired'] },
    })
    expect(await target.rows(`select * from fired`)).toEqual([])
    expect(
      await target.rows(
        `select b.tgrelid::regclass::text as t, b.tgname, b.tgenabled, g.tgenabled as now from before b full join pg_trigger g using (tgrelid, tgname) where b.tgenabled is distinct from g.tgenabled`,
      ),
    ).toEqual([])
    expect(await target.rows(`select count(*) as n from pg_trigger where not tgisinternal`)).not.toEqual([{ n: 0 }])
  })

  test('what is configured for a table does not hold for one of the same name in another schema', async () => {
    const table = (schema: string) =>
      `create table ${schema}.items (xmlid text primary key, v text); create trigger bang before insert on ${schema}.items for each row execute function bang();`
    await transfer(engine, {
      schema: `create schema app; create function bang() returns trigger language plpgsql as $$ begin if tg_table_schema = 'app' then new.v := 'fired'; end if; return new; end $$; ${table('public')} ${table('app')}`,
      source: `alter table app.items disable trigger bang; insert into items values ('a', 'plain'); insert into app.items values ('a', 'plain');`,
      equal: [`select xmlid, v from items union all select xmlid, v from app.items`],
      config: { relations: { items: { triggers: 'fire' } } },
    })
  })

  test('views, materialized views, temporary and foreign tables and rules on the source are left alone', async () => {
    const objects = `create view seen as select * from users; create materialized view kept as select * from users; create temporary table gone (a int);
      create foreign data wrapper nowhere; create server far foreign data wrapper nowhere; create foreign table abroad (a int) server far;`
    const source = await createStage(
      engine,
      `${USERS} ${objects} insert into users values (1, 'u1'); create rule r as on delete to users do instead nothing;`,
    )
    const target = await createStage(engine, `${USERS} ${objects} insert into users values (7, 'x')`)
    const result = await target.import((await source.export()).path)
    expect(result.plan.relations.map(({ relation }) => relation)).toEqual(['users'])
    const ruled = await createStage(engine, `${USERS} create rule "My rule" as on insert to users do also notify x;`)
    const error = await errorOf(ruled.import((await source.export()).path))
    expect(error).toMatchObject({ code: 'IMPORT_INCOMPATIBLE', text: expect.stringMatching(/users.*My rule/s) })
  })

  test('materialized views are refreshed where the configuration says so, those that others read first', async () => {
    const schema = `create schema "App s"; create table sales (code text primary key, amount int);
      create function rate() returns int language plpgsql as $$ begin return (select count(*) from public.sales); end $$;
      create materialized view "App s"."a Total" as select sum(amount) as total, rate() as rows from sales with no data;
      create view between_them as select total from "App s"."a Total";
      create materialized view aa_last as select total * 10 as tenfold from between_them with no data; create materialized view never as select 1 as one with no data;`
    const source = await createStage(engine, `${schema} insert into sales values ('a', 1), ('b', 2)`)
    const { path } = await source.export()
    const target = await createStage(engine, schema, { refresh: ['aa_last', 'App s.*'] })
    await target.import(path)
    expect(await target.rows(`select total, rows from "App s"."a Total"`)).toEqual([{ total: 3, rows: 2 }])
    expect(await target.rows(`select tenfold from aa_last`)).toEqual([{ tenfold: 30 }])
    expect(await target.rows(`select relispopulated from pg_class where relname = 'never'`)).toEqual([
      { relispopulated: false },
    ])

    const mistaken = await createStage(engine, schema, { refresh: ['aa_last', 'between_them', 'nowhere'] })
    const error = await errorOf(mistaken.import(path))
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.text).toMatch(/between_them.*nowhere/s)
    expect(await mistaken.rows(`select * from sales`)).toEqual([])
  })

  test('triggers that fire and change a key or drop a row end the import with the relation named', async () => {
    const schema = (body: string) => `create table users (id serial primary key, xmlid text not null unique, name text);
      create function meddle() returns trigger language plpgsql as $$ begin ${body} end $$; create trigger meddle before insert or update on users for each row execute function meddle();`
    const source = await createStage(
      engine,
      `${USERS} alter table users add name text; insert into users values (1, 'u1', 'ada'), (2, 'u2', 'bob')`,
    )
    const { path } = await source.export()
    for (const body of [
      `new.xmlid := upper(new.xmlid); return new;`,
      `new.id := new.id + 100; new.name := 'other'; return new;`,
      `if new.xmlid = 'u2' then return null; end if; return new;`,
    ]) {
      const target = await createStage(engine, schema(body), { triggers: 'fire' })
      await target.run(
        `alter table users disable trigger meddle; insert into users (xmlid, name) values ('u1', 'old'); alter table users enable trigger meddle`,
      )
      const error = await errorOf(target.import(path))
      expect(error).toMatchObject({ code: 'IMPORT_COUNT_MISMATCH', text: expect.stringMatching(/users/) })
      expect(await target.rows('select xmlid, name from users')).toEqual([{ xmlid: 'u1', name: 'old' }])
    }
    const born = await createStage(
      engine,
      `create table notes (id serial primary key, text text); insert into notes (text) values ('x')`,
    )
    const fired = await createStage(
      engine,
      `create table notes (id serial primary key, text text); create function fine() returns trigger language plpgsql as $$ begin return new; end $$; create trigger fine before insert on notes for each row execute function fine();`,
      { triggers: 'fire' },
    )
    await fired.run(`select nextval('notes_id_seq')`)
    await fired.import((await born.export()).path)
    expect(await fired.rows('select text from notes')).toEqual([{ text: 'x' }])
    const harmless = await createStage(
      engine,
      `${schema('insert into seen values (new.xmlid); return new;')} create table seen (xmlid text)`,
      {
        triggers: 'fire',
        exclude: ['seen'],
      },
    )
    await harmless.import(path)
    expect(await harmless.rows('select xmlid from seen order by 1')).toEqual([{ xmlid: 'u1' }, { xmlid: 'u2' }])
  })

  test('a trigger that fires and gives a new row another key is found, for rows that refer to it would miss it', async () => {
    const schema = `create table users (id serial primary key, xmlid text not null unique); create table posts (xmlid text primary key, user_id int references users);`
    const source = await createStage(
      engine,
      `${schema} insert into users values (1, 'u1'); insert into posts values ('p', 1)`,
    )
    const target = await createStage(
      engine,
      `${schema} insert into users values (50, 'local'); create function move() returns trigger language plpgsql as $$ begin new.id := new.id + 49; return new; end $$;
       create trigger move before insert on users for each row execute function move();`,
      { triggers: 'fire' },
    )
    const error = await errorOf(target.import((await source.export()).path))
    if (error.code === 'none') {
      expect(await target.rows('select u.xmlid from posts p join users u on u.id = p.user_id')).toEqual([
        { xmlid: 'u1' },
      ])
    } else expect(error.text).toMatch(/users|posts/)
  })

  test('a deferred constraint trigger that names a table without its schema runs with the path of the database', async () => {
    await transfer(engine, {
      schema: `create table accounts (id int generated always as identity primary key, code text unique not null); create table seen (code text primary key);
        create function see() returns trigger language plpgsql as $$ begin insert into seen values (new.code) on conflict do nothing; return null; end $$;
        create constraint trigger see after insert on accounts deferrable initially deferred for each row execute function see();`,
      source: `insert into accounts (code) values ('a'), ('b');`,
      target: `insert into accounts (code) values ('local'), ('b'); delete from seen where code = 'b';`,
      equal: [
        `select code from accounts where code <> 'local' order by 1`,
        `select code from seen where code <> 'local' order by 1`,
      ],
    })
  })

  test('a partition that is a foreign table is refused by name', async () => {
    const source = await createStage(
      engine,
      `create foreign data wrapper nowhere; create server far foreign data wrapper nowhere;
       create table logs (xmlid text, k int) partition by list (k); create table logs_1 partition of logs for values in (1); create foreign table logs_2 partition of logs for values in (2) server far;
       insert into logs values ('a', 1)`,
    )
    const error = await errorOf(source.export())
    expect(error).toMatchObject({
      code: expect.stringMatching(/^[A-Z]+_[A-Z_]+$/),
      text: expect.stringMatching(/logs_2/),
    })
  })
})

describe.each(servers)('roles on $name', (engine) => {
  test('a role that row security filters gets an error that names the table, and no archive', async () => {
    const source = await createStage(
      engine,
      `${USERS} insert into users values (1, 'u1'), (2, 'u2'); alter table users enable row level security; create policy part on users using (id = 1)`,
    )
    const [row] = await source.rows<{ name: string }>('select current_database()::text as name')
    const role = `filtered_${row?.name}`
    await administer(engine.server, `create role ${role} login password 'x'`)
    await source.run(`grant select on all tables in schema public to ${role}`)
    const database = await openDatabase(urlOf(engine.server, { role, password: 'x', database: row?.name ?? '' }))
    const error = await errorOf(source.export({ database }))
    await database.close()
    await source.run(`drop owned by ${role}`)
    await administer(engine.server, `drop role ${role}`)
    expect(error).toMatchObject({
      code: expect.stringMatching(/^[A-Z]+_[A-Z_]+$/),
      text: expect.stringMatching(/users/),
    })
  })

  test('a role that may not read or write a table gets an error that names it', async () => {
    const source = await createStage(engine, `${USERS} insert into users values (1, 'u1')`)
    const [row] = await source.rows<{ name: string }>('select current_database()::text as name')
    const role = `powerless_${row?.name}`
    await administer(engine.server, `create role ${role} login password 'x'`)
    const { path } = await source.export()
    const database = await openDatabase(urlOf(engine.server, { role, password: 'x', database: row?.name ?? '' }))
    const exported = await errorOf(source.export({ database }))
    const imported = await errorOf(source.import(path, { database }))
    await database.close()
    await administer(engine.server, `drop role ${role}`)
    expect(exported).toMatchObject({
      code: expect.stringMatching(/^[A-Z]+_[A-Z_]+$/),
      text: expect.stringMatching(/users/),
    })
    expect(imported).toMatchObject({ code: expect.stringMatching(/^[A-Z]+_[A-Z_]+$/) })
  })
})
