import { describe, expect, test } from 'vitest'
import { type Engine, engines } from '../support/engines.js'
import { countsOf, createStage, digestsOf, type Stage } from '../support/scenario.js'

/** No natural key but the author's name: notes refer to authors and to each other. */
const SCHEMA = `
create table authors (id serial primary key, name text not null unique);
create table notes (id serial primary key, author_id int not null references authors, answers int references notes on delete cascade, body text);
create table marks (id uuid primary key default gen_random_uuid(), note_id int references notes on delete cascade, "we""ird" text);
`
const CONTENT = `
insert into authors (name) values ('Ada'), ('Bob');
insert into notes (author_id, body) values (1, 'one'), (2, 'two');
insert into notes (author_id, answers, body) values (2, 1, 'answer to one');
insert into marks (note_id, "we""ird") values (1, 'x'), (3, 'x');
`

const NOTES = `
select a.name, n.body, q.body as question
  from notes n join authors a on a.id = n.author_id left join notes q on q.id = n.answers
 order by n.body collate "C"`

/** A database with numbers of its own. */
async function emptyStage(engine: Engine, firstId: number): Promise<Stage> {
  return await createStage(
    engine,
    `${SCHEMA} select setval('authors_id_seq', ${firstId}); select setval('notes_id_seq', ${firstId})`,
  )
}

/** Brings the content of one database into another, and finds both equal. */
async function bring(from: Stage, to: Stage, mode: 'init' | 'replace' = 'replace'): Promise<Record<string, string>> {
  const exported = await from.export()
  const counts = countsOf(await to.import(exported.path, { mode }))
  expect(digestsOf(await to.export())).toEqual(digestsOf(exported))
  expect(await to.rows(NOTES)).toEqual(await from.rows(NOTES))
  return counts
}

describe.each(engines)('rows without a natural key on $name', (engine) => {
  test('an init, then changes and new rows on the source: they are found again, and nothing doubles', async () => {
    const source = await createStage(engine, SCHEMA + CONTENT)
    const target = await emptyStage(engine, 500)
    expect(await bring(source, target, 'init')).toEqual({ authors: 'insert 2', notes: 'insert 3', marks: 'insert 2' })
    const ids = `select id, body from notes where body <> 'three' order by id`
    const before = await target.rows(ids)
    await source.run(`
      update notes set body = 'ONE' where id = 1;
      insert into notes (author_id, answers, body) values (1, 3, 'three');
      insert into marks (note_id, "we""ird") values (4, 'y');
    `)
    expect(await bring(source, target)).toEqual({
      authors: 'same 2',
      notes: 'insert 1, update 1, same 2',
      marks: 'insert 1, same 2',
    })
    expect(await target.rows(ids)).toEqual(before.map((row) => (row.body === 'one' ? { ...row, body: 'ONE' } : row)))
    expect(await bring(source, target)).toEqual({ authors: 'same 2', notes: 'same 4', marks: 'same 3' })
  })

  test('on the way back home rows are found under the keys that they were born with', async () => {
    const home = await createStage(engine, SCHEMA + CONTENT)
    const away = await emptyStage(engine, 500)
    await bring(home, away, 'init')
    await away.run(`
      update notes set body = 'two, changed away' where body = 'two';
      insert into notes (author_id, answers, body) select author_id, id, 'born away' from notes where body = 'one';
    `)
    expect(await bring(away, home)).toEqual({ authors: 'same 2', notes: 'insert 1, update 1, same 2', marks: 'same 2' })
    expect(await home.rows(`select id, body from notes order by id`)).toEqual([
      { id: 1, body: 'one' },
      { id: 2, body: 'two, changed away' },
      { id: 3, body: 'answer to one' },
      { id: 4, body: 'born away' },
    ])
    expect(await bring(home, away)).toEqual({ authors: 'same 2', notes: 'same 4', marks: 'same 2' })
  })

  test('three databases in a chain, changed at each of them and carried on to the first, hold the same rows', async () => {
    const first = await createStage(engine, SCHEMA + CONTENT)
    const second = await emptyStage(engine, 500)
    const third = await emptyStage(engine, 90)
    await bring(first, second, 'init')
    await bring(second, third, 'init')
    const change = (place: string) => `
      update notes set body = body || ' (${place})' where body like 'two%';
      insert into notes (author_id, body) select id, 'born ${place}' from authors where name = 'Bob'`
    for (const [from, to, place, counts] of [
      [first, second, 'first', 'insert 1, update 1, same 2'],
      [second, third, 'second', 'insert 2, update 1, same 2'],
      [third, first, 'third', 'insert 2, update 1, same 3'],
      [first, second, 'first again', 'insert 2, update 1, same 4'],
    ] as const) {
      await from.run(change(place))
      expect((await bring(from, to)).notes).toBe(counts)
    }
    await bring(second, third)
    for (const stage of [first, second, third]) {
      expect(await stage.rows(`select count(*) as notes, count(distinct body) as bodies from notes`)).toEqual([
        { notes: 7, bodies: 7 },
      ])
    }
    expect(digestsOf(await third.export())).toEqual(digestsOf(await first.export()))
  })

  test('a relation that was empty when a chain began tells its rows apart all the same', async () => {
    const [first, second, third] = [
      await createStage(engine, `${SCHEMA} insert into authors (name) values ('Ada')`),
      await emptyStage(engine, 1),
      await emptyStage(engine, 1),
    ]
    await bring(first, second, 'init')
    await bring(second, third, 'init')
    for (const stage of [first, third])
      await stage.run(`insert into notes (author_id, body) select id, 'own' from authors`)
    expect(countsOf(await first.import((await third.export()).path)).notes).toBe('insert 1')
    expect(await first.rows(`select body from notes`)).toEqual([{ body: 'own' }, { body: 'own' }])
  })

  test('a row that comes home after it was deleted there never shares its name with a later row', async () => {
    const home = await createStage(engine, SCHEMA + CONTENT)
    const away = await emptyStage(engine, 500)
    await bring(home, away, 'init')
    await away.run(`delete from notes where body = 'two'`)
    // As after a restore from an earlier backup: rows are gone, and the sequence gives their numbers again.
    await home.run(`delete from notes where id > 1; select setval('notes_id_seq', 1)`)
    expect(countsOf(await home.import((await away.export()).path)).notes).toBe('insert 1, same 1')
    await home.run(`insert into notes (author_id, body) values (1, 'later'), (1, 'later still')`)
    expect(await bring(home, away)).toMatchObject({ notes: 'insert 2, same 2' })
  })

  test('rows on both sides that nothing connects are refused, with the ways out', async () => {
    const source = await createStage(engine, SCHEMA + CONTENT)
    const other = await createStage(engine, SCHEMA + CONTENT)
    const { path } = await source.export()
    await expect(other.import(path)).rejects.toMatchObject({
      code: 'IMPORT_REFUSED',
      message: 'rows on both sides have nothing in common',
      detail:
        'marks: both sides hold rows without a natural key, and nothing tells which are the same\n' +
        'notes: both sides hold rows without a natural key, and nothing tells which are the same',
      hint: expect.stringMatching(/understudy adopt --by primary-key <archive>.*relations\.<name>\.identity.*owner/s),
    })
    expect(await other.rows(`select count(*) as notes from notes`)).toEqual([{ notes: 3 }])
  })
})
