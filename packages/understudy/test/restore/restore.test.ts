import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exportContent } from '../../src/export/export-content.js'
import { migrateUp } from '../../src/migrate/migrate-up.js'
import { rehearse } from '../../src/rehearse/rehearse.js'
import { restoreArchive } from '../../src/restore/restore-archive.js'
import { createProject, failureOf, query } from '../migrate/project.js'
import { engines, servers, withTestDatabase } from '../support/engines.js'

const BASE = `
  create table users (id serial primary key, mail text unique, boss int references users);
  create table posts (id int generated always as identity primary key, author int not null references users on delete cascade, title text);
  create table likes (post int references posts on delete cascade, by int references users, primary key (post, by));
  create table "we""ird" ("ta.ble" text primary key, at timestamptz default now());
  create table seen (what text);
  create function stamp() returns trigger language plpgsql as $$ begin new.title := 'changed by a trigger'; return new; end $$;
  insert into users (mail) values ('a@x'), (null), ('c@x');
  update users set boss = 2 where id <> 2;
  delete from users where mail = 'nobody';
  insert into posts (author, title) values (1, 'eins'), (3, 'zwei'), (3, 'drei');
  delete from posts where title = 'zwei';
  insert into likes values (1, 1), (3, 2);
  insert into "we""ird" ("ta.ble") values ('Ünï');
  insert into seen values ('x'), ('x');
  create trigger stamp before insert or update on posts for each row execute function stamp();
`
const ALL = `
  select (select json_agg(u order by id) from users u) as users, (select json_agg(p order by id) from posts p) as posts,
         (select json_agg(l order by post) from likes l) as likes, (select json_agg(w) from "we""ird" w) as weird,
         (select json_agg(s) from seen s) as seen, (select tgenabled from pg_trigger where tgname = 'stamp') as trigger,
         (select count(*)::int from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace) as keys`

