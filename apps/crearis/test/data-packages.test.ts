import { join } from 'node:path'
import { exportContent, type ImportMode, importContent, loadConfig, type PackageReport } from 'understudy'
import { describe, expect, test } from 'vitest'
import { engines } from '../../../packages/understudy/test/support/engines.js'
import { createScratchFolder } from '../../../packages/understudy/test/support/scratch.js'
import { CREARIS, type Crearis, useCrearis } from './support.js'

/** An installation that never had the system data, and knows the tag `child` by other words. */
const SMALL = `
  insert into tags (name, description) values ('child', 'aus der Quelle');
  insert into tlds (name, description, relevance) values ('cz', 'Česko', 3);
  insert into instructors (xmlid, name) values ('_demo.instructor_01', 'Änne Lößl');
  insert into events (xmlid, name, date_begin, date_end, public_user)
    select '_demo.event_probe', 'Probe', '2026-01-01', '2026-01-02', id from instructors`

const SYSTEM_ROWS = `
  select
    (select count(*) from tags) as tags, (select count(*) from tlds) as tlds, (select count(*) from sysdomains) as sysdomains,
    (select count(*) from system_config) as settings, (select count(*) from users) as users,
    (select count(*) from projects) as projects, (select count(*) from project_members) as members,
    (select count(*) from pages) as pages, (select description from tags where name = 'child') as child,
    (select count(*) from instructors where xmlid = 'setup') as placeholders`

// The circle brings them to the embedded database as well.
describe.each(engines.slice(1, 2))('the data packages of crearis on $name', (engine) => {
  const source = useCrearis(engine)
  const fresh = useCrearis(engine)
  const later = useCrearis(engine)

  const bring = async (into: Crearis, archive: string, mode: ImportMode): Promise<readonly PackageReport[]> =>
    (await importContent(await settings(), { database: into.database(), archive, mode })).packages

  const paths = { archive: '' }

  test('an init brings the system data too, and what the archive says of it wins', async () => {
    for (const each of [source, fresh]) await each.migrate('B')
    await source.execute(SMALL)
    const out = join(await createScratchFolder(), 'small.backup.tar.gz')
    paths.archive = (await exportContent(await settings(), { database: source.database(), out })).path
    const packages = await bring(fresh, paths.archive, 'init')
    // The tag, and four words of the migrations with the moment at which they were entered.
    expect(packages.map(({ name, inserts, updates }) => [name, inserts, updates])).toEqual([
      ['datA_config', 1, 5],
      ['datB_base', 0, 0],
      ['datC_parts', 0, 0],
      ['datD_entities', 2, 0],
      ['datF_assignments', 0, 0],
      ['datG_propagation', 0, 0],
      ['datH_validation', 0, 0],
    ])
    expect(await fresh.one(SYSTEM_ROWS)).toEqual({
      tags: 4,
      tlds: 7,
      sysdomains: 5,
      settings: 2,
      users: 6,
      projects: 2,
      members: 3,
      pages: 2,
      child: 'aus der Quelle',
      placeholders: 0,
    })
  })

  test('another import finds nothing to seed', async () => {
    const packages = await bring(fresh, paths.archive, 'replace')
    expect(packages.map(({ seeded, inserts, updates, deletes }) => seeded + inserts + updates + deletes)).toEqual(
      packages.map(() => 0),
    )
    expect(
      packages.at(-1)?.checks?.filter(({ status, severity }) => status !== 'passed' && severity === 'error'),
    ).toEqual([])
  })

  test('a replace into an installation without it brings it as well', async () => {
    const packages = await bring(source, paths.archive, 'replace')
    expect(packages[0]).toMatchObject({ name: 'datA_config', inserts: 0, updates: 0 })
    expect(await source.one(SYSTEM_ROWS)).toEqual(await fresh.one(SYSTEM_ROWS))
  })

  test('a reference whose target has not arrived waits on a row that stands in, until nothing is bound to it any more', async () => {
    await later.migrate('B')
    const folder = await createScratchFolder()
    const take = async (name: string, selection: { only?: string[]; exclude?: string[] }) => {
      const out = join(folder, `${name}.backup.tar.gz`)
      return (await exportContent(await settings(), { database: source.database(), out, ...selection })).path
    }
    const setup = () =>
      later.query(`
        select s."table", s.name from instructors i join status s on s.id = i.status_id where xmlid = 'setup'
        union all select 'events', xmlid from events where xmlid = 'setup'`)
    const host = () => later.one(`select i.xmlid from events e join instructors i on i.id = e.public_user`)
    const open = (packages: readonly PackageReport[]) =>
      packages.flatMap(({ assignments }) => assignments?.open ?? []).map(({ column, samples }) => [column, ...samples])

    const { packages } = await importContent(await settings(), {
      database: later.database(),
      archive: await take('without', { exclude: ['instructors'] }),
      mode: 'init',
      onMissing: 'placeholder',
    })
    expect(open(packages)).toEqual([['public_user', '"_demo.instructor_01"']])
    expect(await setup()).toEqual([{ table: 'instructors', name: 'new' }])
    expect(await host()).toEqual({ xmlid: 'setup' })

    await later.query(`update users set instructor_id = (select id from instructors) where role = 'admin'`)
    const second = await bring(later, await take('only', { only: ['instructors'] }), 'replace')
    expect([open(second), await host()]).toEqual([[], { xmlid: '_demo.instructor_01' }])
    expect(await setup()).toHaveLength(1)

    await later.query('update users set instructor_id = null')
    await bring(later, await take('again', { only: ['instructors'] }), 'replace')
    expect(await setup()).toEqual([])
  })
})

function settings() {
  return loadConfig({ cwd: CREARIS, environment: {} })
}
