import { describe, expect, test } from 'vitest'
import { inspectDatabase } from '../../src/inspect/inspect-database.js'
import { engines } from '../support/engines.js'
import { countsOf, createStage, digestsOf } from '../support/scenario.js'

const SCHEMA = `
create table pages (id serial primary key, slug text not null unique);
create table sections (id serial primary key, page_id int not null references pages on delete cascade, heading text);
create table items (id serial primary key, section_id int not null references sections on delete cascade, label text, unique (section_id, label));
`
const CONTENT = `${SCHEMA}
insert into pages (slug) values ('home'), ('about'), ('empty');
insert into sections (page_id, heading) values (1, 'twin'), (1, 'twin'), (1, 'news'), (2, 'twin');
insert into items (section_id, label) values (1, 'a'), (1, 'b'), (2, 'a'), (2, 'b'), (3, 'x'), (4, 'b');
`
const config = { relations: { sections: { owner: 'page_id' }, items: { owner: 'section_id' } } }
const tree = `select p.slug, s.heading, coalesce(string_agg(i.label, '' order by i.label), '') as items
  from sections s join pages p on p.id = s.page_id left join items i on i.section_id = s.id group by p.slug, s.id, s.heading order by 1, 2, 3`

describe.each(engines)('content children on $name', (engine) => {
  test('three imports leave the same rows, and what the owner does not have any more goes', async () => {
    const source = await createStage(engine, CONTENT, config)
    const target = await createStage(
      engine,
      `${SCHEMA} select setval('sections_id_seq', 100); insert into pages (slug) values ('local'), ('home');
       insert into sections (page_id, heading) values (1, 'mine'), (2, 'twin'), (2, 'old');
       insert into items (section_id, label) values (101, 'mine'), (102, 'a'), (102, 'b'), (103, 'gone');`,
      config,
    )
    const first = await source.export()
    expect(countsOf(await target.import(first.path))).toEqual({
      pages: 'insert 2, same 1',
      sections: 'insert 3, delete 1, same 1',
      items: 'insert 4, delete 1, same 2',
    })
    const expected = [...(await source.rows(tree)), { slug: 'local', heading: 'mine', items: 'mine' }].toSorted(
      (a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1),
    )
    const actual = async () =>
      (await target.rows(tree)).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    expect(await actual()).toEqual(expected)
    for (let round = 0; round < 2; round++) {
      const again = await target.import(first.path)
      expect(again.plan.relations.every((each) => each.inserts + each.updates + each.deletes === 0)).toBe(true)
      expect(await actual()).toEqual(expected)
    }
  })

  test('a change deep inside replaces the subtree that it is in, and no other', async () => {
    const source = await createStage(engine, CONTENT, config)
    const target = await createStage(engine, SCHEMA, config)
    await target.import((await source.export()).path, { mode: 'init' })
    const kept = await target.rows(`select id from sections where heading = 'news'`)
    await source.run(`update items set label = 'c' where section_id = 2 and label = 'b'`)
    const changed = await source.export()
    expect(countsOf(await target.import(changed.path))).toEqual({
      pages: 'same 3',
      sections: 'insert 1, delete 1, same 3',
      items: 'insert 2, delete 2, same 4',
    })
    expect(await target.rows(tree)).toEqual(await source.rows(tree))
    expect(await target.rows(`select id from sections where heading = 'news'`)).toEqual(kept)
    expect(digestsOf(await target.export())).toEqual(digestsOf(changed))
  })

  test('an owner that only one column can name needs no line; one of two must be declared', async () => {
    const schema = `${SCHEMA} create table ties (id serial primary key, page_id int references pages, other_id int references sections, note text)`
    const content = { identity: 'content' } as const
    const children = { sections: content, items: content }
    const source = await createStage(engine, CONTENT, { relations: children })
    const target = await createStage(engine, `${CONTENT} insert into items (section_id, label) values (3, 'gone')`, {
      relations: children,
    })
    expect(countsOf(await target.import((await source.export()).path))).toMatchObject({
      items: 'insert 1, delete 2, same 5',
    })

    const torn = await createStage(engine, schema, { relations: { ...children, ties: content } })
    await expect(torn.export()).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      detail:
        "relations.ties.owner: page_id and other_id both refer to rows that could own these; say owner: 'page_id' or 'other_id', or null where none does",
    })
    for (const owner of ['page_id', 'other_id', null]) {
      const settings = { ...torn.settings, relations: { ...children, ties: { owner } } }
      const { problems, relations } = await inspectDatabase(settings, { database: torn.created.database })
      expect(problems).toEqual([])
      expect(relations.find(({ name }) => name === 'ties')?.identity).toMatchObject({ kind: 'content', owner })
    }
  })
})
