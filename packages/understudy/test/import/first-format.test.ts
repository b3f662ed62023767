import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { craftArchive, temporaryFolder } from '../archive/support.js'
import { engines } from '../support/engines.js'
import { countsOf, createStage, type Stage } from '../support/scenario.js'

const SCHEMA = `
  create table states (id serial primary key, name text not null, "table" text not null, unique (name, "table"));
  create table projects (id serial primary key, xmlid text not null unique, name text);
  create table events (id serial primary key, xmlid text not null unique, name text, state_id int not null references states,
    project_id int references projects, parent_xmlid text references events (xmlid), begins date, at timestamptz, price numeric(10,2),
    facts jsonb, picture bytea, length int generated always as (length(name)) stored);
  create table pages (id serial primary key, project_id int not null references projects, slug text not null, title text, unique (project_id, slug))`

type Records = Record<string, { records: object[]; late?: string[]; parent?: [string, string] }>

/** As the first plan wrote them: pretty printed, ids of the source, columns that wait marked with `_late_`. */
const CONTENT: Records = {
  states: {
    records: [
      { master_id: 3, name: 'new', table: 'events' },
      { master_id: 4, name: 'done', table: 'events' },
    ],
  },
  projects: { records: [{ master_id: 5, xmlid: 'project-tp', name: 'Tanz' }] },
  events: {
    late: ['parent_xmlid', 'project_id'],
    records: [
      {
        master_id: 7,
        xmlid: 'event-001',
        name: 'Straße',
        state_id: 4,
        begins: '2025-11-08T23:00:00.000Z',
        at: '2025-11-09T10:30:00.000Z',
        price: '12.50',
        facts: { a: [1, null], $json: 2 },
        picture: { type: 'Buffer', data: [0, 255] },
        length: 6,
        _late_parent_xmlid: null,
        _late_project_id: 5,
      },
      {
        master_id: 8,
        xmlid: 'event-002',
        name: null,
        state_id: 3,
        begins: null,
        at: null,
        price: null,
        facts: null,
        picture: null,
        length: null,
        _late_parent_xmlid: 'event-001',
        _late_project_id: null,
      },
    ],
  },
  pages: {
    parent: ['projects', 'project_id'],
    records: [{ slug: 'home', title: 'Heim', _parent_xmlid: 'project-tp' }],
  },
}

function write(content: Records): string {
  const path = join(temporaryFolder(), '2025-11-09T10-30-00-000Z.backup.tar.gz')
  const tables = Object.keys(content)
  const index = {
    created_at: '2025-11-09T10-30-00-000Z',
    tables,
    files: Object.fromEntries(tables.map((table) => [table, '2025-11-09T10-30-00-000Z.json'])),
    metadata: { database_version: '0.0.1', migration_package: 'A-B', total_records: 0 },
  }
  const documents = Object.entries(content).map(([table, { records, late, parent }]) => ({
    name: `./${table}.json`,
    content: JSON.stringify(
      {
        table,
        version: '1.0.0',
        exported_at: '2025-11-09T10:30:00.000Z',
        record_count: records.length,
        ...(parent === undefined
          ? { late_seed_columns: late ?? [] }
          : { parent_table: parent[0], parent_key: parent[1] }),
        records,
      },
      null,
      2,
    ),
  }))
  writeFileSync(
    path,
    craftArchive([
      { name: './', type: '5' },
      ...documents,
      { name: './backup-index.json', content: JSON.stringify(index, null, 2) },
    ]),
  )
  return path
}

const READ = `
  select e.xmlid, e.name, s.name as state, p.xmlid as project, e.parent_xmlid as parent, e.begins::text, e.at at time zone 'UTC' as at,
         e.price::text, e.facts, e.picture::text, e.length
    from events e join states s on s.id = e.state_id left join projects p on p.id = e.project_id order by 1`

