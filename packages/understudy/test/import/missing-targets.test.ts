import { describe, expect, test } from 'vitest'
import { importContent } from '../../src/import/import-content.js'
import { engines } from '../support/engines.js'
import { countsOf, createStage } from '../support/scenario.js'

const SCHEMA = `
create table authors (id serial primary key, name text not null unique);
create table books (
  id serial primary key,
  title text not null unique,
  author_id int references authors,
  editor_id int not null references authors
);
create table loans (book_id int references books, day date, primary key (book_id, day));
`
const CONTENT = `${SCHEMA}
insert into authors (name) values ('ada'), ('bob');
insert into books (title, author_id, editor_id) values ('one', 1, 2), ('two', 2, 2), ('three', null, 1);
insert into loans values (1, '2024-01-01'), (2, '2024-01-02');`
/** The target knows bob only. */
const TARGET = `${SCHEMA} select setval('authors_id_seq', 70); insert into authors (name) values ('bob'), ('nobody');`
const config = { relations: { authors: { placeholder: { name: 'nobody' } } } }

describe.each(engines)('missing targets on $name', (engine) => {
  async function givenBooksWithoutAuthors() {
    const source = await createStage(engine, CONTENT)
    const target = await createStage(engine, TARGET, config)
    const archive = await source.export({ exclude: ['authors'] })
    return { source, target, archive }
  }

  test('fail lists every reference with its rows and writes nothing', async () => {
    const { target, archive } = await givenBooksWithoutAuthors()
    expect(archive.warnings).toContain(
      'books.author_id refers to authors, which is not in the archive: its rows travel as identities only',
    )
    await expect(target.import(archive.path)).rejects.toMatchObject({
      code: 'IMPORT_REFUSED',
      detail: [
        'books.author_id: 1 row refers to authors that are neither in the archive nor in the target: "one" -> "ada"',
        'books.editor_id: 1 row refers to authors that are neither in the archive nor in the target: "three" -> "ada"',
      ].join('\n'),
    })
    expect(await target.rows('select * from books')).toEqual([])
  })

  test('null is refused where the column may not be null', async () => {
    const { target, archive } = await givenBooksWithoutAuthors()
    await expect(target.import(archive.path, { onMissing: 'null' })).rejects.toMatchObject({
      detail:
        'books.editor_id: 1 row refers to authors that are neither in the archive nor in the target, and the column must not be null: "three" -> "ada"',
    })
  })

  test('skip leaves the rows out, and what refers to them', async () => {
    const { target, archive } = await givenBooksWithoutAuthors()
    const result = await target.import(archive.path, { onMissing: 'skip' })
    expect(countsOf(result)).toEqual({ books: 'insert 1, skip 2', loans: 'insert 1, skip 1' })
    expect(await target.rows('select b.title, a.name from books b join authors a on a.id = b.author_id')).toEqual([
      { title: 'two', name: 'bob' },
    ])
  })

  test('a placeholder stands in until a later archive brings the target', async () => {
    const { source, target, archive } = await givenBooksWithoutAuthors()
    await target.import(archive.path, { onMissing: 'placeholder' })
    const links = `select b.title, a.name as author, e.name as editor from books b left join authors a on a.id = b.author_id join authors e on e.id = b.editor_id order by b.id`
    expect(await target.rows(links)).toEqual([
      { title: 'one', author: 'nobody', editor: 'bob' },
      { title: 'two', author: 'bob', editor: 'bob' },
      { title: 'three', author: null, editor: 'nobody' },
    ])
    const only = (await source.export({ only: ['authors'] })).path
    const lateReferences = [
      { relation: 'books', column: 'author_id', target: 'authors', rows: 1 },
      { relation: 'books', column: 'editor_id', target: 'authors', rows: 1 },
    ]
    expect(await target.import(only, { isDryRun: true })).toMatchObject({ plan: { lateReferences }, resolvedLate: 0 })
    expect(await target.import(only)).toMatchObject({ plan: { lateReferences }, resolvedLate: 2 })
    expect(await target.rows(links)).toEqual([
      { title: 'one', author: 'ada', editor: 'bob' },
      { title: 'two', author: 'bob', editor: 'bob' },
      { title: 'three', author: null, editor: 'ada' },
    ])
    expect(await target.rows('select * from understudy.late_reference')).toEqual([])
  })

  test('a late reference is resolved although a generated column calls a function that names a table without its schema', async () => {
    const schema = `
      create table kinds (id int primary key, label text not null);
      create function label_of(author int) returns text language sql immutable as 'select label from kinds where id = author';
      insert into kinds values (1, 'good');
      create table authors (id serial primary key, name text not null unique);
      create table books (title text primary key, author_id int references authors, label text generated always as (label_of(author_id)) stored);`
    const source = await createStage(
      engine,
      `${schema} insert into authors (name) values ('ada'); insert into books (title, author_id) values ('one', 1)`,
    )
    const target = await createStage(engine, schema)
    await target.import((await source.export({ exclude: ['authors'] })).path, { onMissing: 'null' })
    await target.import((await source.export({ only: ['authors'] })).path)
    expect(await target.rows('select title, name, label from books join authors on authors.id = author_id')).toEqual([
      { title: 'one', name: 'ada', label: 'good' },
    ])
  })

  test('a foreign key to a value that travels as itself waits for it too', async () => {
    const schema = `
      create table countries ("Kürzel" varchar(5) primary key, name text);
      create table people (id serial primary key, mail text not null unique, country varchar(5) references countries on update cascade);`
    const source = await createStage(
      engine,
      `${schema} insert into countries values ('de', 'Deutschland'), ('cz', 'Česko');
       insert into people (mail, country) values ('a@example.org', 'cz'), ('b@example.org', 'de'), ('c@example.org', null)`,
    )
    const target = await createStage(
      engine,
      `${schema} select setval('people_id_seq', 70); insert into countries values ('de')`,
    )
    const people = (await source.export({ only: ['people'] })).path
    await expect(target.import(people)).rejects.toMatchObject({ code: 'IMPORT_REFUSED' })
    const first = await target.import(people, { onMissing: 'null' })
    expect(first.plan.notes).toEqual([expect.stringMatching(/people\.country: .*"cz".*: null until it arrives/s)])
    const rows = 'select mail, country from people order by 1'
    expect(await target.rows(rows)).toMatchObject([{ country: null }, { country: 'de' }, { country: null }])
    const countries = (await source.export({ only: ['countries'] })).path
    const lateReferences = [{ relation: 'people', column: 'country', target: 'countries', rows: 1 }]
    expect(await target.import(countries, { isDryRun: true })).toMatchObject({ plan: { lateReferences } })
    expect(await target.import(countries)).toMatchObject({ plan: { lateReferences }, resolvedLate: 1 })
    expect(await target.rows(rows)).toMatchObject([{ country: 'cz' }, { country: 'de' }, { country: null }])
    expect(await target.rows('select from understudy.late_reference')).toEqual([])
  })

  test('a dry run plans the same and leaves nothing behind, not even a sequence value', async () => {
    const source = await createStage(engine, CONTENT)
    const target = await createStage(engine, TARGET)
    const state = `select (select last_value from books_id_seq) as books, (select last_value from authors_id_seq) as authors, to_regnamespace('understudy')::text as registry`
    const before = await target.rows(state)
    const { path } = await source.export()
    const planned = await target.import(path, { isDryRun: true })
    expect(planned.isWritten).toBe(false)
    expect(await target.rows(state)).toEqual(before)
    const done = await target.import(path)
    expect(done.plan.relations).toEqual(planned.plan.relations)
  })

  test('what was changed by hand meanwhile stays, and what the archive brings itself is no late reference', async () => {
    const { source, target, archive } = await givenBooksWithoutAuthors()
    await target.import(archive.path, { onMissing: 'placeholder' })
    await target.run(`update books set author_id = (select id from authors where name = 'bob') where title = 'one'`)
    const result = await target.import((await source.export({ only: ['authors'] })).path)
    expect(result).toMatchObject({ plan: { lateReferences: [{ column: 'editor_id', rows: 1 }] }, resolvedLate: 1 })
    await target.import(archive.path)
    expect(await target.rows('select count(*)::int as waiting from understudy.late_reference')).toEqual([
      { waiting: 0 },
    ])

    const other = await createStage(engine, TARGET, config)
    await other.import(archive.path, { onMissing: 'placeholder' })
    const all = await other.import((await source.export()).path)
    expect(all).toMatchObject({ plan: { lateReferences: [] }, resolvedLate: 0 })
    expect(await other.rows('select * from understudy.late_reference')).toEqual([])
    expect(
      await other.rows(`select a.name from books b join authors a on a.id = b.author_id where title = 'one'`),
    ).toEqual([{ name: 'ada' }])
  })

  test('a late reference is resolved without its triggers, also in a table whose identity is no primary key', async () => {
    const schema = `
      create table authors (id serial primary key, name text not null unique);
      create table notes (code text not null unique, author_id int references authors, touched int not null default 0);
      create function touch() returns trigger language plpgsql as 'begin new.touched := new.touched + 1; return new; end';
      create trigger touch before update on notes for each row execute function touch();`
    const source = await createStage(
      engine,
      `${schema} insert into authors (name) values ('ada'); insert into notes (code, author_id) values ('n', 1);`,
    )
    const target = await createStage(engine, schema)
    const first = await target.import((await source.export({ only: ['notes'] })).path, { onMissing: 'null' })
    expect(first.plan.notes).toEqual([
      expect.stringMatching(/^notes.author_id: 1 row .* -> "ada": null until it arrives$/),
    ])
    expect(await target.import((await source.export({ only: ['authors'] })).path)).toMatchObject({ resolvedLate: 1 })
    expect(await target.rows('select a.name, touched from notes n join authors a on a.id = n.author_id')).toEqual([
      { name: 'ada', touched: 0 },
    ])
    expect(await target.rows(`select tgenabled::text as state from pg_trigger where tgname = 'touch'`)).toEqual([
      { state: 'O' },
    ])
  })

  test('a reference whose target varies by row gets the placeholder of the relation that it names', async () => {
    const schema = `
      create table authors (id serial primary key, name text not null unique);
      create table shops (id serial primary key, name text not null unique);
      create table marks (id serial primary key, code text not null unique, kind text, of_id int not null);`
    const references = { 'marks.of_id': { by: 'kind', to: { author: 'authors.id', shop: 'shops.id' } } }
    const source = await createStage(
      engine,
      `${schema} insert into authors values (5, 'ada'); insert into shops values (7, 'corner');
       insert into marks (code, kind, of_id) values ('a', 'author', 5), ('s', 'shop', 7);`,
      { references },
    )
    const relations = { authors: { placeholder: { name: 'nobody' } }, shops: { placeholder: { name: 'nowhere' } } }
    const target = await createStage(
      engine,
      `${schema} insert into authors values (1, 'nobody'); insert into shops values (2, 'nowhere');`,
      { references, relations },
    )
    await target.import((await source.export({ only: ['marks'] })).path, { onMissing: 'placeholder' })
    expect(await target.rows('select code, of_id from marks order by code')).toEqual([
      { code: 'a', of_id: 1 },
      { code: 's', of_id: 2 },
    ])
    const rest = await target.import((await source.export({ only: ['authors', 'shops'] })).path)
    expect(rest.resolvedLate).toBe(2)
    expect(
      await target.rows(
        'select m.code, coalesce(a.name, s.name) as name from marks m left join authors a on a.id = of_id and kind = $$author$$ left join shops s on s.id = of_id and kind = $$shop$$ order by 1',
      ),
    ).toEqual([
      { code: 'a', name: 'ada' },
      { code: 's', name: 'corner' },
    ])
  })

  describe('a placeholder that the target lacks', () => {
    const CHECKED = `
      create table authors (
        id serial primary key, name text not null unique, born int not null, country char(2) unique,
        born_late boolean generated always as (born > 1900) stored,
        constraint grown check (born < 2000), constraint spoken check (name <> 'nobody' or country is not null)
      );
      create table books (id serial primary key, title text not null unique, author_id int references authors, editor_id int not null references authors);
      select setval('authors_id_seq', 70); insert into authors (name, born, country) values ('bob', 1950, 'NZ');`

    async function importWith(placeholder: Record<string, unknown> | undefined, isDryRun = false) {
      const source = await createStage(engine, CONTENT)
      const archive = await source.export({ only: ['books'] })
      const target = await createStage(engine, CHECKED, { relations: { authors: { placeholder } } })
      return { target, source, work: target.import(archive.path, { onMissing: 'placeholder', isDryRun }) }
    }

    const REFUSED: readonly (readonly [
      why: string,
      placeholder: Record<string, unknown> | undefined,
      detail: string | RegExp,
    ])[] = [
      ['no configuration', undefined, 'authors: no placeholder is configured (relations.authors.placeholder)'],
      [
        'a value that must not be null',
        { name: 'nobody', country: 'XX' },
        'authors.born: the placeholder {"name":"nobody","country":"XX"} lacks a value that must not be null (relations.authors.placeholder.born)',
      ],
      [
        'a value that the type refuses',
        { name: 'nobody', born: 'once' },
        /^authors\.born: the placeholder's value "once" is refused: .*\(relations\.authors\.placeholder\.born\)$/,
      ],
      [
        'values that a check refuses',
        { name: 'nobody', born: 2010 },
        /^authors\.born: the placeholder .* does not pass the check grown .*\nauthors\..*name.*: the placeholder .* does not pass the check spoken .*relations\.authors\.placeholder\)$/,
      ],
      [
        'a value that another row has',
        { name: 'nobody', born: 1900, country: 'NZ' },
        /^authors\.country: the placeholder .* would have a value of authors_country_key that another row has/,
      ],
      ['a column that is none', { title: 'x' }, /^authors\.title: the placeholder has a column that the target lacks/],
    ]

    test('is refused beforehand, with what it lacks and where that is configured', async () => {
      const source = await createStage(engine, CONTENT)
      const archive = (await source.export({ only: ['books'] })).path
      const target = await createStage(engine, CHECKED)
      const { database } = target.created
      for (const [why, placeholder, detail] of REFUSED) {
        const settings = { ...target.settings, relations: { authors: { placeholder } } }
        await expect(
          importContent(settings, { archive, mode: 'replace', onMissing: 'placeholder', database }),
          why,
        ).rejects.toMatchObject({
          code: 'IMPORT_REFUSED',
          detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
          problems: expect.arrayContaining([expect.objectContaining({ kind: 'placeholder', relation: 'authors' })]),
        })
      }
      expect(await target.rows('select name from authors')).toEqual([{ name: 'bob' }])
    })

    test('is made of the values that are configured, once, and gives way later', async () => {
      const placeholder = { name: 'nobody', born: 1900, country: 'XX' }
      const dry = await importWith(placeholder, true)
      const note = 'authors: the placeholder {"name":"nobody","born":1900,"country":"XX"} is added'
      expect((await dry.work).plan.notes).toContain(note)
      expect(await dry.target.rows('select last_value from authors_id_seq')).toEqual([{ last_value: 71 }])

      const { target, source, work } = await importWith(placeholder)
      expect((await work).plan.notes).toContain(note)
      expect(await target.rows('select id, name, born, country, born_late from authors order by id')).toEqual([
        { id: 71, name: 'bob', born: 1950, country: 'NZ', born_late: true },
        { id: 72, name: 'nobody', born: 1900, country: 'XX', born_late: false },
      ])
      expect(await target.rows('select title, author_id, editor_id from books order by title')).toEqual([
        { title: 'one', author_id: 72, editor_id: 71 },
        { title: 'three', author_id: null, editor_id: 72 },
        { title: 'two', author_id: 71, editor_id: 71 },
      ])
      const again = await target.import((await source.export({ only: ['books'] })).path, { onMissing: 'placeholder' })
      expect(again.plan.notes).not.toContain(note)
      await target.run(`insert into authors (name, born) values ('ada', 1815)`)
      expect(await target.import((await source.export({ only: ['books'] })).path)).toMatchObject({
        plan: { notes: [] },
      })
      expect(await target.rows('select * from understudy.late_reference')).toEqual([])
    })
  })
})