describe.each(engines)('on $name', (engine) => {
  test('a restore brings back every row with its id, removes later ones, and asks for the name first', async () => {
    const project = await createProject()
    await project.write({ '001_base.sql': BASE })
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      const settings = await project.settings()
      const out = join(project.folder, 'before.backup.tar.gz')
      // A user has no identity: a backup does not mind, a transfer would.
      await exportContent(settings, { purpose: 'backup', database, out })
      const before = await query(database, ALL)
      await database.withSession((session) =>
        session.script(`
          alter table posts disable trigger stamp;
          delete from likes where by = 1;
          delete from users where id = 1;
          update posts set title = 'anders' where id = 3;
          insert into users (mail) values ('later@x');
          insert into posts (author, title) values (4, 'later');
          insert into seen values ('x');
          alter table posts enable trigger stamp;`),
      )
      const work = { archive: out, database }
      const planned = await restoreArchive(settings, { ...work, isDryRun: true })
      expect(planned.isWritten).toBe(false)
      expect(planned.plan.relations).toEqual([
        { relation: 'likes', records: 2, unchanged: 1, changed: 0, returning: 1, removed: 0 },
        { relation: 'posts', records: 2, unchanged: 0, changed: 1, returning: 1, removed: 1 },
        { relation: 'seen', records: 2, unchanged: 2, changed: 0, returning: 0, removed: 1 },
        { relation: 'users', records: 3, unchanged: 2, changed: 0, returning: 1, removed: 1 },
        { relation: '"we\\"ird"', records: 1, unchanged: 1, changed: 0, returning: 0, removed: 0 },
      ])
      expect(await failureOf(restoreArchive(settings, work))).toMatchObject({ code: 'TARGET_NAME_REQUIRED' })
      const [row] = await query(database, 'select current_database()::text as name')
      const named = { ...work, targetName: String(row?.name) }
      expect(await failureOf(restoreArchive(settings, { ...named, maxRemoved: 2 }))).toMatchObject({
        code: 'RESTORE_REFUSED',
        hint: expect.stringContaining('--max-removed 3'),
      })
      expect(await failureOf(restoreArchive(settings, { ...named, confirm: async () => false }))).toMatchObject({
        code: 'CANCELLED',
      })
      expect(await restoreArchive(settings, named)).toMatchObject({ isWritten: true })
      expect(await query(database, ALL)).toEqual(before)
      expect(await restoreArchive(settings, work)).toMatchObject({ isWritten: false })
      const next = await query(database, `insert into users (mail) values ('next@x') returning id`)
      expect(next).toEqual([{ id: 5 }])
    })
  })

  test('a failing restore leaves everything as it was', async () => {
    const project = await createProject()
    await project.write({ '001_base.sql': BASE })
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      const settings = await project.settings()
      await exportContent(settings, {
        purpose: 'backup',
        exclude: ['likes'],
        database,
        out: join(project.folder, 'x.backup.tar.gz'),
      })
      // A like that the archive does not know refers to a post that would go.
      await database.withSession((session) =>
        session.script(
          `insert into posts (author, title) values (3, 'x'); insert into likes select max(id), 3 from posts`,
        ),
      )
      const before = await query(database, ALL)
      const [row] = await query(database, 'select current_database()::text as name')
      const error = await failureOf(
        restoreArchive(settings, {
          archive: join(project.folder, 'x.backup.tar.gz'),
          database,
          targetName: String(row?.name),
        }),
      )
      expect(error.message).toContain('likes_post_fkey')
      expect(await query(database, ALL)).toEqual(before)
    })
  })

  test('an archive comes first where it must, is verified, and stands in the ledger; declining it does too', async () => {
    const project = await createProject()
    await project.write({ '001_base.sql': BASE })
    await withTestDatabase(engine, async ({ database }) => {
      const production = { NODE_ENV: 'production' }
      // There is nothing to archive yet.
      await project.up(database, {}, production)
      await project.write({ '002_a.sql': 'create table a ()' })
      await project.up(database, {}, production)
      await project.write({ '003_b.sql': 'create table b ()' })
      await project.up(database, { backup: false }, production)
      await project.write({ '004_c.sql': 'create table c ()' })
      await project.up(database)
      await project.write({ '005_d.sql': '-- migrate: no-transaction\ncreate index concurrently i on posts (title)' })
      await project.up(database)
      const [archive] = (await readdir(join(project.folder, 'data', 'sync'))).sort()
      const rows = await query(
        database,
        'select id, archive is not null as archived, archive_declined as declined from understudy.migration order by id',
      )
      expect(rows).toEqual([
        { id: '001_base', archived: false, declined: false },
        { id: '002_a', archived: true, declined: false },
        { id: '003_b', archived: false, declined: true },
        { id: '004_c', archived: false, declined: false },
        { id: '005_d', archived: true, declined: false },
      ])
      expect(await query(database, `select archive from understudy.migration where id = '002_a'`)).toEqual([
        { archive: basename(String(archive)) },
      ])

      await project.write({ '006_e.sql': 'create table e ()' })
      const nowhere = {
        ...(await project.settings(production)),
        archives: join(project.folder, 'understudy.config.json', 'x'),
      }
      expect(await failureOf(migrateUp(nowhere, { database }))).toMatchObject({ code: 'BACKUP_FAILED' })
      expect(await query(database, `select to_regclass('e') as e`)).toEqual([{ e: null }])
    })
  })

  test('a rehearsal tries pending migrations on the real rows, and leaves the database alone', async () => {
    const project = await createProject()
    await project.write({ '001_base.sql': BASE })
    await withTestDatabase(engine, async ({ database }) => {
      await project.up(database)
      const settings = await project.settings()
      await project.write({
        '002_ok.sql':
          'alter table posts disable trigger stamp; alter table posts add column slug text; update posts set slug = title',
      })
      const before = await query(database, ALL)
      const { steps } = await rehearse(settings, { database })
      expect(steps).toMatchObject([
        { step: 'archive', rows: 10 },
        { step: 'restore', rows: 10 },
        { step: '002_ok', losses: [] },
        { step: 'checks', rows: 10 },
      ])
      await project.write({ '003_bad.sql': 'alter table posts add check (id < 3)' })
      const failed = await failureOf(rehearse(settings, { database }))
      expect(failed).toMatchObject({
        code: 'REHEARSAL_FAILED',
        message: expect.stringContaining('what follows 002_ok: migration 003_bad failed'),
      })
      await project.write({ '003_bad.sql': 'drop table likes' })
      const lost = await failureOf(
        migrateUp(settings, {
          database,
          rehearse: async (open) => void (await rehearse(settings, { database: open })),
        }),
      )
      expect(lost).toMatchObject({
        code: 'REHEARSAL_FAILED',
        detail: expect.stringContaining('likes: the table goes, with 2 rows'),
      })
      expect(await query(database, ALL)).toEqual(before)
      expect(await query(database, 'select id from understudy.migration')).toEqual([{ id: '001_base' }])
    })
  })
})

