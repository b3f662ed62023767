import { describe, expect, test } from 'vitest'
import { servers } from '../support/engines.js'
import { compareLookups } from '../support/lookups.js'
import { createStage, digestsOf } from '../support/scenario.js'

/** As a key in a record it would be one byte too long for a name. */
const LONG = `$${'a'.repeat(62)}`

/** References of every kind, to rows that are named in every way. */
const SCHEMA = `
  create type mood as enum ('so "so"', 'gut');
  create table users (id serial primary key, xmlid text not null unique);
  insert into users (id, xmlid) values (1, 'ada'), (-7, 'öl "quoted" \\ and ' || chr(9) || chr(11) || chr(10) || '€'), (2147483647, ''), (100, repeat('x', 900)), (101, 'b');
  create table regions (id uuid primary key default gen_random_uuid(), code text not null, land text not null, unique (land, code));
  insert into regions values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'n', 'de'), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', 'n', 'at');
  create table moods (id bigserial primary key, mood mood not null unique, born date);
  insert into moods (id, mood) values (9223372036854775807, 'so "so"'), (2, 'gut');
  create table moments (id smallserial primary key, at timestamptz not null unique);
  insert into moments (id, at) values (1, '2026-11-22 10:00+01'), (2, 'infinity');
  create table born (id serial primary key, note text);
  insert into born (id, note) values (3, 'x'), (4, 'y');
  create table shops (id serial primary key, user_id int not null unique references users);
  insert into shops (id, user_id) values (5, 1), (6, -7);
  create table codes (code text primary key, name text);
  insert into codes values ('c', 'n');
  create table long (id serial primary key, xmlid text not null unique);
  insert into long values (1, repeat('y', 1100));
  create table wide (id serial primary key, xmlid text not null unique);
  insert into wide select n, repeat('w', 400) || n from generate_series(1, 3000) n;
  create table parts (id serial primary key, note text not null) partition by range (id);
  create table low partition of parts for values from (0) to (10); create table high partition of parts for values from (10) to (100);
  insert into parts values (5, 'l'), (50, 'h');
  create table animals (id serial primary key, xmlid text not null unique); create table dogs (primary key (id), unique (xmlid)) inherits (animals);
  insert into animals values (1, 'cat'); insert into dogs values (1, 'dog'), (2, 'puppy');
  create table notes (
    id serial primary key, xmlid text not null unique, "User Id" int references users, region_id uuid references regions, mood_id bigint references moods,
    moment_id int references moments, born_id bigint references born, shop_id int references shops, code text references codes, long_id int references long,
    parent_id int references notes, hidden_id int references users, part_id int references parts, wide_id int references wide, animal_id int references animals, "master_id" int references users, "${LONG}" int references users, listed int[], land text, region_code text,
    foreign key (land, region_code) references regions (land, code));
  insert into notes (id, xmlid) select n, 'n' || n from generate_series(1, 300) n;
  update notes set "User Id" = case id % 4 when 0 then 1 when 1 then -7 when 2 then 2147483647 end, master_id = 100, hidden_id = 1, listed = array[1, -7],
    region_id = case when id % 3 > 0 then ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1' || id % 3)::uuid end, mood_id = case when id % 5 > 0 then 2 else 9223372036854775807 end,
    moment_id = case when id % 3 > 0 then id % 3 end, born_id = 3 + id % 2, shop_id = 5 + id % 2, code = 'c', parent_id = nullif(id - 1, 0),
    part_id = case when id % 2 = 0 then 5 else 50 end, animal_id = 1, "${LONG}" = 101, wide_id = id, long_id = case when id % 7 = 0 then 1 end, land = 'de', region_code = case when id % 2 = 0 then 'n' end;
  create table members (note_id int references notes, user_id int references users, role_id int references users, primary key (note_id, user_id));
  insert into members select n, 1, case when n % 2 = 0 then -7 end from generate_series(1, 300) n;
  create table "Last" (xmlid text primary key, user_id int references users);
  insert into "Last" values ('a', null), ('b', 1);`

