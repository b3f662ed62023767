import { describe, expect, test } from 'vitest'
import { errorOf, transfer } from '../hard/support.js'
import { engines } from '../support/engines.js'
import { countsOf, createStage } from '../support/scenario.js'

const POSTS = `create table authors (id serial primary key, login text not null unique);
  create table posts (id bigserial primary key, slug text not null unique, post_parent bigint not null default 0, author_ref varchar(20) not null default '',
    kind text not null default 'page', object_id int not null default -1);
  create table menu (parent bigint not null, place int not null, label text, primary key (parent, place));`
const LINKED = `select p.slug, u.slug as parent, p.post_parent <= 0 as is_top, a.login, p.author_ref = '' as is_anonymous, o.login as object, p.object_id < 0 as is_none
  from posts p left join posts u on u.id = p.post_parent left join authors a on a.id::text = p.author_ref left join authors o on p.kind = 'author' and o.id = p.object_id
 where p.slug not like 'own%' order by 1`
const references = {
  'posts.post_parent': { to: 'posts.id', none: 0 },
  'posts.author_ref': { to: 'authors.id', none: ['', '0'] },
  'posts.object_id': { by: 'kind', to: { author: 'authors.id' }, none: -1 },
  'menu.parent': { to: 'posts.id', none: 0 },
}

describe.each(engines)('references that say "none" by a value on $name', (engine) => {
  test('keep that value, in a key too, and lead to the same rows otherwise', async () => {
    const { source, target } = await transfer(engine, {
      schema: POSTS,
      source: `insert into authors (login) values ('ada'), ('bo'); insert into posts (slug, post_parent, author_ref, kind, object_id) values
          ('top', 0, '', 'page', -1), ('under', 1, '2', 'author', 1), ('deep', 2, '0', 'author', -1);
        insert into menu values (0, 1, 'home'), (0, 2, 'more'), (2, 1, 'under');`,
      target: `insert into authors values (11, 'bo'), (12, 'own'); insert into posts values (5, 'own', 0, '12', 'author', 12), (6, 'under', 5, '', 'page', -1), (7, 'top', 6, '', 'page', -1);
        insert into menu values (0, 1, 'old'), (5, 1, 'own'), (6, 1, 'old'); select setval('authors_id_seq', 12), setval('posts_id_seq', 7);`,
      config: { references },
      equal: [
        LINKED,
        `select m.parent = 0 as is_top, p.slug, m.place, m.label from menu m left join posts p on p.id = m.parent where label <> 'own' order by 1, 2, 3`,
      ],
    })
    expect(await target.rows(`select slug, post_parent, author_ref, object_id from posts where id = 5`)).toEqual([
      { slug: 'own', post_parent: 0, author_ref: '12', object_id: 12 },
    ])
    await source.run(`update posts set post_parent = 0 where slug = 'deep'`)
    expect(countsOf(await target.import((await source.export()).path))).toMatchObject({ posts: 'update 1, same 2' })
    expect(await target.rows(LINKED)).toEqual(await source.rows(LINKED))
  })

  test('are suggested where dangling values are all the same, and refused where they cannot be', async () => {
    const undeclared = { ...references, 'posts.post_parent': { to: 'posts.id' } }
    const stage = await createStage(engine, `${POSTS} insert into posts (slug) values ('a'), ('b')`, {
      references: undeclared,
    })
    expect(await errorOf(stage.export())).toMatchObject({
      code: 'IDENTITY_PREFLIGHT',
      text: expect.stringContaining('all hold 0: if that means that there is no row, add `none: 0` to the reference'),
    })
    await stage.run(`alter table posts add tags int[], add author_id int references authors`)
    const wrong = await createStage(
      engine,
      `${POSTS} alter table posts add tags int[], add author_id int references authors`,
      {
        references: {
          'posts.post_parent': { to: 'posts.id', none: 'x' },
          'posts.tags': { to: 'authors.id', none: 0 },
          'posts.author_id': { to: 'authors.id', none: 0 },
        },
      },
    )
    const { code, text } = await errorOf(wrong.export())
    expect(code).toBe('MODEL_INVALID')
    expect(text).toContain('references.posts.post_parent: none: "x" is no value of post_parent, of type bigint')
    expect(text).toContain('references.posts.tags: none: it stands for one value, and this is a list')
    expect(text).toContain('references.posts.author_id: none: the foreign key posts_author_id_fkey')
  })
})
