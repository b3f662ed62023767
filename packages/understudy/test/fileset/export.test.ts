import { readdirSync, readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { UnderstudyConfig } from '../../src/config/define-config.js'
import { exportFileset } from '../../src/fileset/export-fileset.js'
import { runCli } from '../cli/run-cli.js'
import { errorOf } from '../hard/support.js'
import { engines, servers } from '../support/engines.js'
import { createStage, digestsOf } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'

/** References of every shape: by one value and by two, in arrays, in composites, by discriminator, to rows known by origin and by content, half null. */
const SCHEMA = `
  create schema "Büro";
  create type link as (parent_id int, why text);
  create table users (id serial primary key, mail text not null unique);
  create table "Büro"."T.x" (id serial primary key, "co/de" text not null unique, "master_id" text, "$odd" text);
  create table projects (id serial primary key, code text not null unique, boss int references users);
  create table pages (id serial primary key, project_id int not null references projects, kind text not null, unique (project_id, kind));
  create table notes (id serial primary key, text text);
  create table lists (id serial primary key, project_id int references projects);
  create table items (id serial primary key, list_id int references lists, note_id int references notes, label text);
  create table things (
    key text primary key, page_id int references pages, user_ids int[], page_ids int[], more jsonb, kind text, record text,
    linked link, note_id int references notes, list_id int references lists, desk int references "Büro"."T.x");
  create table halves (id serial primary key, a int not null, b int not null, unique (a, b));
  create table pairs (key text primary key, a int, b int, foreign key (a, b) references halves (a, b));
  create table lines (text text);`

const CONTENT = `
  insert into users (mail) values ('änna@example.org'), ('b,c"d@example.org'), ('');
  insert into "Büro"."T.x" ("co/de", master_id, "$odd") values ('a', '', null), (E'b\\n c', 'x', ' y ');
  insert into projects (code, boss) values ('nord', 2), ('süd', null);
  insert into pages (project_id, kind) values (1, 'landing'), (2, 'team');
  insert into notes (text) values ('same'), ('same'), (null);
  insert into lists (project_id) values (1), (2), (1);
  insert into items (list_id, note_id, label) values (1, 1, 'x'), (1, 1, 'x'), (2, null, '');
  insert into things values
    ('1', 1, '{1,2,NULL,3}', '{2,1}', '[1, 2]', 'user', '1', row(1, 'because'), 2, 1, 2),
    ('2', null, null, '{}', '{"no": "list"}', 'project', '2', row(null, null), null, null, null),
    ('3', 2, '{}', null, 'null', null, 'free', null, 3, 3, 1);
  insert into halves (a, b) values (1, 2);
  insert into pairs values ('whole', 1, 2), ('half', 7, null), ('none', null, null);
  insert into lines values (null), (''), (E'a\\r\\nb'), (E'\\u2028'), ('same'), ('same');`

const CONFIG: UnderstudyConfig = {
  relations: {
    items: { owner: 'list_id' },
    lists: { owner: 'project_id' },
    notes: { identity: 'origin' },
    halves: { identity: ['a', 'b'] },
  },
  references: {
    'things.user_ids': { to: 'users.id' },
    'things.page_ids': { to: 'pages.id' },
    'things.more': { to: 'users.id' },
    'things.linked.parent_id': { to: 'projects.id' },
    'things.record': { by: 'kind', to: { user: 'users.id', project: 'projects.id' } },
  },
}

describe.each(engines)('a fileset written on $name', (engine) => {
  test('comes back equal, whatever its references look like', async () => {
    const source = await createStage(engine, SCHEMA + CONTENT, CONFIG)
    const target = await createStage(engine, SCHEMA, CONFIG)
    await target.run(`alter sequence users_id_seq restart with 500; alter sequence pages_id_seq restart with 600`)
    const { path, files } = await exportFileset(source.settings, { database: source.created.database })
    expect(files.map(({ relation, records }) => `${relation} ${records}`)).toContain('Büro."T.x" 2')
    expect(readFileSync(join(path, 'projects.csv'), 'utf8')).toBe('code,boss/mail\nnord,"b,c""d@example.org"\nsüd,\n')
    expect(statSync(join(path, 'users.csv')).mode & 0o777).toBe(0o600)
    await target.import(path)
    const before = digestsOf(await source.export())
    expect(digestsOf(await target.export())).toEqual(before)
    const again = await target.import(path)
    expect(again.plan.relations.filter(({ unchanged, records }) => unchanged !== records)).toEqual([])
  })
})

describe.each(servers.slice(0, 1))('a fileset written on $name', (engine) => {
  test('goes into an empty folder only, and leaves nothing where it fails', async () => {
    const source = await createStage(engine, SCHEMA + CONTENT, CONFIG)
    const { database } = source.created
    const first = await exportFileset(source.settings, { database })
    expect((await errorOf(exportFileset(source.settings, { database, out: first.path }))).code).toBe('ARCHIVE_EXISTS')
    const out = join(first.path, '..', 'new')
    expect((await errorOf(exportFileset(source.settings, { database, out, only: ['nothing'] }))).code).toBe(
      'SELECTION_UNKNOWN',
    )
    expect(readdirSync(join(first.path, '..'))).toHaveLength(1)
  })

  test('is written and read back from the command line', async () => {
    const source = await createStage(engine, SCHEMA + CONTENT, CONFIG)
    const target = await createStage(engine, SCHEMA, CONFIG)
    const cwd = await createScratchFolder()
    await writeFile(join(cwd, 'understudy.config.json'), JSON.stringify(CONFIG))
    const run = (url: string, ...args: string[]) => runCli(args, { cwd, environment: { DATABASE_URL: url } })
    const exported = await run(source.created.url, 'export', '--format', 'csv', '--out', 'files')
    expect(exported).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/\nprojects +projects\.csv +2 .*\nfiles\n/s),
    })
    const imported = await run(target.created.url, 'import', './files', '--yes')
    expect(imported).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^files of .*inserted/s) })
    await writeFile(join(cwd, 'files', 'projects.csv'), 'code,boss/mail,color\nnord,,\n')
    const refused = await run(target.created.url, 'import', './files', '--yes')
    expect(refused.stderr).toContain('projects.csv:1, color: projects has no such column')
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('(FILESET_INVALID)') })
  })
})