describe.each(servers)('references that are looked up, on $name', (engine) => {
  test('read as those that the server joins, to the byte', async () => {
    const { created, settings } = await createStage(engine, SCHEMA, {
      relations: { notes: { mask: { hidden_id: 'null' } }, parts: { identity: ['note'] } },
      references: { 'notes.listed': { to: 'users.id' } },
    })
    expect((await compareLookups(created.database, settings)).toSorted()).toEqual([
      'Last.user_id',
      'members.role_id',
      'notes.$15',
      'notes.$master_id',
      'notes.User Id',
      'notes.animal_id',
      'notes.born_id',
      'notes.moment_id',
      'notes.mood_id',
      'notes.parent_id',
      'notes.part_id',
      'notes.region_id',
      'notes.shop_id',
    ])
  })

  test('to rows that are not there are null where that is allowed', async () => {
    const script = `create table users (id int primary key, xmlid text not null unique); insert into users values (1, 'ada');
      create table notes (xmlid text primary key, user_id int); insert into notes values ('a', 1), ('b', 2), ('c', null);`
    const references = { 'notes.user_id': { to: 'users.id', onDangling: 'null' } } as const
    const { created, settings } = await createStage(engine, script, { references })
    expect(await compareLookups(created.database, settings)).toEqual(['notes.user_id'])
  })

  test('are those of large relations to small ones', async () => {
    const script = `create table users (id serial primary key, xmlid text not null unique); insert into users (xmlid) select 'u' || n from generate_series(1, 100) n;
      create table few (xmlid text primary key, user_id int references users); insert into few select 'f' || n, 1 from generate_series(1, 399) n;
      create table many (xmlid text primary key, user_id int references users, few text references few);
      insert into many select 'm' || n, 1 from generate_series(1, 400) n;`
    const { created, settings } = await createStage(engine, script)
    const share = { fewestRows: 399, share: 1 / 4, mostTargetRows: 100, mostBytes: 1024 * 1024 }
    expect(await compareLookups(created.database, settings, share)).toEqual([])
    const enough = { fewestRows: 400, share: 1 / 4, mostTargetRows: 100, mostBytes: 1024 * 1024 }
    expect(await compareLookups(created.database, settings, enough)).toEqual(['few.user_id', 'many.user_id'])
    expect(await compareLookups(created.database, settings, { ...enough, mostTargetRows: 99 })).toEqual([])
  })
})

describe.each(servers)('what is held to look references up, on $name', (engine) => {
  test('is no more in all than it may be', async () => {
    const target = (name: string) => `create table ${name} (id serial primary key, xmlid text not null unique);
      insert into ${name} (xmlid) select '${name}' || n from generate_series(100, 199) n;`
    const script = `${target('ants')}${target('bees')}${target('cats')}
      create table many (xmlid text primary key, ant int references ants, bee int references bees, cat int references cats);
      insert into many select 'm' || n, 1 + n % 100, 1 + n % 50, 1 + n % 20 from generate_series(1, 400) n;`
    const { created, settings } = await createStage(engine, script)
    // A hundred lines such as `17:"ants116"` are 1292 bytes.
    const rules = { fewestRows: 400, share: 1, mostTargetRows: 1000, mostBytes: 1500 }
    const held = (bytes: number) => compareLookups(created.database, settings, rules, bytes)
    expect(await held(10_000)).toEqual(['many.ant', 'many.bee', 'many.cat'])
    expect(await held(2_700)).toEqual(['many.ant', 'many.bee'])
    expect(await held(1_200)).toEqual([])
  })
})

describe.each(servers)('an export of large relations, on $name', (engine) => {
  test('gives the content that came, whatever its ids', async () => {
    const schema = `create table users (id serial primary key, xmlid text not null unique);
      create table notes (id serial primary key, xmlid text not null unique, user_id int not null references users, editor_id int references users, body text);`
    const users = (first: number) =>
      `insert into users select ${first} + n, 'user "ö" ' || n from generate_series(1, 2000) n;`
    const notes = `insert into notes (xmlid, user_id, editor_id, body)
      select 'note.' || n, (select min(id) from users) + n * 7919 % 2000, case when n % 3 = 0 then (select min(id) from users) + n % 2000 end, repeat('word ', n % 9)
        from generate_series(1, 50000) n;`
    const source = await createStage(engine, schema + users(0) + notes)
    const target = await createStage(engine, schema + users(5000))
    const exported = await source.export()
    await target.import(exported.path, { mode: 'replace' })
    expect(digestsOf(await target.export())).toEqual(digestsOf(exported))
    const names = `select n.xmlid, u.xmlid as user, e.xmlid as editor from notes n join users u on u.id = n.user_id left join users e on e.id = n.editor_id
                    where hashtext(n.xmlid) % 50 = 0 order by 1`
    expect(await target.rows(names)).toEqual(await source.rows(names))
  })
})
