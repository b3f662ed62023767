import { join } from 'node:path'
import { type ExportResult, exportContent, type ImportMode, importContent, loadConfig } from 'understudy'
import { describe, expect, test } from 'vitest'
import { engines } from '../../../packages/understudy/test/support/engines.js'
import { createScratchFolder } from '../../../packages/understudy/test/support/scratch.js'
import { fillSlave } from '../sample/index.js'
import { CREARIS, type Crearis, useCrearis } from './support.js'

const NONE = { scripts: 0, inserts: 0, updates: 0, deletes: 0 }

/** Kinds of rows that the filesets do not have: known by their content, their birth, a key of two references, a reference that varies. */
const MORE = `
  insert into page_sections (page, scope, type, heading)
    select pages.id, 'page', '2_list', heading
    from pages cross join (values ('Termine'), ('Termine'), (null)) as wanted (heading)
    where page_type = 'landing';
  insert into form_input (project, name, input)
    select id, 'Frau Süß', '{"frage": "Gibt es Parkplätze?", "n": null}' from projects where domaincode = 'stimme';
  insert into events_tags (event_id, tag_id)
    select events.id, tags.id from events cross join tags where tags.name in ('child', 'teen');
  insert into tasks (id, name, record_type, record_id)
    select 'task_' || n, 'Text kürzen', kind, identity
    from (values (1, 'event', '_demo.event_masken_bauen'), (2, 'user', 'aenne.koester@crearis.example')) as wanted (n, kind, identity);
  update projects set member_ids = (select jsonb_agg(id order by sysmail) from users where lang = 'cz') where domaincode = 'loutky'`

// What it shows does not depend on the server's version.
describe.each(engines.slice(0, 2))('the full circle on $name', (engine) => {
  const [first, slave, second] = [useCrearis(engine), useCrearis(engine), useCrearis(engine)]

  test('fileset, master, archive, fresh slave, a second master with other ids, and back: in the end all are equal', {
    timeout: 120_000,
  }, async () => {
    const folder = await createScratchFolder()
    const settings = await loadConfig({ cwd: CREARIS, environment: {} })
    const take = async (from: Crearis, name: string) =>
      await exportContent(settings, { database: from.database(), out: join(folder, `${name}.backup.tar.gz`) })
    const bring = async (into: Crearis, archive: string, mode: ImportMode, onMissing: 'fail' | 'null' = 'fail') => {
      const { plan, packages } = await importContent(settings, { database: into.database(), archive, mode, onMissing })
      const sum = (name: 'inserts' | 'updates' | 'deletes') =>
        plan.relations.reduce((total, relation) => total + relation[name], 0)
      const scripts = packages.reduce((total, { seeded }) => total + seeded, 0)
      return { scripts, inserts: sum('inserts'), updates: sum('updates'), deletes: sum('deletes') }
    }

    for (const database of [first, slave, second]) await database.migrate('B')
    await bring(first, join(CREARIS, 'filesets', 'root'), 'replace', 'null')
    await bring(first, join(CREARIS, 'filesets', 'base'), 'replace')
    await first.execute(MORE)
    const fromFirst = await take(first, 'first')
    expect(fromFirst.files.filter(({ records }) => records > 0).length).toBeGreaterThan(20)

    await bring(slave, fromFirst.path, 'init')
    expect(digestsOf(await take(slave, 'slave'))).toEqual(digestsOf(fromFirst))

    await fillSlave(second)
    expect(await readEvents(second)).not.toEqual(await readEvents(first))
    await bring(second, fromFirst.path, 'replace')
    await second.query(`insert into form_input (name, input) values ('J. Novák', '{}')`)
    const fromSecond = await take(second, 'second')

    await bring(first, fromSecond.path, 'replace')
    const back = await take(first, 'back')
    expect(digestsOf(back)).toEqual(digestsOf(fromSecond))
    for (const database of [first, second]) expect(await bring(database, back.path, 'replace')).toEqual(NONE)
    expect(await readEvents(first)).not.toEqual(await readEvents(second))
  })
})

function digestsOf({ files }: ExportResult): Record<string, string> {
  return Object.fromEntries(files.map(({ relation, contentSha256 }) => [relation, contentSha256]))
}

/** The numbers of the events that all of them have. */
function readEvents({ query }: Crearis): Promise<unknown[]> {
  return query(`select xmlid, id from events where xmlid like '\\_demo.event\\_masken%' order by 1`)
}
