import { describe, expect, test } from 'vitest'
import { readArchive } from '../../src/archive/reader.js'
import { restoreArchive } from '../../src/restore/restore-archive.js'
import { engines } from '../support/engines.js'
import { createStage } from '../support/scenario.js'

const SCHEMA = `
  create table users (id serial primary key, mail text unique not null);
  create table posts (id serial primary key, user_id int, title text);
  create table notes (id serial primary key, user_id int, line text);
  create table likes (user_id int, post int, primary key (user_id, post));
  insert into users values (1, 'a@x'), (2, 'b@x');
  insert into posts (user_id, title) values (1, 'one'), (99, 'lost'), (null, 'none');
  insert into notes (user_id, line) values (2, 'mine'), (99, 'lost'), (98, 'lost too');
  insert into likes values (1, 1), (99, 2);
  alter table posts add constraint author foreign key (user_id) references users not valid;
  alter table notes add constraint writer foreign key (user_id) references users not valid;
  alter table likes add constraint lover foreign key (user_id) references users not valid;`

const ALL = `
  select (select json_agg(p order by id) from posts p) as posts, (select json_agg(n order by id) from notes n) as notes,
         (select json_agg(l order by post) from likes l) as likes,
         (select json_agg(pg_get_constraintdef(oid) order by conname) from pg_constraint where contype = 'f') as keys`

describe.each(engines)('on $name', (engine) => {
  test('values of foreign keys that are not valid and have no row travel bare in a backup, and come back', async () => {
    const stage = await createStage(engine, SCHEMA, { relations: { notes: { identity: 'content', owner: 'user_id' } } })
    await expect(stage.export()).rejects.toMatchObject({ code: 'IDENTITY_PREFLIGHT' })
    const { path } = await stage.export({ purpose: 'backup' })
    const before = await stage.rows(ALL)
    await stage.run(`delete from posts where user_id = 99; update notes set line = 'changed'; truncate likes`)
    const [row] = await stage.rows<{ name: string }>('select current_database()::text as name')
    const { database } = stage.created
    await restoreArchive(stage.settings, { archive: path, database, targetName: String(row?.name), maxRemoved: 9 })
    expect(await stage.rows(ALL)).toEqual(before)
    // Bare ids mean nothing in another database.
    const other = await createStage(engine, SCHEMA.replaceAll('99', '2').replaceAll('98', '1'))
    await expect(other.import(path)).rejects.toMatchObject({ code: 'IMPORT_INCOMPATIBLE' })
  })

  test('what refers to rows that are there travels as ever in a backup', async () => {
    const stage = await createStage(engine, SCHEMA.replaceAll('99', '2').replaceAll('98', '1'))
    const { relations } = (await readArchive((await stage.export({ purpose: 'backup' })).path)).model
    const references = relations.flatMap((relation) => relation.references.map(({ name }) => name))
    expect(references.toSorted()).toEqual(['author', 'lover', 'writer'])
  })
})

describe.each(engines.filter(({ server }) => server === undefined || server.major >= 18))('on $name', (engine) => {
  test('a foreign key that is not enforced does not stop a backup', async () => {
    const stage = await createStage(
      engine,
      `create table users (id serial primary key); create table posts (id serial primary key, user_id int references users not enforced);
       insert into posts (user_id) values (99)`,
    )
    await expect(stage.export()).rejects.toMatchObject({ code: 'MODEL_INVALID' })
    const { path } = await stage.export({ purpose: 'backup' })
    await stage.run('delete from posts')
    const [row] = await stage.rows<{ name: string }>('select current_database()::text as name')
    await restoreArchive(stage.settings, {
      archive: path,
      database: stage.created.database,
      targetName: String(row?.name),
    })
    expect(await stage.rows('select * from posts')).toEqual([{ id: 1, user_id: 99 }])
  })
})
