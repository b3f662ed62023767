import { describe, expect, test } from 'vitest'
import { engines } from '../support/engines.js'
import { countsOf, createStage } from '../support/scenario.js'
import { errorOf, expectNothingToDo, transfer } from './support.js'

const USERS = `create table users (id serial primary key, xmlid text not null unique, name text);`

describe.each(engines)('references on $name', (engine) => {
  test('circles that must not be null, over two and three tables and to the row itself, arrive new and changed', async () => {
    await transfer(engine, {
      schema: `
        create table a (id serial primary key, xmlid text unique, b_id int not null); create table b (id serial primary key, xmlid text unique, a_id int not null references a);
        alter table a add foreign key (b_id) references b deferrable initially deferred;
        create table c (id serial primary key, xmlid text unique, d_id int not null); create table d (id serial primary key, xmlid text unique, e_id int not null);
        create table e (id serial primary key, xmlid text unique, c_id int not null references c deferrable); alter table c add foreign key (d_id) references d deferrable; alter table d add foreign key (e_id) references e deferrable;
        create table self (id serial primary key, xmlid text unique, me int not null references self);`,
      source: `with x as (insert into a values (1, 'a1', 2), (2, 'a2', 1)) insert into b values (1, 'b1', 1), (2, 'b2', 2);
        begin; set constraints all deferred; insert into c values (1, 'c1', 1), (2, 'c2', 1); insert into d values (1, 'd1', 1); insert into e values (1, 'e1', 2); commit;
        insert into self values (1, 's1', 1), (2, 's2', 1), (3, 's3', 3);`,
      target: `with x as (insert into a values (71, 'a2', 71), (72, 'ax', 72)) insert into b values (71, 'b2', 71), (72, 'bx', 72);
        begin; set constraints all deferred; insert into c values (81, 'c2', 81); insert into d values (81, 'dx', 81); insert into e values (81, 'e1', 81); commit;
        insert into self values (91, 's2', 91), (92, 's3', 91);`,
      equal: [
        `select a.xmlid as a, b.xmlid as b, a2.xmlid as a2 from a join b on b.id = a.b_id join a a2 on a2.id = b.a_id where a.xmlid <> 'ax' order by 1`,
        `select c.xmlid as c, d.xmlid as d, e.xmlid as e, c2.xmlid as c2 from c join d on d.id = c.d_id join e on e.id = d.e_id join c c2 on c2.id = e.c_id order by 1`,
        `select s.xmlid, m.xmlid as me from self s join self m on m.id = s.me order by 1`,
      ],
    })
  })

  test('composite, overlapping and half-null references keep every part', async () => {
    await transfer(engine, {
      schema: `create table tenants (id serial primary key, slug text unique not null);
        create table a (tenant_id int references tenants, id serial, xmlid text unique, primary key (tenant_id, id));
        create table b (tenant_id int references tenants, code text, primary key (tenant_id, code));
        create table links (xmlid text primary key, tenant_id int, a_id int, b_code text, foreign key (tenant_id, a_id) references a, foreign key (tenant_id, b_code) references b);`,
      source: `insert into tenants (slug) values ('t1'), ('t2'); insert into a (tenant_id, xmlid) values (1, 'a1'), (2, 'a2'); insert into b values (1, 'b'), (2, 'b');
        insert into links values ('both', 2, 2, 'b'), ('half', 1, null, 'b'), ('only tenant', 2, null, null), ('only code', null, null, 'nowhere'), ('none', null, null, null);`,
      target: `insert into tenants (id, slug) values (50, 't2'), (51, 'x'); insert into a values (50, 70, 'a2'); insert into b values (51, 'b');`,
      equal: [
        `select l.xmlid, t.slug, a.xmlid as a, l.b_code from links l left join tenants t on t.id = l.tenant_id left join a on a.tenant_id = l.tenant_id and a.id = l.a_id order by 1`,
      ],
    })
  })

  // Both sides change in one statement, at whose end the key is checked.
  test.each(['no action', 'restrict', 'cascade'])(
    'a part of a composite key that is no identity changes together with what refers to it (on update %s)',
    async (action) => {
      await transfer(engine, {
        schema: `create table shops (id serial, xmlid text not null unique, zone int not null, primary key (id, zone));
          create table stands (xmlid text primary key, shop int, zone int, note text, foreign key (shop, zone) references shops on update ${action});`,
        source: `insert into shops values (1, 'a', 2), (2, 'b', 1), (3, 'new', 1); insert into stands values ('x', 1, 2, 'n'), ('y', 1, 2, 'new'), ('z', 2, 1, 'same'), ('w', 3, 1, null);`,
        target: `insert into shops values (11, 'a', 0), (12, 'b', 0); insert into stands values ('x', 12, 0, 'o'), ('z', 12, 0, 'same');`,
        equal: [
          `select xmlid, zone from shops order by 1`,
          `select t.xmlid, s.xmlid as shop, t.zone, t.note from stands t left join shops s on s.id = t.shop and s.zone = t.zone order by 1`,
        ],
      })
    },
  )

  test('a number beside a null in a half-null reference is not lost in silence', async () => {
    const schema = `create table tenants (id serial primary key, slug text unique not null);
      create table a (tenant_id int references tenants, id serial, xmlid text unique, primary key (tenant_id, id));
      create table links (xmlid text primary key, tenant_id int, a_id int, foreign key (tenant_id, a_id) references a);`
    const source = await createStage(engine, `${schema} insert into links values ('l', null, 5)`)
    const target = await createStage(engine, schema)
    const error = await errorOf(source.export().then(({ path }) => target.import(path)))
    if (error.code !== 'none') expect(error.text).toMatch(/links/)
    else expect(await target.rows(`select a_id from links`)).toEqual([{ a_id: 5 }])
  })

  test('nor is one that is looked up by less than its whole key', async () => {
    const schema = `create table firms (id serial primary key, xmlid text unique not null); create table sales (firm_id int references firms, year int, primary key (firm_id, year));
      create table notes (id serial primary key, firm_id int, year int, body text, foreign key (firm_id, year) references sales);`
    const stage = await createStage(
      engine,
      `${schema} insert into firms values (1, 'f'); insert into notes (firm_id, year, body) values (1, null, 'known'), (777, null, 'nobody');`,
    )
    expect(await errorOf(stage.export())).toMatchObject({
      code: 'IDENTITY_PREFLIGHT',
      text: expect.stringMatching(/notes: 1 row whose firm_id points to no row.*777/s),
    })
  })

  test('a table of a composite natural key that refers to itself by it is known by that key', async () => {
    await transfer(engine, {
      schema: `create table tenants (code char(2) primary key);
        create table accounts (tenant char(2) not null references tenants, number text, name text, parent text, primary key (tenant, number), foreign key (tenant, parent) references accounts);
        create table firms (id serial primary key, tenant char(2) not null references tenants, name text not null, contact_id int, unique (tenant, id), unique (tenant, name));
        create table contacts (id serial primary key, tenant char(2) not null, firm_id int not null, name text not null, unique (firm_id, name), unique (tenant, id), foreign key (tenant, firm_id) references firms (tenant, id));
        alter table firms add foreign key (tenant, contact_id) references contacts (tenant, id);`,
      source: `insert into tenants values ('a'), ('b'); insert into accounts values ('a', '1', 'one', null), ('a', '11', 'eleven', '1'), ('b', '1', 'other', null);
        insert into firms (tenant, name) values ('a', 'f'), ('a', 'g'); insert into contacts (tenant, firm_id, name) values ('a', 1, 'Ada'), ('a', 2, 'Ada'), ('a', 2, 'Bo'); update firms set contact_id = id;`,
      target: `insert into tenants values ('a'), ('z'); insert into accounts values ('a', '2', 'local', null), ('a', '11', 'old', '2'), ('z', '1', 'local', null);
        insert into firms values (5, 'a', 'g', null), (1, 'z', 'local', null); insert into contacts values (1, 'a', 5, 'Bo'), (2, 'z', 1, 'Own'); update firms set contact_id = id - 4 where id = 5;
        select setval('firms_id_seq', 5), setval('contacts_id_seq', 2);`,
      equal: [
        `select * from accounts where tenant <> 'z' and number <> '2' order by 1, 2`,
        `select f.tenant, f.name, c.name as contact, o.name as its_firm from firms f join contacts c on c.id = f.contact_id join firms o on o.id = c.firm_id order by 1, 2`,
        `select c.tenant, f.name as firm, c.name from contacts c join firms f on f.id = c.firm_id where c.tenant <> 'z' order by 1, 2, 3`,
      ],
    })
  })

  test('the column that decides between targets may be a reference itself, and the targets be known by values of different types', async () => {
    const { target } = await transfer(engine, {
      schema: `create table content_types (id serial primary key, app text not null, model text not null, unique (app, model));
        create table products (id serial primary key, guid uuid not null unique); ${USERS}
        create table tagged (id serial primary key, type_id int references content_types, object_id text, tag text not null unique);`,
      source: `insert into content_types (app, model) values ('auth', 'user'), ('shop', 'product'), ('web', 'link');
        insert into users (xmlid) values ('u1'), ('u2'); insert into products (guid) values ('11111111-1111-1111-1111-111111111111'), ('22222222-2222-2222-2222-222222222222');
        insert into tagged (type_id, object_id, tag) values (1, '2', 'user 2'), (2, '1', 'product 1'), (2, '2', 'product 2'), (3, 'https://a.example/', 'link'), (null, '2', 'nothing'), (1, null, 'nobody');`,
      target: `insert into content_types (app, model) values ('shop', 'product'), ('auth', 'user'); insert into products (id, guid) values (7, '22222222-2222-2222-2222-222222222222'), (2, '33333333-3333-3333-3333-333333333333');
        select setval('products_id_seq', 7); insert into tagged (type_id, object_id, tag) values (1, '7', 'product 2'), (1, '2', 'product 1');`,
      config: {
        references: {
          'tagged.object_id': {
            by: 'type_id',
            to: { '["auth", "user"]': 'users.id', '["shop","product"]': 'products.id' },
          },
        },
      },
      equal: [
        `select t.tag, c.model, coalesce(u.xmlid, p.guid::text, object_id) as object from tagged t left join content_types c on c.id = type_id
           left join users u on model = 'user' and u.id::text = object_id left join products p on model = 'product' and p.id::text = object_id order by 1`,
      ],
    })
    expect(await target.rows(`select object_id from tagged where tag in ('link', 'product 2') order by tag`)).toEqual([
      { object_id: 'https://a.example/' },
      { object_id: '7' },
    ])
  })

  test('a reference with several targets may be part of an identity', async () => {
    const to = { user: 'users.id', photo: 'photos.id' }
    const { source, target } = await transfer(engine, {
      schema: `${USERS} create table photos (id serial primary key, code text not null, album int not null, unique (code, album));
        create table votes (voter_id int not null references users, type text not null, record_id int not null, value int, primary key (voter_id, type, record_id));
        create table replies (id serial primary key, xmlid text unique, voter_id int, type text, record_id int, foreign key (voter_id, type, record_id) references votes);`,
      source: `insert into users (xmlid) values ('u1'), ('u2'), ('u3'); insert into photos (code, album) values ('a', 1), ('b', 1), ('b', 2);
        insert into votes values (1, 'user', 2, 5), (1, 'user', 3, 6), (1, 'photo', 2, 7), (1, 'photo', 3, 8), (2, 'photo', 3, 9), (2, 'page', 4, 1);
        insert into replies (xmlid, voter_id, type, record_id) values ('r1', 1, 'photo', 3), ('r2', 1, 'user', 3);`,
      target: `insert into users (id, xmlid) values (11, 'u3'), (12, 'u1'); insert into photos (id, code, album) values (11, 'b', 2), (12, 'x', 1);
        insert into votes values (12, 'user', 11, 0), (12, 'photo', 11, 0), (12, 'photo', 12, 3); select setval('users_id_seq', 12), setval('photos_id_seq', 12);`,
      config: { references: { 'votes.record_id': { by: 'type', to }, 'replies.record_id': { by: 'type', to } } },
      equal: [votes(`where p.code is distinct from 'x'`)],
    })
    expect(await target.rows(votes(`where p.code = 'x'`))).toMatchObject([{ value: 3 }])
    await source.run(`update votes set value = 66 where type = 'user' and record_id = 3`)
    const again = await target.import((await source.export()).path)
    expect(countsOf(again)).toMatchObject({ votes: 'update 1, same 5' })
    expect(await target.rows(votes(`where value = 66`))).toMatchObject([{ voter: 'u1', record: 'u3', reply: 'r2' }])
  })

  test('a column that cannot decide between targets is refused by name, with what to write', async () => {
    const schema = `${USERS} create table types (id serial primary key, app text not null, model text not null, unique (app, model));
      create table tagged (id serial primary key, type_id int references types, object_id int, object_ids int[]);`
    const by = { by: 'type_id', to: { 1: 'users.id' } }
    const stage = await createStage(engine, schema, { references: { 'tagged.object_id': by } })
    expect(await errorOf(stage.export())).toMatchObject({
      code: 'MODEL_INVALID',
      text: expect.stringContaining(`name the row by its identity: '["<app>","<model>"]'`),
    })
    const lists = await createStage(engine, schema, { references: { 'tagged.object_ids': by } })
    expect(await errorOf(lists.export())).toMatchObject({
      code: 'MODEL_INVALID',
      text: expect.stringMatching(/object_ids: by type_id: .*a list/),
    })
  })

  test('a reference that is not valid travels where its rows exist, and names the row where one does not', async () => {
    const schema = `${USERS} create table posts (xmlid text primary key, user_id int);`
    const constrain = `alter table posts add foreign key (user_id) references users not valid;`
    const source = await createStage(
      engine,
      `${schema} insert into users values (1, 'u1', ''); insert into posts values ('good', 1), ('bad', 99); ${constrain}`,
    )
    expect(await errorOf(source.export())).toMatchObject({
      code: 'IDENTITY_PREFLIGHT',
      text: expect.stringMatching(/posts.*user_id.*99/s),
    })
    await source.run(`delete from posts where xmlid = 'bad'`)
    const target = await createStage(engine, `${schema} ${constrain} insert into users values (7, 'x', '')`)
    await target.import((await source.export()).path)
    expect(await target.rows(`select u.xmlid from posts p join users u on u.id = p.user_id`)).toEqual([{ xmlid: 'u1' }])
    expect(await target.rows(`select convalidated from pg_constraint where contype = 'f'`)).toEqual([
      { convalidated: false },
    ])
  })

  test('a referenced value that is not the identity may change, together with what refers to it', async () => {
    await transfer(engine, {
      schema: `create table countries (id serial primary key, xmlid text unique not null, code text unique not null); create table cities (xmlid text primary key, code text references countries (code), note text);`,
      source: `insert into countries values (1, 'de', 'DEU'), (2, 'cz', 'CZE'); insert into cities values ('berlin', 'DEU', ''), ('praha', 'CZE', '');`,
      target: `insert into countries values (7, 'de', 'GER'), (8, 'cz', 'CZE'); insert into cities values ('berlin', 'GER', ''), ('praha', 'CZE', '');`,
      equal: [`select xmlid, code from cities order by 1`, `select xmlid, code from countries order by 1`],
    })
  })

  test('an update that cascades does not carry along a row that the archive leaves as it was', async () => {
    await transfer(engine, {
      schema: `create table countries (id serial primary key, xmlid text unique not null, code text unique not null); create table cities (xmlid text primary key, code text references countries (code) on update cascade);`,
      source: `insert into countries values (1, 'old', 'X'), (2, 'new', 'A'); insert into cities values ('praha', 'A');`,
      target: `insert into countries values (7, 'old', 'A'); insert into cities values ('praha', 'A');`,
      equal: [`select i.xmlid, o.xmlid as country from cities i join countries o on o.code = i.code`],
    })
  })

  test('an update that cascades carries no row along that is known by its content either', async () => {
    const visits = (keys: string) =>
      `visits (${keys} code text references countries (code) on update cascade, note text);`
    const schema = `create table countries (id serial primary key, xmlid text unique not null, code text unique not null);`
    const [source, target] = [
      `insert into countries values (1, 'old', 'X'), (2, 'new', 'A'); insert into visits (code, note) values ('A', 'v'), ('A', 'v'), ('X', 'w');`,
      `insert into countries values (7, 'old', 'A'); insert into visits (code, note) values ('A', 'v'), ('A', 'v'), ('A', 'w');`,
    ]
    await transfer(engine, {
      schema: `${schema} create table ${visits('id serial primary key,')}`,
      source,
      target,
      equal: [`select v.note, c.xmlid from visits v join countries c using (code) where note = 'v' order by 1, 2`],
      config: { relations: { visits: { identity: 'content' } } },
    })
    // Rows without a key cannot be found again when they were carried along: they are known beforehand by how they will read.
    const keyless = await transfer(engine, {
      schema: `${schema} create table ${visits('')}`,
      source,
      target,
      equal: [`select v.note, c.xmlid from visits v join countries c using (code) order by 1, 2`],
      config: { relations: { visits: { identity: 'content' } } },
    })
    expect(countsOf(keyless.result)).toMatchObject({ visits: 'insert 2, delete 2, same 1' })
  })

  test('an update that cascades leaves rows alone that the same import brought and that only their origin names', async () => {
    await transfer(engine, {
      schema: `create table countries (id serial primary key, xmlid text unique not null, code text unique not null);
        create table visits (id serial primary key, code text not null references countries (code) on update cascade, note text);`,
      source: `insert into countries values (1, 'old', 'X'), (2, 'new', 'A'); insert into visits values (1, 'A', 'a'), (2, 'X', 'b');`,
      target: `insert into countries values (7, 'old', 'A');`,
      equal: [`select v.note, c.xmlid from visits v join countries c using (code) order by 1`],
    })
  })

  test('an update that cascades to a relation without changes of its own fires no trigger there', async () => {
    const { target } = await transfer(engine, {
      schema: `create table countries (id serial primary key, xmlid text unique not null, code text unique not null);
        create table cities (xmlid text primary key, code text unique references countries (code) on update cascade); create table streets (xmlid text primary key, code text references cities (code) on update cascade);
        create function bang() returns trigger language plpgsql as $$ begin raise exception '% fired', tg_table_name; end $$;
        create trigger bang before update on cities for each row execute function bang(); create trigger bang after update on streets for each statement execute function bang();`,
      source: `insert into countries values (1, 'x', 'NEW');`,
      target: `insert into countries values (7, 'x', 'OLD'); insert into cities values ('c', 'OLD'); insert into streets values ('s', 'OLD');`,
      equal: [`select xmlid, code from countries`],
    })
    expect(await target.rows('select s.code from streets s join cities c using (code)')).toEqual([{ code: 'NEW' }])
    expect(await target.rows(`select distinct tgenabled from pg_trigger where tgname = 'bang'`)).toEqual([
      { tgenabled: 'O' },
    ])
  })

  test('a row known by its content is not doubled because what it refers to is written otherwise', async () => {
    const names = ['marks', 'dots', 'owned', 'above', 'below']
    const { target, result } = await transfer(engine, {
      schema: `create table rates (id serial primary key, rate numeric unique not null); create table scales (id serial primary key, rate_id int not null references rates, step int not null, unique (rate_id, step));
        create table marks (rate_id int references rates, note text); create table dots (id serial primary key, scale_id int references scales, note text);
        create table owned (id serial primary key, rate_id int references rates, note text);
        create table above (id serial primary key, rate_id int references rates, note text); create table below (above_id int references above, note text);`,
      source: `insert into rates values (1, 1.0), (2, 2); insert into scales values (1, 1, 5), (2, 2, 5); insert into marks values (1, 'x'), (1, 'x'), (2, 'y'); insert into dots (scale_id, note) values (1, 'x'), (1, 'x'), (2, 'y');
        insert into owned (rate_id, note) values (1, 'x'), (2, 'y'); insert into above values (1, 1, 'x'), (2, 2, 'y'); insert into below values (1, 'x'), (1, 'new'), (2, 'y');`,
      target: `insert into rates values (7, 1.00); insert into scales values (3, 7, 5); insert into marks values (7, 'x'), (7, 'local'); insert into dots values (90, 3, 'x'), (91, 3, 'local');
        insert into owned values (90, 7, 'x'), (91, 7, 'gone'); insert into above values (90, 7, 'x'); insert into below values (90, 'x');`,
      equal: names.map((name) => `select note, count(*) as n from ${name} where note <> 'local' group by 1 order by 1`),
      config: {
        relations: {
          marks: { identity: 'content', owner: null },
          dots: { identity: 'content', owner: null },
          owned: { owner: 'rate_id' },
          above: { identity: 'content', owner: null },
          below: { identity: 'content', owner: null },
          rates: { identity: ['rate'] },
          scales: { identity: ['rate_id', 'step'] },
        },
      },
    })
    expect(countsOf(result)).toMatchObject({
      marks: 'insert 2, same 1',
      dots: 'insert 2, same 1',
      owned: 'insert 1, delete 1, same 1',
      above: 'insert 1, same 1',
      below: 'insert 2, same 1',
    })
    expect(
      await target.rows(`select (select count(*) from marks) as marks, (select count(*) from dots) as dots`),
    ).toEqual([{ marks: 4, dots: 4 }])
    expect(
      await target.rows(
        `select id from owned where id = 90 union all select above_id from below where note in ('x', 'new')`,
      ),
    ).toEqual([{ id: 90 }, { id: 90 }, { id: 90 }])
  })

  test('a row known by its content is not doubled whatever type it is that is written otherwise', async () => {
    const kinds = [
      ['interval', `'1 day'`, `'24 hours'`],
      ['numeric[]', `'{1.0}'`, `'{1.00}'`],
      ['pair', `'(1.0,x)'`, `'(1.00,x)'`],
      ['numeric_domain', '1.0', '1.00'],
      ['double precision', `'0'`, `'-0'`],
      ...(engine.name === 'PGlite' ? [] : [['text collate loose', `'Red'`, `'RED'`]]),
    ] as const
    const loose =
      engine.name === 'PGlite'
        ? ''
        : `create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);`
    const content = (side: 1 | 2) =>
      kinds.map(
        (kind, index) =>
          `insert into k${index} values (${side}, ${kind[side]}); insert into c${index} values (${side}, 'x');`,
      )
    const { result } = await transfer(engine, {
      schema: `${loose} create type pair as (a numeric, b text); create domain numeric_domain as numeric;
        ${kinds.map(([type], index) => `create table k${index} (id serial primary key, k ${type} not null unique); create table c${index} (k_id int references k${index}, note text);`).join('\n')}`,
      source: content(1).join('\n'),
      target: content(2).join('\n'),
      equal: kinds.map((_, index) => `select k::text, note from c${index} join k${index} on id = k_id`),
      config: {
        relations: Object.fromEntries(
          kinds.flatMap((_, index) => [
            [`k${index}`, { identity: ['k'] }],
            [`c${index}`, { identity: 'content' as const, owner: null }],
          ]),
        ),
      },
    })
    expect(countsOf(result)).toMatchObject(Object.fromEntries(kinds.map((_, index) => [`c${index}`, 'same 1'])))
  })

  test('a row known by its content is not doubled because a cascade carries it along', async () => {
    const { target, result } = await transfer(engine, {
      schema: `create table countries (id serial primary key, xmlid text unique not null, code text unique not null);
        create table visits (code text references countries (code) on update cascade, note text); create table stays (id serial primary key, code text references countries (code) on update cascade, note text);`,
      source: `insert into countries values (1, 'de', 'DEU'), (2, 'cz', 'CZE'); insert into visits values ('DEU', 'v'), ('CZE', 'v'); insert into stays (code, note) values ('DEU', 'v'), ('CZE', 'v');`,
      target: `insert into countries values (7, 'de', 'GER'); insert into visits values ('GER', 'v'); insert into stays values (90, 'GER', 'v'), (91, 'GER', 'local');`,
      equal: ['visits', 'stays'].map((name) => `select code, note from ${name} where note <> 'local' order by 1`),
      config: { relations: { visits: { identity: 'content' }, stays: { identity: 'content', owner: null } } },
    })
    expect(countsOf(result)).toMatchObject({ visits: 'insert 1, same 1', stays: 'insert 1, same 1' })
    expect(await target.rows(`select id, code from stays where id in (90, 91) order by id`)).toEqual([
      { id: 90, code: 'DEU' },
      { id: 91, code: 'DEU' },
    ])
  })

  test('nor because a cascade carries it along by a key of several columns, one of them a reference', async () => {
    const { target, result } = await transfer(engine, {
      schema: `create table regions (id serial primary key, xmlid text unique not null);
        create table towns (xmlid text primary key, region_id int references regions, code text, unique (region_id, code));
        create table visits (region_id int, code text, note text, foreign key (region_id, code) references towns (region_id, code) on update cascade);`,
      source: `insert into regions values (1, 'n'), (2, 's'); insert into towns values ('a', 1, 'AA'), ('b', 2, 'X');
        insert into visits values (1, 'AA', 'v'), (2, 'X', 'v');`,
      target: `insert into regions values (1, 's'), (2, 'n'); insert into towns values ('a', 2, 'X'), ('b', 1, 'X');
        insert into visits values (2, 'X', 'v'), (1, 'X', 'v');`,
      equal: [`select xmlid, code, note from visits join regions on id = region_id order by 1`],
      config: { relations: { visits: { identity: 'content', owner: null } } },
    })
    expect(countsOf(result)).toMatchObject({ towns: 'update 1, same 1', visits: 'same 2' })
    expect(await target.rows('select count(*) from visits')).toEqual([{ count: 2 }])
  })

  test('a row of the target that a cascade carries along is not taken for one that bears its value from then on', async () => {
    const { target, result } = await transfer(engine, {
      schema: `create table countries (id serial primary key, xmlid text unique not null, code text unique not null);
        create table visits (id serial primary key, code text references countries (code) on update cascade, note text);`,
      source: `insert into countries values (1, 'new', 'A'), (2, 'old', 'B'); insert into visits values (1, 'A', 'v');`,
      target: `insert into countries values (7, 'old', 'A'); insert into visits values (90, 'A', 'v');`,
      equal: [`select note, xmlid from visits join countries using (code) where xmlid = 'new'`],
      config: { relations: { visits: { identity: 'content', owner: null } } },
    })
    expect(countsOf(result)).toMatchObject({ visits: 'insert 1' })
    expect(await target.rows('select xmlid from visits join countries using (code) where visits.id = 90')).toEqual([
      { xmlid: 'old' },
    ])
  })

  test('what deletes cascade to is counted, and goes no further than the archive says', async () => {
    const schema = `create table books (id serial primary key, xmlid text unique); create table pages (id serial primary key, book_id int references books on delete cascade, text text);
      create table marks (xmlid text primary key, page_id int references pages on delete set null);`
    const config = { relations: { pages: { owner: 'book_id' } }, exclude: ['marks'] }
    const source = await createStage(
      engine,
      `${schema} insert into books values (1, 'b'); insert into pages values (1, 1, 'one'), (2, 1, 'two')`,
      config,
    )
    const target = await createStage(engine, schema, config)
    const first = await source.export()
    await target.import(first.path, { mode: 'init' })
    await target.run(`insert into marks select 'm', id from pages where text = 'two'`)
    await source.run(`delete from pages where text = 'two'`)
    const second = await source.export()
    const result = await target.import(second.path)
    expect(result.plan.relations.find(({ relation }) => relation === 'pages')).toMatchObject({
      deletes: 1,
      inserts: 0,
      unchanged: 1,
    })
    expect(JSON.stringify(result.plan)).toMatch(/marks/)
    await expectNothingToDo(target, second.path)
  })

  test('a missing target is listed where the column is a domain that must not be null', async () => {
    const schema = `create domain number as int not null; create table rooms (id serial primary key, xmlid text unique); create table doors (xmlid text primary key, room number references rooms);`
    const source = await createStage(
      engine,
      `${schema} insert into rooms values (1, 'r'); insert into doors values ('d', 1)`,
    )
    const target = await createStage(engine, schema)
    const error = await errorOf(target.import((await source.export({ exclude: ['rooms'] })).path))
    expect(error).toMatchObject({ code: 'IMPORT_REFUSED', text: expect.stringMatching(/doors\.room/) })
  })

  test('a missing target is listed once, also where it is a partitioned table', async () => {
    const schema = `create table items (region text, code text, primary key (region, code)) partition by list (region);
      create table items_a partition of items for values in ('a'); create table items_b partition of items for values in ('b'); create table items_rest partition of items default;
      create table uses (xmlid text primary key, region text, code text, foreign key (region, code) references items);`
    const source = await createStage(
      engine,
      `${schema} insert into items values ('a', '1'); insert into uses values ('u', 'a', '1')`,
    )
    const target = await createStage(engine, schema)
    const { path } = await source.export({ exclude: ['items'] })
    const error = await errorOf(target.import(path))
    expect(error.code).toBe('IMPORT_REFUSED')
    expect(error.text.match(/uses\.region, code/g)).toHaveLength(1)
  })

  test('a late reference that is resolved does not fire triggers', async () => {
    const schema = `${USERS} create table posts (id serial primary key, xmlid text unique, user_id int references users, touched int not null default 0);
      create function touch() returns trigger language plpgsql as $$ begin new.touched := new.touched + 1; return new; end $$;
      create trigger touch before update on posts for each row execute function touch();`
    const source = await createStage(
      engine,
      `${schema} insert into users values (1, 'u1', ''); insert into posts (xmlid, user_id) values ('p', 1)`,
    )
    const target = await createStage(engine, schema)
    await target.import((await source.export({ exclude: ['users'] })).path, { onMissing: 'null' })
    const whole = await source.export()
    await target.import(whole.path)
    expect(await target.rows(`select u.xmlid, p.touched from posts p left join users u on u.id = p.user_id`)).toEqual([
      { xmlid: 'u1', touched: 0 },
    ])
    await expectNothingToDo(target, whole.path)
  })

  test('a large init with deferred checks pending can still put its foreign keys back', async () => {
    const schema = `${USERS} create table posts (id serial primary key, xmlid text unique, user_id int references users deferrable initially deferred);
      create function fine() returns trigger language plpgsql as $$ begin return null; end $$;
      create constraint trigger fine after insert on posts deferrable initially deferred for each row execute function fine();`
    const source = await createStage(
      engine,
      `${schema} insert into users values (1, 'u1', ''); insert into posts (xmlid, user_id) select n, 1 from generate_series(1, 20001) n`,
    )
    const target = await createStage(engine, schema)
    await target.import((await source.export()).path, { mode: 'init' })
    expect(await target.rows(`select count(*) as n from posts join users u on u.id = user_id`)).toEqual([{ n: 20001 }])
    expect(await target.rows(`select pg_get_constraintdef(oid) as def from pg_constraint where contype = 'f'`)).toEqual(
      await source.rows(`select pg_get_constraintdef(oid) as def from pg_constraint where contype = 'f'`),
    )
  })
})

/** Votes, each with what it is about and the reply to it. */
function votes(condition: string): string {
  return `select v.xmlid as voter, type, coalesce(u.xmlid, p.code || p.album, record_id::text) as record, value, r.xmlid as reply
            from votes join users v on v.id = voter_id left join users u on type = 'user' and u.id = record_id
            left join photos p on type = 'photo' and p.id = record_id left join replies r using (voter_id, type, record_id)
           ${condition} order by 1, 2, 3`
}
