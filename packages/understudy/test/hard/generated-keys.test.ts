import { describe, expect, test } from 'vitest'
import { engines } from '../support/engines.js'
import { createStage } from '../support/scenario.js'
import { errorOf, transfer } from './support.js'

const TABLES = `
  create function public.fold(t text) returns text language sql immutable as $$ select lower(t) $$;
  create function public.code_of(t text) returns text language sql immutable as $$ select fold(t) $$;
  create table products (id serial primary key, xmlid text not null unique, sku text not null,
    code text generated always as (public.code_of(sku)) stored unique, label text generated always as ('P-' || id) stored unique);
  create table lines (xmlid text primary key, code text not null references products (code), label text references products (label) on delete cascade);`
const LINKED = `select l.xmlid, l.code, p.xmlid as by_code, q.xmlid as by_label from lines l join products p using (code) left join products q on q.label = l.label
 where l.xmlid <> 'own' order by 1`
const SOURCE = `insert into products (xmlid, sku) values ('p1', 'AB'), ('p2', 'CD'), ('p3', 'EF'); insert into lines values ('x', 'ab', 'P-2'), ('y', 'cd', null), ('z', 'ef', 'P-3');`

describe.each(engines)('foreign keys to generated columns on $name', (engine) => {
  test.each([
    {},
    {
      target: `insert into products (id, xmlid, sku) values (7, 'own', 'Own'), (8, 'p2', 'Old'), (2, 'own too', 'XX'); insert into lines values ('own', 'own', 'P-2'), ('y', 'old', 'P-8');
     select setval('products_id_seq', 8);`,
    },
  ])('find the rows that come and those that are there (%#)', async (target: { target?: string }) => {
    const { target: there } = await transfer(engine, { schema: TABLES, source: SOURCE, ...target, equal: [LINKED] })
    if (target.target === undefined) return
    expect(await there.rows(`select p.xmlid from lines l join products p using (label) where l.xmlid = 'own'`)).toEqual(
      [{ xmlid: 'own too' }],
    )
  })

  test('are refused by name where the column is computed from a reference and rows are new', async () => {
    const schema = `create table firms (id serial primary key, xmlid text not null unique);
      create table sites (id serial primary key, xmlid text not null unique, firm_id int not null references firms, code text generated always as ('F' || firm_id) stored unique);
      create table rooms (xmlid text primary key, site text references sites (code));`
    const source = await createStage(
      engine,
      `${schema} insert into firms values (3, 'f'), (4, 'g'); insert into sites (xmlid, firm_id) values ('s', 4); insert into rooms values ('r', 'F4')`,
    )
    const { path } = await source.export()
    const empty = await createStage(engine, schema)
    expect(await errorOf(empty.import(path, { mode: 'init' }))).toEqual({
      code: 'IMPORT_REFUSED',
      text: expect.stringMatching(
        /sites\.code: other rows refer to this generated column, which is computed from firm_id/,
      ),
    })
    const filled = await createStage(
      engine,
      `${schema} insert into firms values (1, 'g'); insert into sites (xmlid, firm_id) values ('s', 1)`,
    )
    await filled.import(path)
    expect(await filled.rows('select s.xmlid, site from rooms join sites s on s.code = site')).toEqual([
      { xmlid: 's', site: 'F1' },
    ])
  })
})
