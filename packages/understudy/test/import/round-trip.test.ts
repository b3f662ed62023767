import { describe, expect, test } from 'vitest'
import { engines } from '../support/engines.js'
import { countsOf, createStage, digestsOf } from '../support/scenario.js'

const SCHEMA = `
create table countries (code text primary key, name text not null);
create table users (
  id serial primary key,
  email text not null unique,
  country text references countries,
  mentor_id int references users,
  photo_id int
);
create table projects (
  id int generated always as identity primary key,
  slug text not null unique,
  owner_id int not null references users,
  parent_id int references projects
);
create table photos (
  id bigserial primary key,
  xmlid text unique,
  project_id int not null references projects,
  taken_by int references users,
  data bytea,
  tags text[],
  meta jsonb
);
alter table users add foreign key (photo_id) references photos;
create table members (
  project_id int references projects on delete cascade,
  user_id int references users on delete cascade,
  role text not null default 'member',
  primary key (project_id, user_id)
);
create table comments (
  id serial primary key,
  user_id int not null references users,
  body text,
  answers int references comments,
  written_at timestamptz
);
create table visits (at timestamptz, page text);
`

const CONTENT = `
insert into countries values ('de', 'Deutschland'), ('cz', 'Tschechien');
insert into users (email, country) values ('ada@a.example', 'de'), ('bob@a.example', 'cz'), ('cyd@a.example', null);
update users set mentor_id = 1 where id in (2, 3);
insert into projects (slug, owner_id) values ('nord', 1), ('süd', 2);
insert into projects (slug, owner_id, parent_id) values ('nord-a', 3, 1);
insert into photos (xmlid, project_id, taken_by, data, tags, meta) values
  ('p.one', 1, 2, '\\x00ff10', '{a,NULL,"b c"}', '{"x": [1, 2.50]}'),
  ('p.two', 3, null, null, '{}', 'null');
update users set photo_id = 2 where id = 1;
insert into members values (1, 1, 'owner'), (1, 2, 'member'), (3, 3, 'owner');
insert into comments (user_id, body, written_at) values (1, E'first\\nline', '2024-05-01 10:00:00.123456+02');
insert into comments (user_id, body, answers) values (2, 'answer', 1), (3, '', 2), (3, null, 1);
insert into visits values ('2024-01-01', '/'), ('2024-01-01', '/'), (null, null);
`

/** Other ids for the same identities, and rows of its own. */
const OTHER_HISTORY = `
select setval('users_id_seq', 500); select setval('photos_id_seq', 900);
insert into countries values ('cz', 'Tschechien'), ('at', 'Österreich');
insert into users (email, country) values ('zoe@b.example', 'at'), ('bob@a.example', 'at'), ('ada@a.example', 'cz');
insert into projects (slug, owner_id) values ('lokal', 501), ('süd', 502);
insert into members values (1, 501, 'local');
`

describe.each(engines)('round trip on $name', (engine) => {
  test('init fills an empty database: everything is there, linked right, equal by content', async () => {
    const source = await createStage(engine, SCHEMA + CONTENT)
    const target = await createStage(engine, SCHEMA)
    const first = await source.export()
    const result = await target.import(first.path, { mode: 'init' })
    expect(countsOf(result)).toEqual({
      comments: 'insert 4',
      countries: 'insert 2',
      members: 'insert 3',
      photos: 'insert 2',
      projects: 'insert 3',
      users: 'insert 3',
      visits: 'insert 3',
    })
    expect(digestsOf(await target.export())).toEqual(digestsOf(first))
    expect(result.plan.notes).toEqual([])
    expect((await source.import(first.path)).plan.notes).toEqual([
      'this database wrote the archive itself: it brings back an earlier state, and nothing from elsewhere',
    ])
    const again = await target.import(first.path)
    expect(new Set(Object.values(countsOf(again)).map((text) => text.replace(/\d+/, '')))).toEqual(new Set(['same ']))
  })

  test('replace keeps the ids and the local rows of the target', async () => {
    const source = await createStage(engine, SCHEMA + CONTENT)
    const target = await createStage(engine, SCHEMA + OTHER_HISTORY)
    const result = await target.import((await source.export()).path)
    expect(countsOf(result)).toMatchObject({
      countries: 'insert 1, same 1',
      users: 'insert 1, update 2',
      projects: 'insert 2, same 1',
      members: 'insert 3',
      comments: 'insert 4',
      visits: 'insert 3',
    })
    expect(
      await target.rows(
        `select id, email, country from users where email in ('ada@a.example', 'bob@a.example', 'zoe@b.example') order by id`,
      ),
    ).toEqual([
      { id: 501, email: 'zoe@b.example', country: 'at' },
      { id: 502, email: 'bob@a.example', country: 'cz' },
      { id: 503, email: 'ada@a.example', country: 'de' },
    ])
    expect(
      await target.rows(
        `select p.slug, u.email from projects p join users u on u.id = p.owner_id order by slug collate "C"`,
      ),
    ).toEqual([
      { slug: 'lokal', email: 'zoe@b.example' },
      { slug: 'nord', email: 'ada@a.example' },
      { slug: 'nord-a', email: 'cyd@a.example' },
      { slug: 'süd', email: 'bob@a.example' },
    ])
    expect(
      await target.rows(
        `select c.body, a.body as answered from comments c left join comments a on a.id = c.answers order by c.body nulls first`,
      ),
    ).toEqual([
      { body: null, answered: 'first\nline' },
      { body: '', answered: 'answer' },
      { body: 'answer', answered: 'first\nline' },
      { body: 'first\nline', answered: null },
    ])
  })

  test('a second import writes nothing: no row gets a new version', async () => {
    const source = await createStage(engine, SCHEMA + CONTENT)
    const target = await createStage(engine, SCHEMA + OTHER_HISTORY)
    const { path } = await source.export()
    await target.import(path)
    const versions = `select 'u' || id as row, xmin::text from users union all select 'p' || id, xmin::text from projects union all select 'c' || id, xmin::text from comments order by 1`
    const before = await target.rows(versions)
    const again = await target.import(path)
    expect(again.plan.relations.every((each) => each.inserts + each.updates + each.deletes === 0)).toBe(true)
    expect(await target.rows(versions)).toEqual(before)
  })

  test('the way back home finds the rows that were born there', async () => {
    const home = await createStage(engine, SCHEMA + CONTENT)
    const away = await createStage(engine, SCHEMA)
    await away.import((await home.export()).path, { mode: 'init' })
    await away.run(
      `update comments set body = 'changed' where body = 'answer'; insert into comments (user_id, body) select id, 'new' from users where email like 'bob%'`,
    )
    const result = await home.import((await away.export()).path)
    expect(countsOf(result).comments).toBe('insert 1, update 1, same 3')
    expect(await home.rows(`select body from comments where id = 2`)).toEqual([{ body: 'changed' }])
  })
})
