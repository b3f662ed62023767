import { describe, expect, test } from 'vitest'
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
        'books.author_id: 1 row refers to authors that are neither in the archive nor in the target: 1 -> "ada"',
        'books.editor_id: 1 row refers to authors that are neither in the archive nor in the target: 3 -> "ada"',
      ].join('\n'),
    })
    expect(await target.rows('select * from books')).toEqual([])
  })

  test('null is refused where the column may not be null', async () => {
    const { target, archive } = await givenBooksWithoutAuthors()
    await expect(target.import(archive.path, { onMissing: 'null' })).rejects.toMatchObject({
      detail: 'books.editor_id: 1 row refers to authors that are neither in the archive nor in the target: 3 -> "ada"',
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
      { title: 'three', author: null, editor: 'nobody' },
      { title: 'two', author: 'bob', editor: 'bob' },
    ])
    await target.import((await source.export({ only: ['authors'] })).path)
    expect(await target.rows(links)).toEqual([
      { title: 'one', author: 'ada', editor: 'bob' },
      { title: 'three', author: null, editor: 'ada' },
      { title: 'two', author: 'bob', editor: 'bob' },
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
})
