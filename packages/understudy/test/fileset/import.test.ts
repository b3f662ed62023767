import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { UnderstudyConfig } from '../../src/config/define-config.js'
import { errorOf } from '../hard/support.js'
import { engines, servers } from '../support/engines.js'
import { countsOf, createStage, type Stage } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'

const SCHEMA = `
  create table users (id serial primary key, sysmail text not null unique, name text, age int, since timestamptz);
  create table projects (id serial primary key, domaincode text not null unique, owner_id int not null references users, regio int references projects);
  create table events (
    id serial primary key, xmlid text not null unique, name varchar(30), seats_max int, project_id int references projects,
    tag_ids int[], price numeric(8,2), words text[], more jsonb, parent_xmlid text);
  create table tags (id serial primary key, name text not null unique);
  create table pages (id serial primary key, project_id int not null references projects, kind text not null, body text, unique (project_id, kind));
  create table sections (id serial primary key, xmlid text unique not null, page_id int references pages);
  create table people (id serial primary key, xmlid text not null unique, name text not null, kind text);
  create table events_people (event_id int references events, person_id int references people, primary key (event_id, person_id));`

const CONFIG: UnderstudyConfig = {
  identityColumns: ['xmlid', 'sysmail'],
  references: { 'events.tag_ids': { to: 'tags.id' }, 'events.parent_xmlid': { to: 'events.xmlid' } },
}

const FILES = {
  'users.csv': 'sysmail,name,age\nanna@example.org,Änna,007\nbert@example.org,,\n"c,d@example.org","",41\n',
  'projects.csv':
    '\uFEFFdomaincode;owner_id/sysmail;regio/domaincode\r\nnord;anna@example.org;\r\nsüd;bert@example.org;nord\r\n',
  'tags.json': '[{"name": "Tanz"}, {"name": "Maske, Kostüm"}]',
  'events.csv':
    'id,name,seats_max,project_id/id,tag_ids/name,price,words,more,parent_xmlid/id\n' +
    '_demo.e1,"Tag der\noffenen ""Tür""",25,nord,"Tanz",1.5,"{a,""b c""}","{""k"": 1.0}",\n\n' +
    '_demo.e2,Hof,,,"[""Maske, Kostüm"", ""Tanz""]",,"[""x""]",null,_demo.e1\n',
  'pages.csv': 'project_id/domaincode,kind,body\nnord,landing,"  two  "\n',
  'sections.csv': 'xmlid,page_id/project_id/domaincode,page_id/kind\ns1,nord,landing\ns2,,\n',
  'adults.csv': 'id,name,event_id/id\n_demo.a1,Ada,"_demo.e1,_demo.e2"\n',
  'children.csv': 'name,id,event_id/id,shoe size\nCem,_demo.c1,_demo.e1,31\nDörte,_demo.c2,,30\n',
  'fileset.json': JSON.stringify({
    files: {
      'adults.csv': { relation: 'people', constants: { kind: 'adult' } },
      'children.csv': { relation: 'public.people', constants: { kind: 'child' }, columns: { 'shoe size': null } },
      'notes.csv': null,
    },
  }),
  'notes.csv': 'nothing,of,this\n',
}

