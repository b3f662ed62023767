import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig, migrateArchived, migrateBaseline, migrateUp, migrationStatus } from 'understudy'
import { describe, expect, test } from 'vitest'
import { engines } from '../../../packages/understudy/test/support/engines.js'
import { CREARIS, type Crearis, useCrearis } from './support.js'

const SEEDS = ['022_seed_csv_data', '023_seed_demo_data', '024_add_project_images']

describe.each(engines)('seeds on $name', (engine) => {
  const crearis = useCrearis(engine)

  test('the system data runs only when it is named, and what is there already stays', async () => {
    await crearis.migrate('A')
    expect(await crearis.migrate('B')).not.toContain('021_seed_system_data')
    await crearis.query(`insert into tags (name, description) values ('child', 'schon da')`)

    const { applied } = await migrateUp(await settings(), { database: crearis.database(), only: '021' })
    expect(applied).toMatchObject([{ id: '021_seed_system_data', package: 'B' }])
    expect(await countRows(crearis)).toMatchObject({
      tags: 4,
      system_config: 2,
      tlds: 6,
      sysdomains: 5,
      users: 6,
      projects: 2,
      project_members: 3,
      pages: 2,
    })
    expect(await crearis.one(`select description from tags where name = 'child'`)).toEqual({ description: 'schon da' })
    expect(await crearis.one(`select count(*) as open from users where password <> '!'`)).toEqual({ open: 0 })
  })

  test('the system data brings nobody back who was removed', async () => {
    await crearis.query(`delete from users where sysmail = 'ole.feldmann@spielraum.example'`)
    await crearis.query(`delete from projects where domaincode = 'regio1'`)
    await crearis.execute(await readFile(join(CREARIS, 'migrations', '021_seed_system_data.sql'), 'utf8'))
    expect(await countRows(crearis)).toMatchObject({
      users: 5,
      projects: 1,
      project_members: 2,
      pages: 2,
      sysdomains: 5,
    })
  })

  test('the archived seeds run by their own command, once', async () => {
    const run = async () => (await migrateArchived(await settings(), { database: crearis.database() })).applied
    expect((await run()).map(({ id }) => id)).toEqual(SEEDS)
    expect(await run()).toEqual([])
    expect(await countRows(crearis)).toMatchObject({
      users: 22,
      projects: 18,
      project_members: 19,
      events: 21,
      posts: 30,
      images: 8,
    })
    const found =
      'select count(*) as found from users join instructors on instructors.id = users.instructor_id where is_user'
    expect(await crearis.one(found)).toEqual({ found: 8 })
    const shown = await crearis.one(
      `select count(*) as shown from projects where img_wide ->> 'url' like 'https://bilder.example/%'`,
    )
    expect(shown).toEqual({ shown: 8 })
    const status = await migrationStatus(await settings(), { database: crearis.database() })
    expect(status.archived.map(({ state }) => state)).toEqual(['applied', 'applied', 'applied'])
    expect(status).toMatchObject({ pendingCount: 0, problemCount: 0, missing: [] })
  })

  test('the archived seeds change nothing where their rows are there already', async () => {
    const written = () =>
      crearis.query(`
        select 'users' as kind, xmin::text, sysmail as name from users union all select 'projects', xmin::text, domaincode from projects
        union all select 'events', xmin::text, xmlid from events union all select 'participants', xmin::text, xmlid from participants
        union all select 'images', xmin::text, xmlid from images union all select 'members', xmin::text, role from project_members
        order by 1, 3, 2`)
    const before = await written()
    await crearis.query('delete from understudy.migration where id = any ($1::text[])', [SEEDS])
    await crearis.query(
      `update crearis_config set config = jsonb_set(config, '{migrations_run}', (config -> 'migrations_run') - $1::text[])`,
      [SEEDS],
    )
    const { applied } = await migrateArchived(await settings(), { database: crearis.database() })
    expect(applied.map(({ id }) => id)).toEqual(SEEDS)
    expect(await written()).toEqual(before)
  })

  test('the list in crearis_config is what the ledger has', async () => {
    const { listed } = await crearis.one<{ listed: string[] }>(
      `select config -> 'migrations_run' as listed from crearis_config`,
    )
    const rows = await crearis.query<{ id: string }>('select id from understudy.migration order by id')
    expect(listed).toEqual(rows.map(({ id }) => id))
    expect(listed).toHaveLength(25)
  })

  test('a database that has only that list is adopted from it', async () => {
    await crearis.execute(`
      drop table understudy.migration, understudy.migration_log;
      update crearis_config set config = config #- '{migrations_run,0}'`)
    await expect(crearis.migrate('B')).rejects.toMatchObject({ code: 'MIGRATION_DRIFT' })
    // 000 comes before the table that holds the list; the original application never entered it.
    const { ids, unknown } = await migrateBaseline(await settings(), { database: crearis.database() })
    expect([ids.length, ids[0], unknown]).toEqual([25, '000_base_schema', []])
    expect(await crearis.migrate('B')).toEqual([])
    expect((await migrateArchived(await settings(), { database: crearis.database() })).applied).toEqual([])
  })
})

function settings() {
  return loadConfig({ cwd: CREARIS, environment: {} })
}

async function countRows(crearis: Crearis): Promise<Record<string, number>> {
  return await crearis.one(`
    select
      (select count(*) from tags) as tags,
      (select count(*) from system_config) as system_config,
      (select count(*) from tlds) as tlds,
      (select count(*) from sysdomains) as sysdomains,
      (select count(*) from users) as users,
      (select count(*) from projects) as projects,
      (select count(*) from project_members) as project_members,
      (select count(*) from pages) as pages,
      (select count(*) from events) as events,
      (select count(*) from posts) as posts,
      (select count(*) from images) as images`)
}
