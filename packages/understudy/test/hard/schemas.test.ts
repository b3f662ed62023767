import { describe, expect, test } from 'vitest'
import { engines } from '../support/engines.js'
import { createStage } from '../support/scenario.js'
import { errorOf, transfer } from './support.js'

const LONG = `${'ü'.repeat(30)}abc`

describe.each(engines)('names and shapes on $name', (engine) => {
  test('relations and columns keep their content whatever they are called', async () => {
    const tricky = ['r', 's', 't', 'x', 'n', 't1', 'l1', 'j1', 'line', 'records', 'master', 'record', 'select']
    const columns = [...tricky, 'found', '%s', "it's", 'a "b"', 'a.b', 'Ü x', '\\', '$1', ' ']
    const reserved = ['master_id', '$master_id', '$json', '$origin', '$', `$${'y'.repeat(62)}`]
    const all = [...columns, ...reserved].map((name) => `"${name.replaceAll('"', '""')}" text`).join(', ')
    const values = [...columns, ...reserved].map((_, index) => `'value ${index}'`).join(', ')
    const tables = [...tricky, 'backup-index', 'only this', "o'clock", 'we"ird', 'a.b', 'T', LONG]
    const quoted = tables.map((name) => `"${name.replaceAll('"', '""')}"`)
    await transfer(engine, {
      schema: `
        create schema "Other s"; create schema app;
        ${quoted.map((name) => `create table ${name} (id serial primary key, xmlid text unique, ${all});`).join('')}
        create table "Other s"."T" (id serial primary key, xmlid text unique, "r" int references "r"); create table app."T" (xmlid text primary key);
        create table app.t (id serial primary key, xmlid text unique, "s" int references "Other s"."T", "l1" int references "${LONG}");`,
      source: `
        ${quoted.map((name) => `insert into ${name} values (7, 'k', ${values});`).join('')}
        insert into "Other s"."T" values (3, 'k', 7); insert into app."T" values ('other'); insert into app.t values (5, 'k', 3, 7);`,
      target: `${quoted.map((name) => `insert into ${name} (xmlid) values ('local'), ('k');`).join('')}`,
      equal: [
        ...quoted.map((name) => `select to_jsonb(q) - 'id' as row from ${name} q where xmlid = 'k'`),
        `select t.xmlid, s.xmlid as s, r.xmlid as r, l.xmlid as l from app.t t join "Other s"."T" s on s.id = t.s join "r" r on r.id = s.r join "${LONG}" l on l.id = t.l1`,
      ],
    })
  }, 180_000)

  test('a partitioned table may have the word only in its name', async () => {
    await transfer(engine, {
      schema: `create table "read only log" (day date, xmlid text, primary key (day, xmlid)) partition by range (day);
               create table "only log" partition of "read only log" default; create table other (code text primary key);`,
      source: `insert into "read only log" values ('2024-01-01', 'a'); insert into other values ('x');`,
      equal: [`select day::text, xmlid from "read only log"`],
    })
  })

  test('a table without columns and one without a key keep the number of their rows', async () => {
    await transfer(engine, {
      schema: `create table empty_rows (); create table loose (a int, b json, c point, d pg_lsn);`,
      source: `insert into empty_rows default values; insert into empty_rows default values;
               insert into loose values (1, '{}', '(1,2)', null), (1, '{}', '(1,2)', null), (null, null, null, null);`,
      target: `insert into empty_rows default values; insert into loose values (1, '{}', '(1,2)', null);`,
      equal: [
        `select count(*) as n from empty_rows`,
        `select a, b::text, c::text, count(*) as n from loose group by 1, 2, 3 order by 1, 4`,
      ],
    })
  })

  test('a table of a thousand columns arrives, in every column', async () => {
    const numbers = Array.from({ length: 1000 }, (_, index) => index)
    await transfer(engine, {
      schema: `create table wide (code text primary key, ${numbers.map((n) => `c${n} ${n % 2 === 0 ? 'int' : 'text'}`).join(', ')});`,
      source: `insert into wide values ('a', ${numbers.map((n) => `'${n}'`).join(', ')}), ('b', ${numbers.map((n) => (n === 999 ? `'end'` : 'null')).join(', ')});`,
      target: `insert into wide (code, c999) values ('b', 'other'), ('local', 'x');`,
      equal: [`select to_jsonb(w) as row from wide w where code in ('a', 'b') order by code`],
    })
  })

  test('a row that only just fits into a page, and a table of sixteen hundred columns, are refused by name', async () => {
    const names = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`)
    const heavy = `create table heavy (code int primary key, ${names(1015)
      .map((name) => `${name} bigint not null`)
      .join(', ')});`
    const widest = `create table widest (code text primary key, ${names(1599)
      .map((name) => `${name} boolean`)
      .join(', ')});`
    for (const [schema, row] of [
      [
        heavy,
        `insert into heavy values (1, ${names(1015)
          .map((_, index) => index)
          .join(', ')})`,
      ],
      [widest, `insert into widest (code, c0, c1598) values ('a', true, false)`],
    ] as const) {
      const source = await createStage(engine, `${schema} ${row}`)
      const target = await createStage(engine, schema)
      const error = await errorOf(target.import((await source.export()).path))
      expect(error).toMatchObject({ code: 'IMPORT_REFUSED_BY_DATABASE', text: expect.stringMatching(/heavy|widest/) })
    }
  })

  test('generated columns, stored and virtual, are computed again, also by a function that names a table without its schema', async () => {
    const virtual = (engine.server?.major ?? 18) >= 18 ? `, w int generated always as (price * 3) virtual` : ''
    await transfer(engine, {
      schema: `create table rates (code text primary key, rate numeric not null);
        create function vat(numeric) returns numeric language plpgsql immutable as $$ begin return $1 * coalesce((select rate from rates where code = 'vat'), 1); end $$;
        create table goods (id serial primary key, xmlid text unique, price int, gross numeric generated always as (vat(price)) stored${virtual});
        create unique index on goods ((vat(price)));`,
      source: `insert into rates values ('vat', 1.2); insert into goods (xmlid, price) values ('a', 10), ('b', 20);`,
      target: `insert into rates values ('vat', 1.2); insert into goods (xmlid, price) values ('z', 5), ('a', 11);`,
      equal: [`select to_jsonb(g) - 'id' as row from goods g where xmlid <> 'z' order by xmlid`],
    })
  })

  test('checks and domains whose functions name tables without their schema are asked with the path of the database', async () => {
    await transfer(engine, {
      schema: `create table allowed (code text primary key); insert into allowed values ('red'), ('blue');
        create function is_allowed(text) returns boolean language plpgsql stable as $$ begin return exists (select from allowed where code = $1); end $$;
        create domain colour as text check (is_allowed(value));
        create table paints (xmlid text primary key, colour colour, other text check (is_allowed(other)));`,
      source: `insert into paints values ('a', 'red', 'blue');`,
      target: `insert into paints values ('a', 'blue', 'red'), ('local', 'red', 'red');`,
      equal: [`select * from paints where xmlid = 'a'`],
    })
  })

  test('a check that calls a function and refuses a row ends with the relation and the constraint named', async () => {
    const schema = (limit: number) => `
      create function small(int) returns boolean language sql immutable as 'select $1 < ${limit}';
      create table sizes (code text primary key, size int constraint size_is_small check (small(size)));`
    const source = await createStage(engine, `${schema(100)} insert into sizes values ('a', 50)`)
    const target = await createStage(engine, schema(10))
    const error = await errorOf(target.import((await source.export()).path))
    expect(error.code).toBe('IMPORT_REFUSED')
    expect(error.text).toMatch(/sizes.*size_is_small/s)
  })

  test('a value that a domain of the target refuses ends with the column named', async () => {
    const schema = (limit: number) => `
      create domain small as int constraint is_small check (value < ${limit}); create table sizes (code text primary key, size small);`
    const source = await createStage(engine, `${schema(100)} insert into sizes values ('a', 50)`)
    const target = await createStage(engine, schema(10))
    const error = await errorOf(target.import((await source.export()).path))
    expect(error.code).toMatch(/^IMPORT_/)
    expect(error.text).toMatch(/sizes/)
  })
})
