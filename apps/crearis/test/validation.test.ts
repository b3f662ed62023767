import { type CheckResult, loadConfig, validateDatabase } from 'understudy'
import { beforeAll, describe, expect, test } from 'vitest'
import { engines } from '../../../packages/understudy/test/support/engines.js'
import { fillMaster } from '../sample/index.js'
import { CREARIS, type Crearis, useCrearis } from './support.js'

async function validate(database: Crearis): Promise<readonly CheckResult[]> {
  const settings = await loadConfig({ cwd: CREARIS, environment: {} })
  return (await validateDatabase(settings, { database: database.database() })).checks
}

const failed = (checks: readonly CheckResult[]) =>
  checks
    .filter(({ status }) => status !== 'passed')
    .map(
      ({ name, severity, status, samples, message }) =>
        `${status === 'broken' ? status : severity} ${name}: ${message ?? samples.join('; ')}`,
    )

describe.each(engines)('the checks of crearis on $name', (engine) => {
  const crearis = useCrearis(engine)

  beforeAll(async () => {
    await crearis.migrate('B')
    await fillMaster(crearis)
  }, 120_000)

  test('are at least forty of the project, in five sections, and its content passes all of them', async () => {
    const checks = await validate(crearis)
    expect(failed(checks)).toEqual([])
    const settings = await loadConfig({ cwd: CREARIS, environment: {} })
    const builtIn = await validateDatabase({ ...settings, checks: '/nowhere' }, { database: crearis.database() })
    expect(checks.length - builtIn.checks.length).toBeGreaterThanOrEqual(40)
    const own = checks.filter(({ name }) => !builtIn.checks.some((each) => each.name === name))
    expect(new Set(own.map(({ section }) => section))).toEqual(
      new Set(['tables', 'counts', 'references', 'identities', 'consistency']),
    )
  })

  test('find what is wrong, each its own', async () => {
    await crearis.execute(`
      set session_replication_role = replica;
      update events set seats_max = 0, template = xmlid, status = 'publish', public_user = null where xmlid = '_demo.event_masken_bauen';
      update events set status_id = (select id from status where "table" = 'posts' limit 1) where xmlid = '_demo.event_stimme';
      update events set regio_id = (select id from projects where not is_regio limit 1) where xmlid = '_demo.event_offene_buehne';
      update posts set tags_display = '{falsch}' where xmlid = '_demo.post_001';
      update participants set age = 300, type = 'elder' where xmlid = (select min(xmlid) from participants);
      update users set password = 'geheim' where sysmail = (select min(sysmail) from users);
      update locations set xmlid = 'ort' where xmlid = '_demo.location_kellertheater';
      delete from countries;
      alter table events disable trigger trg_update_events_regio;
      reset session_replication_role;
      update events set event_xmlid = '_demo.event_masken_spielen' where xmlid = '_demo.event_sommerwoche_schattenspiel'`)
    const names = failed(await validate(crearis)).map((line) => line.replace(/:.*/s, ''))
    expect(names).toEqual(
      expect.arrayContaining([
        'error no trigger is switched off',
        'error there are countries',
        'error the state of events is one of their own',
        'error events.regio_id is a region',
        'error events.regio_id is up to date',
        'error the template of events is another one',
        'error no event is part of itself',
        'error the xmlid of locations has two or three parts',
        'error posts.tags_display is up to date',
        'error every published event has a host who is a user',
        'error seats are a number above zero',
        'error ages are those of people',
        'error every participant is a child, a teen or an adult',
        'error passwords are hashes',
        'error instructors.country_id points to rows of countries',
      ]),
    )
  })
})