describe.each(servers)('killed on $name', (engine) => {
  test('a restore that dies at any of its steps has restored nothing', async () => {
    const project = await createProject()
    await project.write({ '001_base.sql': BASE })
    await withTestDatabase(engine, async ({ database, url }) => {
      await project.up(database)
      const settings = { ...(await project.settings()), database: url }
      const archive = join(project.folder, 'before.backup.tar.gz')
      await exportContent(settings, { purpose: 'backup', database, out: archive })
      await query(database, `delete from likes`)
      const before = await query(database, ALL)
      const [row] = await query(database, 'select current_database()::text as name')
      for (const stage of ['lock', 'stage', 'match', 'bind', 'write'] as const) {
        let isInEarnest = false
        const work = restoreArchive(settings, {
          archive,
          targetName: String(row?.name),
          confirm: async () => {
            isInEarnest = true
            return true
          },
          onProgress: ({ step }) => {
            if (isInEarnest && step === stage) throw new Error(`died at ${stage}`)
          },
        })
        expect(await failureOf(work)).toMatchObject({ message: `died at ${stage}` })
        expect(await query(database, ALL), stage).toEqual(before)
      }
    })
  })

  test('a server that goes away in the middle of a restore leaves everything as it was', async () => {
    const project = await createProject()
    await project.write({ '001_base.sql': BASE })
    await withTestDatabase(engine, async ({ database, url }) => {
      await project.up(database)
      const settings = { ...(await project.settings()), database: url }
      const archive = join(project.folder, 'before.backup.tar.gz')
      await exportContent(settings, { purpose: 'backup', database, out: archive })
      // Dies when the rows come back: after the relations were emptied.
      await query(database, 'delete from likes')
      await database.withSession((session) =>
        session.script(`
          create function die() returns boolean language plpgsql as $$ begin
            perform pg_terminate_backend(pg_backend_pid()); return true; end $$;
          alter table likes add constraint dies check (post < 3 or die()) not valid;`),
      )
      const before = await query(database, ALL)
      const [row] = await query(database, 'select current_database()::text as name')
      const error = await failureOf(restoreArchive(settings, { archive, targetName: String(row?.name) }))
      expect(error.code).toBe('CONNECTION_LOST')
      expect(await query(database, ALL)).toEqual(before)
    })
  })

  test('a guarded migration that dies in its second run leaves nothing', async () => {
    const project = await createProject()
    const die = `do $$ begin
      if exists (select from pg_class where relname = 'understudy_image_1') then perform pg_terminate_backend(pg_backend_pid()); end if;
    end $$`
    await project.write({ '001_base.sql': BASE })
    await withTestDatabase(engine, async ({ database, url }) => {
      await project.up(database)
      const before = await query(database, ALL)
      await project.write({ '002_dies.sql': `delete from likes; ${die}` })
      const settings = { ...(await project.settings()), database: url }
      await failureOf(migrateUp(settings))
      expect(await query(database, ALL)).toEqual(before)
      expect(await query(database, 'select id from understudy.migration')).toEqual([{ id: '001_base' }])
    })
  })
})