describe.each(engines)('an archive of format 1.0.0 on $name', (engine) => {
  async function withTarget(use: (target: Stage) => Promise<void>): Promise<void> {
    const target = await createStage(
      engine,
      `${SCHEMA}; insert into projects (id, xmlid, name) values (5, 'another', 'stays'), (9, 'project-tp', 'old');
       insert into states (id, name, "table") values (3, 'done', 'events'), (4, 'else', 'pages');
       select setval('projects_id_seq', 9), setval('states_id_seq', 4)`,
      { identityColumns: ['xmlid'] },
    )
    await use(target)
    await target.created.dispose()
  }
  const refusalOf = (target: Stage, content: Records) =>
    target.import(write(content)).then(
      () => expect.fail('expected a refusal'),
      (error) => error,
    )

  test('is taken where every target is in it: ids of the source become the rows that had them', async () => {
    await withTarget(async (target) => {
      const result = await target.import(write(CONTENT))
      expect(result.plan.archive).toMatchObject({
        name: '2025-11-09T10-30-00-000Z.backup.tar.gz',
        createdAt: '2025-11-09T10:30:00.000Z',
      })
      expect(countsOf(result)).toMatchObject({
        states: 'insert 1, same 1',
        projects: 'update 1',
        events: 'insert 2',
        pages: 'insert 1',
      })
      expect(await target.rows(READ)).toEqual([
        {
          xmlid: 'event-001',
          name: 'Straße',
          state: 'done',
          project: 'project-tp',
          parent: null,
          begins: '2025-11-09',
          at: '2025-11-09 10:30:00',
          price: '12.50',
          facts: { a: [1, null], $json: 2 },
          picture: '\\x00ff',
          length: 6,
        },
        expect.objectContaining({ xmlid: 'event-002', name: null, state: 'new', project: null, parent: 'event-001' }),
      ])
      expect(await target.rows('select project_id, slug from pages')).toEqual([{ project_id: 9, slug: 'home' }])
      expect(await target.rows('select xmlid, name from projects where id = 5')).toEqual([
        { xmlid: 'another', name: 'stays' },
      ])
      expect(countsOf(await target.import(write(CONTENT)))).toMatchObject({
        states: 'same 2',
        projects: 'same 1',
        pages: 'same 1',
      })
    })
  })

  test('is refused where a target is not in it, with every reason, and nothing is written', async () => {
    await withTarget(async (target) => {
      const { states: _, ...withoutStates } = CONTENT
      const events = [
        ...(CONTENT.events?.records ?? []),
        { ...CONTENT.events?.records[1], master_id: 9, xmlid: 'e3', _late_project_id: 77, _late_parent_xmlid: 'gone' },
      ]
      const error = await refusalOf(target, { ...withoutStates, events: { records: events } })
      expect(error).toMatchObject({ code: 'ARCHIVE_VERSION_1', message: expect.stringContaining('in 3 places') })
      expect(error.detail.split('\n').sort()).toEqual([
        'events.parent_xmlid: gone is none of the events of the archive',
        'events.project_id: 77 is none of the projects of the archive',
        'events.state_id: refers to states, which is not in the archive',
      ])
      const { projects: __, ...withoutProjects } = CONTENT
      expect((await refusalOf(target, withoutProjects)).detail).toContain(
        'pages.project_id: refers to projects, which is not in the archive',
      )
      expect(await target.rows('select count(*)::int as n from events')).toEqual([{ n: 0 }])
    })
  })

  test('is refused where its columns or values are not those of the target', async () => {
    await withTarget(async (target) => {
      const [first] = CONTENT.events?.records ?? []
      const records = [
        { ...first, more: 1, picture: { x: 1 } },
        { ...first, master_id: 12 },
      ]
      expect(
        (await refusalOf(target, { ...CONTENT, events: { records }, unknown: { records: [] } })).detail
          .split('\n')
          .sort(),
      ).toEqual([
        'events.more: the target has no such column',
        'events.picture: format 1.0.0 wrote bytea in a form that cannot be read back',
        'events: two rows have the identity "event-001"',
        'unknown: the target has no such relation',
      ])
    })
  })
})

test.each([
  [
    'a document that is missing',
    [{ name: 'backup-index.json', content: '{"created_at":"x","tables":["a"],"files":{}}' }],
    'ARCHIVE_ENTRY_REFUSED',
  ],
  [
    'a document that is no JSON',
    [
      { name: 'a.json', content: '{' },
      { name: 'backup-index.json', content: '{"created_at":"x","tables":["a"],"files":{}}' },
    ],
    'ARCHIVE_DAMAGED',
  ],
  [
    'another count',
    [
      { name: 'a.json', content: '{"table":"a","version":"1.0.0","record_count":2,"records":[]}' },
      { name: 'backup-index.json', content: '{"created_at":"x","tables":["a"],"files":{}}' },
    ],
    'ARCHIVE_DAMAGED',
  ],
])('format 1.0.0 with %s is refused', async (_, entries, code) => {
  const [engine] = engines
  const stage = await createStage(engine as NonNullable<typeof engine>, 'create table a (id int primary key)')
  const path = join(temporaryFolder(), 'a.backup.tar.gz')
  writeFileSync(path, craftArchive(entries))
  await expect(stage.import(path)).rejects.toMatchObject({ code })
  await stage.created.dispose()
})
