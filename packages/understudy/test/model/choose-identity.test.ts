import { expect, test } from 'vitest'
import { transfer } from '../hard/support.js'
import { engines } from '../support/engines.js'

// The choice is made from the catalog, which is the same on all engines.
const [engine] = engines

test('a place among others, as in a nested set, is no identity where another key is', async () => {
  if (engine === undefined) return
  const { target } = await transfer(engine, {
    schema: `create table nodes (id serial primary key, lft int not null, slug text not null unique, parent_id int references nodes, unique (lft) deferrable);
      create table steps (id serial primary key, a_place int not null unique, plan text not null, name text not null, unique (plan, name));`,
    source: `insert into nodes (lft, slug, parent_id) values (1, 'root', null), (2, 'new', 1), (4, 'leaf', 1); insert into steps (a_place, plan, name) values (1, 'p', 'first'), (2, 'p', 'second');`,
    target: `insert into nodes (id, lft, slug, parent_id) values (8, 1, 'root', null), (9, 2, 'leaf', 8); insert into steps (id, a_place, plan, name) values (5, 2, 'p', 'first'), (6, 9, 'p', 'own');
      select setval('nodes_id_seq', 9), setval('steps_id_seq', 6);`,
    equal: [
      'select n.slug, n.lft, p.slug as parent from nodes n left join nodes p on p.id = n.parent_id order by 1',
      `select name, a_place from steps where name <> 'own' order by 1`,
    ],
  })
  expect(await target.rows(`select id, slug from nodes where id in (8, 9) order by 1`)).toEqual([
    { id: 8, slug: 'root' },
    { id: 9, slug: 'leaf' },
  ])
  expect(await target.rows(`select id, name from steps where id in (5, 6) order by 1`)).toEqual([
    { id: 5, name: 'first' },
    { id: 6, name: 'own' },
  ])
})
