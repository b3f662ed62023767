import { join } from 'node:path'
import { exportContent, importContent, loadConfig, rehearse, upgradeArchive } from 'understudy'
import { describe, expect, test } from 'vitest'
import { engines } from '../../../packages/understudy/test/support/engines.js'
import { createScratchFolder } from '../../../packages/understudy/test/support/scratch.js'
import { CREARIS, useCrearis } from './support.js'
import { rowsWithTextIds } from './text-ids.js'

describe.each(engines)('an archive of package A, on $name', (engine) => {
  const old = useCrearis(engine)
  const today = useCrearis(engine)
  const paths = { old: '', upgraded: '' }

  test('is taken although the configuration speaks of a later level, and is rehearsed', async () => {
    await old.migrate('A')
    await old.execute(rowsWithTextIds)
    const settings = await loadConfig({ cwd: CREARIS, environment: {} })
    const out = `${await createScratchFolder()}/`
    paths.old = (await exportContent(settings, { purpose: 'backup', database: old.database(), out })).path

    const before = await old.one('select count(*)::integer as rows from understudy.transfer')
    const { steps, limits } = await rehearse(settings, { database: old.database(), to: 'B' })
    expect(steps.map(({ step }) => step)).toEqual([
      'archive',
      'restore',
      '019_add_tags_status_ids',
      '020_refactor_entities',
      'checks',
    ])
    expect(steps.flatMap(({ losses }) => losses.map(({ word }) => word))).toEqual(['users.id', 'tasks.status'])
    expect(limits).toContain('locks are not contended: nobody else is at work there')
    expect(await old.one('select count(*)::integer as rows from understudy.transfer')).toEqual(before)
  })

  test('is refused by a database at package B, which names the way', async () => {
    await today.migrate('B')
    const settings = await loadConfig({ cwd: CREARIS, environment: {} })
    const work = importContent(settings, { archive: paths.old, mode: 'replace', database: today.database() })
    await expect(work).rejects.toMatchObject({
      code: 'ARCHIVE_LEVEL_OLDER',
      detail: 'only in the target: 019_add_tags_status_ids\nonly in the target: 020_refactor_entities',
    })
  })

  test('is brought to package B, says what is lost on the way, and imports there with all its links', async () => {
    const settings = await loadConfig({ cwd: CREARIS, environment: {} })
    const out = join(await createScratchFolder(), 'upgraded.backup.tar.gz')
    const upgraded = await upgradeArchive(settings, { archive: paths.old, to: 'B', out })
    paths.upgraded = upgraded.path
    expect(upgraded.migrations).toEqual(['019_add_tags_status_ids', '020_refactor_entities'])
    expect(upgraded.losses.map(({ migration, loss }) => `${migration} ${loss.word}`)).toEqual([
      '019_add_tags_status_ids users.id',
      '019_add_tags_status_ids tasks.status',
    ])

    // Numbers that the archive's rows have there belong to others here.
    await today.execute(`
      insert into users (username, password, role, sysmail) values ('Zora', '!', 'base', 'zora@crearis.example');
      insert into projects (name, domaincode, owner_id) select 'Eigenes', 'eigenes', id from users where sysmail = 'zora@crearis.example'`)
    await importContent(settings, { archive: paths.upgraded, mode: 'replace', database: today.database() })
    const project = await today.one(
      `select projects.domaincode, owners.sysmail as owner, regions.domaincode as regio, domains.domainname
       from projects
       join users as owners on owners.id = projects.owner_id
       join projects as regions on regions.id = projects.regio
       join domains on domains.project_id = projects.id
       where projects.domaincode = 'hofbuehne'`,
    )
    expect(project).toEqual({
      domaincode: 'hofbuehne',
      owner: 'anna@crearis.example',
      regio: 'nord',
      domainname: 'hofbuehne.projekte.beispiel.org',
    })
    const event = await today.one(
      `select users.sysmail, projects.domaincode, instructors.xmlid as host, locations.xmlid as place
       from events
       join users on users.id = events.user_id
       join projects on projects.id = events.project_id
       join instructors on instructors.id = events.public_user
       join locations on locations.id = events.location
       where events.xmlid = '_demo.event_kür'`,
    )
    expect(event).toEqual({
      sysmail: 'berta@crearis.example',
      domaincode: 'hofbuehne',
      host: 'nord.partner.berta_süß',
      place: '_demo.location_hof',
    })
  })

  test('the upgraded one is refused by a database that is still at package A', async () => {
    const settings = await loadConfig({ cwd: CREARIS, environment: {} })
    const work = importContent(settings, { archive: paths.upgraded, mode: 'replace', database: old.database() })
    await expect(work).rejects.toMatchObject({ code: 'ARCHIVE_LEVEL_NEWER' })
  })
})
