import { beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../src/database/port.js'
import { runGuarded } from '../../src/guard/guard.js'
import { findForbidden, type Loss } from '../../src/guard/loss.js'
import { engines, type TestDatabase, withTestDatabase } from '../support/engines.js'
import { createProject, failureOf, type Project, query, readAppliedIds } from './project.js'

let project: Project

beforeEach(async () => {
  project = await createProject()
})

const BASE = `
  create type shape as (width int, alt text);
  create table countries (code text primary key, name text not null);
  create table events (
    id serial primary key, xmlid text unique, name text, place varchar(40), price numeric(10,4), starts timestamp,
    old_status text, empty_note text, data jsonb, tags text[], image shape, images shape[], country text references countries
  );
  insert into countries values ('de', 'Deutschland'), ('cz', 'Tschechien');
  insert into events (xmlid, name, place, price, starts, old_status, data, tags, image, images, country)
  select 'e' || n, 'Name ' || n, 'Ort Nummer ' || n, n + 0.1234, timestamp '2026-01-01 10:30' + n * interval '1 day',
         case when n <= 3 then 'alt ' || n end, jsonb_build_object('a', n, 'b', 'x'), array['eins', 'zwei'],
         row(n, 'Bild ' || n)::shape, array[row(n, 'Bild')::shape], case when n % 2 = 0 then 'de' else 'cz' end
    from generate_series(1, 6) n;
  create table notes (id int generated always as identity primary key, body text);
  insert into notes (body) values ('eins'), ('zwei');
  create table logs (at date not null, what text) partition by range (at);
  create table logs_2025 partition of logs for values from ('2025-01-01') to ('2026-01-01');
  create table logs_2026 partition of logs for values from ('2026-01-01') to ('2027-01-01');
  insert into logs values ('2025-05-05', 'früher'), ('2026-05-05', 'jetzt');
  create table "we""ird" ("ta.ble" int primary key, "Ünï x" text);
  insert into "we""ird" values (1, 'da');
`

/** A kind of loss: the migration, the word that allows it, and what is said about it. */
const LOSSES: [string, string, string, RegExp][] = [
  ['a dropped table', 'drop table notes', 'notes', /^notes: the table goes, with 2 rows: 1; 2$/m],
  [
    'a dropped column',
    'alter table events drop column old_status',
    'events.old_status',
    /^events\.old_status: the column goes, with 3 values: e1 \("alt 1"\); e2 \("alt 2"\); e3 \("alt 3"\)$/m,
  ],
  [
    'a column with a name that needs quotes',
    'alter table "we""ird" drop column "Ünï x"',
    '"we\\"ird".Ünï x',
    /^"we\\"ird"\.Ünï x: the column goes, with 1 value: 1 \("da"\)$/m,
  ],
  [
    'a dropped attribute of a composite type, in columns and arrays',
    'alter type shape drop attribute alt',
    'shape.alt',
    /^shape\.alt: the attribute goes, with values in 12 rows of events\.image, events\.images: e1; /m,
  ],
  [
    'a detached partition',
    'alter table logs detach partition logs_2025',
    'logs_2025',
    /^logs_2025: the partition leaves logs, with 1 row: /m,
  ],
  ['a dropped partition', 'drop table logs_2025', 'logs_2025', /^logs_2025: the partition leaves logs, with 1 row: /m],
  ['deleted rows', `delete from events where xmlid in ('e2', 'e5')`, 'events', /^events: 2 rows are gone: e2; e5$/m],
  ['a truncated table', 'truncate events', 'events', /^events: 6 rows are gone: e1; e2; e3; e4; e5; …$/m],
  [
    'rows swapped for others, the count being the same',
    `delete from events where xmlid = 'e6'; insert into events (id, xmlid, name) values (6, 'other', 'Other')`,
    'events',
    /^events: 1 row is gone: e6$/m,
  ],
  [
    'values wiped by null',
    `update events set name = null where id < 3`,
    'events.name',
    /^events\.name: 2 values are wiped: e1 \("Name 1"\); e2 \("Name 2"\)$/m,
  ],
  ['values wiped by an empty text', `update events set name = ''`, 'events.name', /^events\.name: 6 values are wiped/m],
  [
    'values overwritten by one for all',
    `update events set name = 'x'`,
    'events.name',
    /^events\.name: 6 values cannot be told from others any more/m,
  ],
  [
    'values that become equal to those of other rows',
    `update events set name = 'Name 2' where id = 1`,
    'events.name',
    /^events\.name: 1 value cannot be told from others any more: e1 \("Name 1"\)$/m,
  ],
  [
    'texts cut by a shorter type',
    'alter table events alter column place type varchar(5) using left(place, 5)',
    'events.place',
    /^events\.place: 6 values cannot be had back from character varying\(5\), having been character varying\(40\)/m,
  ],
  [
    'texts cut short',
    'update countries set name = left(name, 4)',
    'countries.name',
    /^countries\.name: 2 values are cut short: cz \("Tschechien"\); de \("Deutschland"\)$/m,
  ],
  [
    'numbers that lose digits',
    'alter table events alter column price type numeric(10,1)',
    'events.price',
    /^events\.price: 6 values cannot be had back from numeric\(10,1\), having been numeric\(10,4\)/m,
  ],
  [
    'numbers rounded in place',
    'update events set price = round(price, 1)',
    'events.price',
    /^events\.price: 6 values are cut short/m,
  ],
  [
    'times that become days',
    'alter table events alter column starts type date',
    'events.starts',
    /^events\.starts: 6 values cannot be had back from date/m,
  ],
  [
    'keys taken out of documents',
    `update events set data = data - 'b'`,
    'events.data',
    /^events\.data: 6 values are cut short/m,
  ],
  [
    'elements taken out of arrays',
    `update events set tags = array['eins']`,
    'events.tags',
    /^events\.tags: 6 values are cut short/m,
  ],
  [
    'a table that was made anew with fewer rows',
    `create table fresh (like events); insert into fresh select * from events where id < 6; drop table events; alter table fresh rename to events`,
    'events',
    /^events: 1 row is gone: e6$/m,
  ],
]

const HARMLESS: [string, string][] = [
  ['a renamed column', 'alter table events rename column old_status to status'],
  [
    'a renamed table',
    'alter table events rename to happenings; alter table happenings rename column xmlid to external_id',
  ],
  [
    'a renamed column, and its values changed into others one by one',
    `alter table events rename column name to title; update events set title = 'The ' || title`,
  ],
  ['a renamed attribute', 'alter type shape rename attribute alt to alternative'],
  ['a moved table', 'create schema stage; alter table events set schema stage'],
  [
    'a new column, filled',
    `alter table events add column status text default 'new'; update events set empty_note = 'x'`,
  ],
  ['a dropped column that held nothing', 'alter table events drop column empty_note'],
  ['a dropped table that held nothing', 'create table nothing (); drop table nothing'],
  [
    'a wider type',
    'alter table events alter column place type text, alter column id type bigint, alter column price type numeric',
  ],
  [
    'a type whose values come back',
    `alter table events alter column starts type timestamptz, alter column id type text using id::text`,
  ],
  ['a rewritten table', `alter table events add column token uuid not null default gen_random_uuid()`],
  ['a renamed value', `update events set old_status = 'neu ' || old_status; update notes set body = upper(body)`],
  [
    'a table made anew with all its rows',
    `create table fresh (like events); insert into fresh select * from events; drop table events; alter table fresh rename to events`,
  ],
  [
    'rows that move into another partition',
    `create table logs_old (like logs); insert into logs_old select * from logs_2025; alter table logs detach partition logs_2025; drop table logs_2025;
     alter table logs attach partition logs_old for values from ('2020-01-01') to ('2026-01-01')`,
  ],
  [
    'a text key that becomes a number, and references that still point to the same rows',
    `alter table events drop constraint events_country_fkey;
     alter table countries drop constraint countries_pkey;
     alter table countries rename column code to xmlid;
     alter table countries add unique (xmlid), add column id serial primary key;
     create function id_of(text) returns int language sql stable return (select c.id from countries c where c.xmlid = $1);
     alter table events alter column country type int using id_of(country);
     alter table events add foreign key (country) references countries (id)`,
  ],
]

class Enough extends Error {
  constructor(readonly losses: readonly Loss[]) {
    super('enough')
  }
}

/** What a script would lose; it is taken back. */
async function lossesOf(database: Database, script: string): Promise<readonly Loss[]> {
  const settings = await project.settings()
  const outcome = await database.withSession((session) =>
    session
      .transaction({}, async () => {
        throw new Enough(await runGuarded(session, settings, () => session.script(script)))
      })
      .catch((error) => error),
  )
  if (!(outcome instanceof Enough)) throw outcome
  return outcome.losses
}

describe.each(engines)('the guard on $name', (engine) => {
  async function atBase(use: (created: TestDatabase) => Promise<void>): Promise<void> {
    await project.write({ '001_base.sql': BASE })
    await withTestDatabase(engine, async (created) => {
      await project.up(created.database)
      await use(created)
    })
  }

  test('each kind of loss is caught, rolled back and named, and passes when it is allowed', async () => {
    await atBase(async ({ database }) => {
      for (const [kind, sql, word, said] of LOSSES) {
        const losses = await lossesOf(database, sql)
        expect(losses.length, kind).toBeGreaterThan(0)
        expect(findForbidden(losses, [word]), kind).toEqual([])
        await project.write({ '002_loss.sql': `${sql}; create table made ()` })
        const error = await failureOf(project.up(database))
        expect(error, kind).toMatchObject({ code: 'DATA_LOSS' })
        expect(error.detail, kind).toMatch(said)
        expect(error.hint, kind).toContain(`'${word.replaceAll("'", "\\'")}'`)
        expect(
          await query(database, `select to_regclass('made') as made, (select count(*)::int from events) as events`),
          kind,
        ).toEqual([{ made: null, events: 6 }])
      }
    })
  })

  test('what is renamed, widened, moved or comes back is none', async () => {
    await atBase(async ({ database }) => {
      for (const [kind, sql] of HARMLESS) expect(await lossesOf(database, sql), kind).toEqual([])
    })
  })

  test('a loss is allowed by the migration, by its headers and by the command line', async () => {
    await atBase(async ({ database }) => {
      await project.write({
        '002_sql.sql': '-- migrate: allow-loss events.old_status\nalter table events drop column old_status',
        '003_ts.ts': `export default { description: 'x', allowLoss: ['public.notes'], async up(db) { await db.execute('drop table notes') } }`,
        '004_flag.sql': 'alter table events drop column place',
      })
      const losses: string[] = []
      const onLoss = (id: string) => losses.push(id)
      expect(await project.up(database, { allowLoss: ['events.place'], onLoss })).toEqual([
        '002_sql',
        '003_ts',
        '004_flag',
      ])
      expect(losses).toEqual(['002_sql', '003_ts', '004_flag'])
    })
  })

  test('what a migration does to its session does not blind the guard', async () => {
    await atBase(async ({ database }) => {
      await project.write({
        '002_dump.sql': `set search_path to ''; set datestyle to 'German'; set extra_float_digits to 0; create temporary table x (); update public.events set price = price + 0`,
      })
      expect(await project.up(database)).toEqual(['002_dump'])
      await project.write({ '003_dump.sql': `set search_path to ''; delete from public.notes where id = 1` })
      expect(await failureOf(project.up(database))).toMatchObject({
        code: 'DATA_LOSS',
        detail: expect.stringContaining('notes: 1 row is gone: 1'),
      })
      expect(await readAppliedIds(database)).toEqual(['001_base', '002_dump'])
    })
  })
})
