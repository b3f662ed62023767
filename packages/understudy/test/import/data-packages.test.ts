import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { engines } from '../support/engines.js'
import { createStage } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'

const SCHEMA = `
create table tags (id serial primary key, name text not null unique);
create table people (id serial primary key, mail text not null unique, tag_id int references tags);
create table plays (id serial primary key, code text not null unique, author_id int not null references people, tag_id int references tags);
create table casts (play_id int references plays, person_id int references people, part text, primary key (play_id, person_id));`
const CONTENT = `${SCHEMA}
insert into tags (name) values ('comedy'), ('drama');
insert into people (mail, tag_id) values ('ada@example.org', 1), ('bob@example.org', null);
insert into plays (code, author_id, tag_id) values ('clouds', 1, 1), ('birds', 2, 2);
insert into casts values (1, 2, 'Strepsiades');`

const packages = {
  datA_base: {
    title: 'Tags',
    relations: ['tags'],
    seeds: ['tags.sql', { file: 'stand-in.ts', modes: ['init'] as const }],
  },
  datB_people: { title: 'People', relations: ['people'] },
  datC_plays: { title: 'Plays', relations: ['plays', 'casts'], after: ['tidy.sql'] },
  datF_late: { title: 'Late references', assignments: true },
}
const TAGS = `insert into tags (name) values ('comedy'), ('puppets') on conflict (name) do nothing;`
const STAND_IN = `import { defineSeed } from 'understudy'
export default defineSeed(async (db) => {
  await db.query('insert into people (mail) values ($1)', ['nobody@example.org'])
})`
const SENT_COMMIT = (sql: string) => `export default async (db) => {
  await db.execute('set standard_conforming_strings = off')
  await db.execute(${JSON.stringify(sql)})
}`
const TIDY = `delete from people where mail = 'nobody@example.org'
  and not exists (select from understudy.late_reference l where l.target = 'people' and l.stand_in = people.id::text);`

