import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { UnderstudyConfig } from '../../src/config/define-config.js'
import { openDatabase } from '../../src/database/open.js'
import { examineDatabase } from '../../src/doctor/examine-database.js'
import { administer, engines, servers, urlOf } from '../support/engines.js'
import { createStage } from '../support/scenario.js'

const SHOP = `
  create table users (id serial primary key, code text not null unique, age int, name text);
  create table notes (id serial primary key, code text not null unique, user_id int references users, name text);
  insert into users (code, age, name) values ('a', 7, 'Ada');
  create materialized view totals as select count(*) from users;`

async function complaintsOf(engine: (typeof engines)[number], config: UnderstudyConfig) {
  const stage = await createStage(engine, SHOP, config)
  const { works, findings } = await examineDatabase(stage.settings, { database: stage.created.database })
  for (const { state, remedy } of findings) expect(remedy !== null && remedy !== '').toBe(state !== 'good')
  const complaints = findings.filter(({ state }) => state !== 'good')
  return { works, complaints: complaints.map(({ topic, message }) => `${topic}: ${message}`), stage }
}

describe.each(engines)('doctor looks at the configuration, on $name', (engine) => {
  test('and names what an export would refuse', async () => {
    const { works, complaints, stage } = await complaintsOf(engine, {
      relations: { users: { mask: { age: `'none'`, name: 'nme' } }, notes: { mask: { name: `upper(s.name)` } } },
    })
    expect(works).toEqual({ export: false, init: true, replace: true, migrate: true })
    expect(complaints).toEqual([
      expect.stringMatching(
        /^configuration: relations\.users\.mask\.age: invalid input syntax for type integer: "none"/,
      ),
      expect.stringMatching(/^configuration: relations\.users\.mask\.name: column "nme" does not exist/),
    ])
    await expect(stage.export()).rejects.toMatchObject({ code: 'EXPORT_REFUSED_BY_DATABASE' })
  })

  test('and names what an import would refuse', async () => {
    const { works, complaints, stage } = await complaintsOf(engine, {
      refresh: ['totals', 'tools'],
      relations: { users: { copies: { name: 'upper(users.cod)' } } },
      dataPackages: {
        base: { title: '', relations: ['users'], seeds: ['gone.sql', { file: 'lost.ts', modes: ['init'] }] },
        checks: { title: '', validation: true },
      },
      checks: 'no-checks',
    })
    expect(works).toEqual({ export: true, init: false, replace: false, migrate: true })
    expect(complaints).toEqual([
      expect.stringMatching(/^configuration: relations\.users\.copies\.name: column users\.cod does not exist/),
      expect.stringMatching(/refresh: there is no materialized view tools$/),
      expect.stringMatching(/: notes: in no package$/),
      expect.stringMatching(/seeds cannot be used: .*gone\.sql: ENOENT/),
      expect.stringMatching(/seeds cannot be used: .*lost\.ts: /),
      expect.stringMatching(/the folder of checks cannot be read: .*no-checks/),
    ])
    expect(await stage.rows('select count(*)::int as n from users')).toEqual([{ n: 1 }])
  })

  test('and names columns that cannot be kept, which stop both', async () => {
    const { works, complaints } = await complaintsOf(engine, { relations: { users: { keep: ['pasword', 'code'] } } })
    expect(works).toEqual({ export: false, init: false, replace: false, migrate: true })
    expect(complaints).toEqual([
      expect.stringMatching(/^model: .*no column pasword travels; .*code is part of the identity$/),
    ])
  })

  test('and says nothing against one that can be carried out', async () => {
    const stage = await createStage(engine, SHOP, {
      refresh: ['totals'],
      relations: { users: { mask: { name: `'***'` }, keep: ['age'], copies: { name: 'upper(users.code)' } } },
      dataPackages: { base: { title: '', relations: ['*'], seeds: [{ file: 'seed.sql', modes: ['init'] }] } },
      checks: 'checks',
    })
    await mkdir(join(stage.settings.root, 'checks'))
    await writeFile(join(stage.settings.root, 'seed.sql'), 'select 1')
    const { findings } = await examineDatabase(stage.settings, { database: stage.created.database })
    expect(findings.filter(({ state }) => state !== 'good')).toEqual([])
  })
})

describe.each(servers.slice(0, 1))('on $name', (engine) => {
  test('doctor names a view that the role may not refresh', async () => {
    const stage = await createStage(engine, SHOP, { refresh: ['totals'] })
    const role = `doctor_${randomBytes(4).toString('hex')}`
    await administer(engine.server, `create role ${role} login password '${role}'`)
    const url = urlOf(engine.server, { role, password: role, database: new URL(stage.created.url).pathname.slice(1) })
    const database = await openDatabase(url)
    const { findings } = await examineDatabase({ ...stage.settings, database: url }, { database })
    expect(findings.map(({ message }) => message)).toContain('the role may not refresh the materialized view totals')
    await administer(engine.server, `drop role ${role}`)
  })
})
