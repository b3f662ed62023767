import { describe, expect, test } from 'vitest'
import type { UnderstudyConfig } from '../../src/config/define-config.js'
import { inspectDatabase } from '../../src/inspect/inspect-database.js'
import { engines } from '../support/engines.js'
import { createStage, type Stage } from '../support/scenario.js'

const SCHEMA = `
  create table posts (id int generated always as identity primary key, slug text unique not null);
  create table doc (
    code text primary key, data jsonb not null, "in""fo" text,
    post_id int generated always as ((data ->> 'post')::int + coalesce(length("in""fo"), 0)) stored references posts
  );
  create table notes (code text primary key, post int references posts, same int generated always as (post) stored references posts);
  create table tags (code text primary key, text text, slug text generated always as (lower(text)) stored references posts (slug));
  create table pins (code text primary key, place text, post_id int generated always as (place::int) stored references posts);
  insert into posts (slug) values ('a');
  insert into doc values ('d', '{"post": 1}'); insert into notes values ('n', 1); insert into tags values ('t', 'A'); insert into pins values ('p', '1')`

const DOC =
  'is computed from data, in"fo, where no reference is declared: elsewhere it refers to another row of posts, or to none'
const PINS =
  'is computed from place, where no reference is declared: elsewhere it refers to another row of posts, or to none'

const inspect = (stage: Stage) => inspectDatabase(stage.settings, { database: stage.created.database })

describe.each(engines)('references by generated columns on $name', (engine) => {
  test('are named by inspect and export, unless what they are computed from is a reference or travels as it is', async () => {
    const stage = await createStage(engine, SCHEMA)
    const { warnings, relations } = await inspect(stage)
    expect(warnings.filter(({ kind }) => kind === 'computed reference')).toEqual([
      { relation: 'doc', column: 'post_id', kind: 'computed reference', message: DOC },
      { relation: 'pins', column: 'post_id', kind: 'computed reference', message: PINS },
    ])
    expect(
      relations.flatMap(({ relation, references }) =>
        references.map(({ columns, isComputed }) => `${relation}.${columns.join()} ${isComputed}`),
      ),
    ).toEqual(['doc.post_id true', 'notes.post false', 'notes.same true', 'pins.post_id true', 'tags.slug true'])
    const remedy = 'say under `references` what it is computed from'
    expect((await stage.export()).warnings).toEqual([
      `doc.post_id ${DOC}; ${remedy}`,
      `pins.post_id ${PINS}; ${remedy}`,
    ])
    expect((await stage.export({ only: ['posts', 'pins'] })).warnings).toEqual([`pins.post_id ${PINS}; ${remedy}`])
    expect((await stage.export({ purpose: 'backup' })).warnings).toEqual([])
  })

  test('follow the row where the column that they read is declared', async () => {
    const config: UnderstudyConfig = { exclude: ['doc'], references: { 'pins.place': { to: 'posts.id' } } }
    const source = await createStage(engine, SCHEMA, config)
    const target = await createStage(engine, `${SCHEMA}; truncate posts cascade; insert into posts (slug) values ('b')`)
    expect((await inspect(source)).warnings.map(({ kind }) => kind)).not.toContain('computed reference')
    const { path, warnings } = await source.export()
    expect(warnings).toEqual([])
    await target.import(path)
    expect(await target.rows('select slug from pins p join posts on posts.id = p.post_id')).toEqual([{ slug: 'a' }])
  })
})