describe.each(engines)('data packages on $name', (engine) => {
  async function givenStages(dataPackages: object = packages, relations: object = {}) {
    const source = await createStage(engine, CONTENT)
    const stage = await createStage(engine, `${SCHEMA} select setval('people_id_seq', 50)`, {
      relations: { people: { placeholder: { mail: 'nobody@example.org' } }, ...relations },
      dataPackages: dataPackages as never,
    })
    await writeFile(join(stage.settings.root, 'tags.sql'), TAGS)
    await writeFile(join(stage.settings.root, 'stand-in.ts'), STAND_IN)
    await writeFile(join(stage.settings.root, 'tidy.sql'), TIDY)
    return { source, stage }
  }

  test('report what each of them did, and bind references across them', async () => {
    const { source, stage } = await givenStages()
    const { packages: reports } = await stage.import((await source.export()).path, { mode: 'init' })
    expect(reports).toMatchObject([
      { name: 'datA_base', title: 'Tags', seeded: 3, inserts: 1, unchanged: 1 },
      { name: 'datB_people', seeded: 0, inserts: 2 },
      { name: 'datC_plays', seeded: 1, inserts: 3 },
      { name: 'datF_late', inserts: 0, assignments: { resolved: 0, open: [] } },
    ])
    expect(await stage.rows('select name from tags order by 1')).toEqual([
      { name: 'comedy' },
      { name: 'drama' },
      { name: 'puppets' },
    ])
    expect(await stage.rows('select mail from people order by 1')).toEqual([
      { mail: 'ada@example.org' },
      { mail: 'bob@example.org' },
    ])
    expect(
      await stage.rows(
        'select p.code, a.mail, t.name from plays p join people a on a.id = author_id join tags t on t.id = p.tag_id order by 1',
      ),
    ).toEqual([
      { code: 'birds', mail: 'bob@example.org', name: 'drama' },
      { code: 'clouds', mail: 'ada@example.org', name: 'comedy' },
    ])
  })

  test('a seed of another mode does not run, and a dry run leaves nothing of the others', async () => {
    const { source, stage } = await givenStages()
    const { path } = await source.export()
    await stage.import(path, { mode: 'replace', isDryRun: true })
    expect(await stage.rows('select from tags')).toEqual([])
    const { packages: reports } = await stage.import(path, { mode: 'replace' })
    expect(reports[0]).toMatchObject({ seeded: 2 })
  })

  test('a package of another mode takes no part: neither its relations nor its scripts', async () => {
    const { datA_base, datB_people, datC_plays, datF_late } = packages
    const { source, stage } = await givenStages({
      datA_base,
      datB_people,
      datC_plays: { ...datC_plays, modes: ['replace'] },
      datF_late,
    })
    const { path } = await source.export()
    const first = await stage.import(path, { mode: 'init' })
    expect(first.packages.map(({ name }) => name)).toEqual(['datA_base', 'datB_people', 'datF_late'])
    expect(await stage.rows('select from plays')).toEqual([])
    await stage.import(path, { mode: 'replace' })
    expect(await stage.rows('select from plays')).toHaveLength(2)
  })

  test('a range loads its packages only, and binds the others’ rows to what is there', async () => {
    const { source, stage } = await givenStages()
    const { path } = await source.export()
    await stage.run(
      `insert into tags (name) values ('drama'), ('comedy'); insert into people (mail) values ('bob@example.org'), ('ada@example.org')`,
    )
    const { packages: reports, plan } = await stage.import(path, { packages: { from: 'DATC', to: 'datc_plays' } })
    expect(reports.map(({ name }) => name)).toEqual(['datC_plays'])
    expect(plan.relations.map(({ relation }) => relation)).toEqual(['casts', 'plays'])
    expect(await stage.rows('select p.code, a.mail from plays p join people a on a.id = author_id order by 1')).toEqual(
      [
        { code: 'birds', mail: 'bob@example.org' },
        { code: 'clouds', mail: 'ada@example.org' },
      ],
    )
    expect(await stage.rows(`select tag_id from people where mail = 'ada@example.org'`)).toEqual([{ tag_id: null }])
  })

  test('placeholders stay for what is still bound to them, and are listed until their target arrives', async () => {
    const { source, stage } = await givenStages()
    const { path } = await source.export({ exclude: ['people', 'casts'] })
    const first = await stage.import(path, { mode: 'init', onMissing: 'placeholder' })
    expect(first.packages.at(-1)?.assignments).toEqual({
      resolved: 0,
      open: [
        {
          relation: 'plays',
          column: 'author_id',
          target: 'people',
          rows: 2,
          samples: ['"ada@example.org"', '"bob@example.org"'],
        },
      ],
    })
    expect(await stage.rows('select mail from people')).toEqual([{ mail: 'nobody@example.org' }])
    const second = await stage.import((await source.export({ only: ['people'] })).path)
    expect(second.packages.at(-1)?.assignments).toEqual({ resolved: 2, open: [] })
    expect(await stage.rows('select mail from people order by 1')).toEqual([
      { mail: 'ada@example.org' },
      { mail: 'bob@example.org' },
    ])
  })

  test('an init is refused for rows that were there, not for those that its seeds make', async () => {
    const { source, stage } = await givenStages()
    await stage.run(`insert into people (mail) values ('local@example.org')`)
    await expect(stage.import((await source.export()).path, { mode: 'init' })).rejects.toMatchObject({
      code: 'IMPORT_REFUSED',
      detail: expect.stringContaining('people: the target holds 1 row that the archive does not have'),
    })
    expect(await stage.rows('select mail from people')).toEqual([{ mail: 'local@example.org' }])
    expect(await stage.rows('select from tags')).toEqual([])
  })

  test('the checks run inside the import, and take it back where one of them fails', async () => {
    const { source, stage } = await givenStages({
      ...packages,
      datH_checks: { title: 'Checks', validation: true },
    })
    const { path } = await source.export()
    await mkdir(join(stage.settings.root, 'checks'))
    const check = join(stage.settings.root, 'checks', 'authors.sql')
    await writeFile(
      check,
      `select code from plays where author_id = (select id from people where mail = 'bob@example.org')`,
    )
    await expect(stage.import(path, { mode: 'init' })).rejects.toMatchObject({
      code: 'CHECKS_FAILED',
      detail: 'project: authors: 1 row: birds',
    })
    expect(await stage.rows('select from plays')).toEqual([])
    await writeFile(check, 'select code from plays where author_id is null')
    const { packages: reports } = await stage.import(path, { mode: 'init' })
    expect(reports.at(-1)?.checks?.filter(({ status }) => status !== 'passed')).toEqual([])
    expect(reports.at(-1)?.checks?.length).toBeGreaterThan(5)
  })

  test('a seed that fails takes everything back, and is named', async () => {
    const { source, stage } = await givenStages()
    await writeFile(join(stage.settings.root, 'tidy.sql'), 'insert into tags (name) values (null)')
    await expect(stage.import((await source.export()).path, { mode: 'init' })).rejects.toMatchObject({
      code: 'SEED_FAILED',
      message: expect.stringContaining('tidy.sql: '),
    })
    expect(await stage.rows('select from tags')).toEqual([])
    expect(await stage.rows('select from plays')).toEqual([])
  })

  test.each([
    ['tags.sql', true],
    ['tags.sql', false],
    ['tidy.sql', false],
  ])('a script that would commit is refused before anything is written: %s, dry run %s', async (file, isDryRun) => {
    const { source, stage } = await givenStages()
    await writeFile(join(stage.settings.root, file), `insert into tags (name) values ('early');\ncommit;`)
    await expect(stage.import((await source.export()).path, { isDryRun })).rejects.toMatchObject({
      code: 'SEED_INVALID',
      detail: expect.stringMatching(new RegExp(`${file}: it would begin or end a transaction: line 2: commit$`)),
      hint: expect.stringContaining('Nothing was written.'),
    })
    expect(await stage.rows('select from tags')).toEqual([])
    expect(await stage.rows('select from plays')).toEqual([])
  })

  test('a script that sends a commit is taken back with the import', async () => {
    const { source, stage } = await givenStages()
    await writeFile(join(stage.settings.root, 'stand-in.ts'), SENT_COMMIT('commit'))
    await expect(stage.import((await source.export()).path, { mode: 'init' })).rejects.toMatchObject({
      code: 'SEED_FAILED',
      message: 'stand-in.ts: `commit` would begin or end a transaction, and was not sent',
    })
    expect(await stage.rows('select from tags')).toEqual([])
  })

  test.each(['seeds', 'after'])('an import says what stands where one of its %s commits it unseen', async (when) => {
    const { datA_base, datB_people, datC_plays, datF_late } = packages
    const { source, stage } = await givenStages({
      datA_base: { ...datA_base, seeds: ['tags.sql'] },
      datB_people,
      datC_plays: { ...datC_plays, [when]: ['unseen.ts'] },
      datF_late,
    })
    // With escapes in plain literals the server sees a statement where standard SQL has none.
    const unseen = String.raw`select '\'';commit;--'`
    await writeFile(join(stage.settings.root, 'unseen.ts'), SENT_COMMIT(unseen))
    await expect(stage.import((await source.export()).path, { mode: 'init' })).rejects.toMatchObject({
      code: 'SEED_FAILED',
      message: 'unseen.ts: it ended the transaction of the import',
      detail: 'What ran before its `commit` stands; what ran after that may stand.',
      hint: expect.stringContaining('Look what of the import and the seed stands.'),
    })
    expect(await stage.rows('select from plays')).toHaveLength(when === 'after' ? 2 : 0)
    expect(await stage.rows(`select from tags where name = 'puppets'`)).toHaveLength(1)
  })

  test('relations in no package or in several are named before anything happens', async () => {
    const { source, stage } = await givenStages({
      one: { title: 'One', relations: ['t*', 'people'] },
      two: { title: 'Two', relations: ['tags', 'plays'] },
    })
    await expect(stage.import((await source.export()).path)).rejects.toMatchObject({
      code: 'DATA_PACKAGES_INVALID',
      detail: 'casts: in no package\ntags: in one and two',
    })
  })

  test('a name that no package has, or a reversed range, is refused', async () => {
    const { source, stage } = await givenStages()
    const { path } = await source.export()
    for (const [range, message] of [
      [{ from: 'datX' }, 'there is no data package datX'],
      [{ to: 'dat' }, 'several packages begin with dat'],
      [{ from: 'datC', to: 'datA' }, 'the range of packages is reversed: datA comes before datC'],
    ] as const) {
      await expect(stage.import(path, { packages: range })).rejects.toMatchObject({
        code: 'SELECTION_UNKNOWN',
        message,
      })
    }
  })
})

test('seeds that cannot be read are all named', async () => {
  const { loadSeeds } = await import('../../src/import/seeds.js')
  const folder = await createScratchFolder()
  await writeFile(join(folder, 'empty.ts'), 'export default 7')
  const modes = ['init'] as const
  await expect(
    loadSeeds(
      [
        { file: join(folder, 'gone.sql'), modes },
        { file: join(folder, 'empty.ts'), modes },
      ],
      'init',
      folder,
    ),
  ).rejects.toMatchObject({
    code: 'SEED_INVALID',
    detail: expect.stringMatching(/gone\.sql: [\s\S]*empty\.ts: expected/),
  })
})
