import { describe, expect, test } from 'vitest'
import { inspectDatabase } from '../../src/inspect/inspect-database.js'
import { engines } from '../support/engines.js'
import { createStage } from '../support/scenario.js'
import { transfer } from './support.js'

const SCHEMA = `create sequence inv_seq; create sequence "Ord'er"; create sequence n_seq; create sequence own_seq; create sequence c_seq;
  create table invoices (no varchar(20) not null default 'INV-' || nextval('inv_seq') || '/a', xmlid text primary key);
  create table orders (no text unique not null default to_char(nextval('"Ord''er"'), 'FM0000'), xmlid text primary key);
  create table tickets (no char(8) unique not null default concat('it''s ', lpad(nextval('c_seq')::text, 3, '0')), xmlid text primary key);
  create table bills (no numeric(12) unique not null default nextval('n_seq'), xmlid text primary key);
  create table cases (id text primary key default 'C' || nextval('own_seq'), title text unique not null);`

describe.each(engines)('numbers inside of texts on $name', (engine) => {
  test('move the sequence on that they come from', async () => {
    const { target } = await transfer(engine, {
      schema: SCHEMA,
      source: `insert into invoices (xmlid) values ('a'), ('b'); insert into invoices values ('INV-40/a', 'c'), ('INV-900', 'hand'), ('/a', 'short'), ('INV-x/a', 'text');
        insert into orders values ('0300', 'a'); insert into tickets values ('it''s 020', 'a'); insert into bills values (50, 'a'); insert into cases values ('C9', 'nine'), ('C3', 'three');`,
      target: `insert into cases values ('C4', 'three'), ('C6', 'own'), ('C1', 'too');`,
      equal: [
        'select * from invoices order by 2',
        'select * from orders',
        `select title from cases where title not in ('own', 'too') order by 1`,
      ],
    })
    const next = `with i as (insert into invoices (xmlid) values ('new') returning no), o as (insert into orders (xmlid) values ('new') returning no),
        t as (insert into tickets (xmlid) values ('new') returning no), b as (insert into bills (xmlid) values ('new') returning no),
        c as (insert into cases (title) values ('new') returning id)
      select i.no as invoice, o.no as "order", t.no::text as ticket, b.no::text as bill, c.id as case from i, o, t, b, c`
    expect(await target.rows(next)).toEqual([
      { invoice: 'INV-41/a', order: '0301', ticket: "it's 021", bill: '51', case: 'C8' },
    ])
  })

  test('are left alone inside of larger numbers than the sequence can give', async () => {
    const schema = `create sequence low as smallint; create table ids (id bigint primary key default (1700000000000::bigint << 10) | nextval('low'), title text unique not null);`
    const { target } = await transfer(engine, {
      schema,
      source: `insert into ids (title) values ('a'), ('b')`,
      target: `insert into ids (title) values ('own')`,
      equal: [`select title from ids where title <> 'own' order by 1`],
    })
    expect(await target.rows(`select last_value from low`)).toEqual([{ last_value: 3 }])
  })

  test('are named where the values do not tell them', async () => {
    const stage = await createStage(
      engine,
      `create sequence s; create table refs (xmlid text primary key, no text default md5(nextval('s')::text), year text default to_char(now(), 'YYYY') || nextval('s'));`,
    )
    const { warnings } = await inspectDatabase(stage.settings, { database: stage.created.database })
    const numbers = warnings.filter(({ kind }) => kind === 'unreadable number')
    expect(numbers.map(({ relation, column }) => `${relation}.${column}`)).toEqual(['refs.no', 'refs.year'])
    expect((await stage.export()).warnings).toEqual([
      expect.stringMatching(
        /^refs\.no takes numbers of the sequence "?public"?\."?s"? .* its next number may be taken$/,
      ),
      expect.stringMatching(/^refs\.year /),
    ])
  })
})