async function filesetOf(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = join(await createScratchFolder(), 'root')
  await mkdir(folder)
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

const stageOf = (engine: (typeof engines)[number]): Promise<Stage> => createStage(engine, SCHEMA, CONFIG)

describe.each(engines)('a fileset on $name', (engine) => {
  test('takes extensions in any case and links, and names what it does not take', async () => {
    const target = await stageOf(engine)
    const folder = await filesetOf({
      'users.CSV': 'sysmail\nanna@example.org\n',
      'README.md': 'About',
      '.hidden.tsv': '',
      'events.tsv': 'xmlid\n',
    })
    const elsewhere = join(await createScratchFolder(), 'tags.json')
    await writeFile(elsewhere, '[{"name": "Tanz"}]')
    await symlink(elsewhere, join(folder, 'tags.json'))
    await symlink('nowhere', join(folder, 'pages.csv'))
    await mkdir(join(folder, 'people.csv'))
    await mkdir(join(folder, 'pictures'))
    const error = await errorOf(target.import(folder))
    expect(error).toMatchObject({ code: 'FILESET_INVALID' })
    for (const part of ['events.tsv: neither a CSV nor', 'pages.csv: a link to nothing', 'people.csv: not a file'])
      expect(error.text).toContain(part)
    expect(error.text).not.toMatch(/README|hidden|pictures/)

    const files = { 'events.tsv': null, 'pages.csv': null, 'people.csv': null }
    await writeFile(join(folder, 'fileset.json'), JSON.stringify({ files }))
    expect(countsOf(await target.import(folder))).toEqual({ users: 'insert 1', tags: 'insert 1' })
  })

  test('a folder that holds none says what a fileset needs', async () => {
    const target = await stageOf(engine)
    const folder = await filesetOf({ 'users.tsv': 'sysmail\n' })
    const error = await errorOf(target.import(folder))
    expect(error).toMatchObject({ code: 'FILESET_INVALID', text: expect.stringContaining('users.tsv: neither') })
    expect(error.text).toContain('no CSV or JSON file is in it')
  })

  test('is imported like an archive: values by the columns, references by their headings, links through the relation between', async () => {
    const target = await stageOf(engine)
    await target.run(
      `insert into users (id, sysmail, name, since) values (50, 'bert@example.org', 'old', '2020-01-01'), (51, 'local@example.org', null, null)`,
    )
    const folder = await filesetOf(FILES)
    const result = await target.import(folder)
    expect(countsOf(result)).toEqual({
      events: 'insert 2',
      events_people: 'insert 3',
      pages: 'insert 1',
      people: 'insert 3',
      projects: 'insert 2',
      sections: 'insert 2',
      tags: 'insert 2',
      users: 'insert 2, update 1',
    })
    expect([result.archivePath, result.plan.archive.name]).toEqual([folder, 'root'])
    expect(
      await target.rows('select sysmail, name, age, since is null as new from users order by sysmail collate "C"'),
    ).toEqual([
      { sysmail: 'anna@example.org', name: 'Änna', age: 7, new: true },
      { sysmail: 'bert@example.org', name: null, age: null, new: false },
      { sysmail: 'c,d@example.org', name: '', age: 41, new: true },
      { sysmail: 'local@example.org', name: null, age: null, new: true },
    ])
    expect(
      await target.rows(`select e.xmlid, e.name, seats_max, p.domaincode, u.sysmail, price, words::text, more::text, parent_xmlid,
        (select json_agg(t.name order by i.at) from unnest(tag_ids) with ordinality i(id, at) join tags t on t.id = i.id) as tags
        from events e left join projects p on p.id = project_id left join users u on u.id = owner_id order by 1`),
    ).toEqual([
      {
        xmlid: '_demo.e1',
        name: 'Tag der\noffenen "Tür"',
        seats_max: 25,
        domaincode: 'nord',
        sysmail: 'anna@example.org',
        price: '1.50',
        words: '{a,"b c"}',
        more: '{"k": 1.0}',
        parent_xmlid: null,
        tags: ['Tanz'],
      },
      {
        xmlid: '_demo.e2',
        name: 'Hof',
        seats_max: null,
        domaincode: null,
        sysmail: null,
        price: null,
        words: '{x}',
        more: 'null',
        parent_xmlid: '_demo.e1',
        tags: ['Maske, Kostüm', 'Tanz'],
      },
    ])
    expect(
      await target.rows(`select p.xmlid, kind, string_agg(e.xmlid, ' ' order by e.xmlid) as events from people p
        left join events_people l on l.person_id = p.id left join events e on e.id = l.event_id group by 1, 2 order by 1`),
    ).toEqual([
      { xmlid: '_demo.a1', kind: 'adult', events: '_demo.e1 _demo.e2' },
      { xmlid: '_demo.c1', kind: 'child', events: '_demo.e1' },
      { xmlid: '_demo.c2', kind: 'child', events: null },
    ])
    expect(
      await target.rows(`select s.xmlid, g.kind, body from sections s left join pages g on g.id = page_id order by 1`),
    ).toEqual([
      { xmlid: 's1', kind: 'landing', body: '  two  ' },
      { xmlid: 's2', kind: null, body: null },
    ])
    const again = await target.import(folder)
    expect(again.plan.relations.filter(({ records, unchanged }) => records !== unchanged)).toEqual([])
  })

  test('is refused with every fault by file, line, column and value, and nothing is imported', async () => {
    const target = await stageOf(engine)
    const folder = await filesetOf({
      'users.csv':
        'sysmail,name,age\na@example.org,x,many\n,y,1\nb@example.org,z,99999999999\nc@example.org,two\na@example.org,,1\n',
      'events.csv': 'id,name,colour,seatsmax,project_id\n',
      'tags.csv': Buffer.from('name\nKostüm\n', 'latin1'),
      'pages.csv': 'project_id/domaincode,body\nnord,x\n',
      'nobody.csv': 'a\n',
      'people.json': '[{"id": "p1", "name": null}, 7]',
    })
    const { code, text } = await errorOf(target.import(folder))
    expect(code).toBe('FILESET_INVALID')
    expect(text.split('\n').slice(1).filter(Boolean)).toEqual([
      'nobody.csv: there is no relation nobody; `fileset.json` may name another, or null for a file to leave out',
      'events.csv:1, colour: events has no such column',
      'events.csv:1, seatsmax: events has no such column; perhaps seats_max',
      'events.csv:1, project_id: events.project_id refers to rows, which are named by project_id/domaincode',
      'pages.csv:1, kind: no heading, but rows of pages are known by it',
      'people.json:2: is no object',
      'tags.csv: is not UTF-8',
      'users.csv:5: 2 cells under 3 headings',
    ])
    expect(await target.rows('select from users')).toEqual([])

    await writeFile(
      join(folder, 'users.csv'),
      'sysmail,name,age\na@example.org,x,many\n,y,1\nb@example.org,z,99999999999\na@example.org,,1\n',
    )
    const only = await filesetOf({
      'users.csv': 'sysmail,name,age\na@example.org,x,many\n,y,1\nb@example.org,z,99999999999\na@example.org,,1\n',
    })
    expect((await errorOf(target.import(only))).text.split('\n').slice(1).filter(Boolean)).toEqual([
      expect.stringMatching(/^users\.csv:2, age: "many": invalid input syntax for type integer/),
      expect.stringMatching(/^users\.csv:4, age: "99999999999": value .* out of range for type integer/),
      'users.csv:3, sysmail: empty: must not be null',
    ])
    const twice = await filesetOf({ 'users.csv': 'sysmail\na@example.org\nb@example.org\na@example.org\n' })
    expect((await errorOf(target.import(twice))).text).toContain(
      'users.csv:2, users.csv:4: rows of users have the same identity "a@example.org"',
    )
    const lost = await filesetOf({ 'projects.csv': 'domaincode,owner_id/sysmail\nnord,nobody@example.org\n' })
    const refusal = await errorOf(target.import(lost))
    expect(refusal.code).not.toBe('none')
    expect(refusal.text).toContain('projects.csv:2')
    expect(refusal.text).toContain('nobody@example.org')
    expect(await target.rows('select from projects')).toEqual([])
  })

  test('names file, line, column and value of a text that names no row, where the heading says that it should', async () => {
    const target = await stageOf(engine)
    await target.run(`insert into events (xmlid) values ('_demo.here')`)
    const files = {
      'events.csv':
        'id,parent_xmlid/id\n_demo.e1,_demo.e2\n_demo.e2,_demo.here\n_demo.e3,_demo.gone\n_demo.e4,\n"_demo.e5","_demo.""q"""\n',
    }
    const refusal = await errorOf(target.import(await filesetOf(files)))
    expect(refusal.code).toBe('FILESET_INVALID')
    expect(refusal.text.split('\n').slice(1).filter(Boolean)).toEqual([
      'events.csv:4, parent_xmlid/id: "_demo.gone": names no row of events, neither here nor in the database',
      'events.csv:6, parent_xmlid/id: "_demo.\\"q\\"": names no row of events, neither here nor in the database',
    ])
    expect(await target.rows('select xmlid from events')).toEqual([{ xmlid: '_demo.here' }])
    // A bare heading is a value, as in what an export writes; with another policy the text stays until its row arrives.
    await target.import(await filesetOf({ 'events.csv': files['events.csv'].replace('/id', '') }))
    await target.import(await filesetOf(files), { onMissing: 'null' })
    expect(await target.rows(`select parent_xmlid as p from events where xmlid = '_demo.e3'`)).toEqual([
      { p: '_demo.gone' },
    ])
  })
})

describe.each(servers.slice(0, 1))('a fileset on $name', (engine) => {
  test('finds all misfits of a long file, and how many columns files of one relation must have in common', async () => {
    const target = await stageOf(engine)
    const rows = Array.from(
      { length: 5000 },
      (_, index) => `u${index}@example.org,${index % 1000 === 999 ? 'x' : index}`,
    )
    const folder = await filesetOf({ 'users.csv': `sysmail,age\n${rows.join('\n')}\n` })
    const { text } = await errorOf(target.import(folder))
    expect([...text.matchAll(/users\.csv:(\d+), age: "x"/g)].map(([, line]) => line)).toEqual([
      '1001',
      '2001',
      '3001',
      '4001',
      '5001',
    ])

    const uneven = await filesetOf({
      'a.csv': 'id,name\na1,x\n',
      'b.csv': 'id,name,kind\nb1,x,y\n',
      'fileset.json': '{"files": {"a.csv": {"relation": "people"}, "b.csv": {"relation": "people"}}}',
    })
    expect((await errorOf(target.import(uneven))).text).toContain(
      'b.csv: a.csv and this do not bring the same columns of people: kind',
    )
  })

  test('refuses a manifest that it does not understand', async () => {
    const target = await stageOf(engine)
    for (const manifest of ['{', '{"files": {"users.csv": {"relaton": "x"}}}', '{"files": {"gone.csv": {}}}']) {
      const folder = await filesetOf({ 'users.csv': 'sysmail\n', 'fileset.json': manifest })
      expect((await errorOf(target.import(folder))).code).toBe('FILESET_INVALID')
    }
  })
})
