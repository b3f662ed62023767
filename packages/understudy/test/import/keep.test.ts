import { describe, expect, test } from 'vitest'
import { validateDatabase } from '../../src/validate/validate-database.js'
import { engines } from '../support/engines.js'
import { countsOf, createStage } from '../support/scenario.js'

const SCHEMA = `
create table "users" (
  id int generated always as identity primary key,
  email text not null unique,
  name text,
  "pass""wörd" text,
  boss_id int references users,
  prefs json
);`
const PEOPLE = `insert into users (email, name, "pass""wörd", boss_id, prefs) overriding system value values`

const config = {
  triggers: 'fire',
  relations: { users: { identity: ['email'], mask: { 'pass"wörd': "'!'" }, keep: ['pass"wörd', 'boss_id', 'prefs'] } },
} as const

const READ = `
  select u.email, u.name, u."pass""wörd" as password, b.email as boss, u.prefs::text as prefs
  from users u left join users b on b.id = u.boss_id order by u.email`

async function source(engine: (typeof engines)[number]) {
  return await createStage(
    engine,
    `${SCHEMA} ${PEOPLE} ('bob', 'Bob', 'b', null, '{}'); ${PEOPLE} ('ada', 'Ada', 'a', 1, '[1]'), ('cyd', 'Cyd', 'c', 1, '[2]')`,
    config,
  )
}

describe.each(engines)('columns that a row keeps on $name', (engine) => {
  test('travel into new rows and change no row that is there', async () => {
    const { path } = await (await source(engine)).export()
    const target = await createStage(
      engine,
      `${SCHEMA} ${PEOPLE} ('dan', 'Dan', 'd', null, null);
       ${PEOPLE} ('ada', 'Old', E'"\\\\\\nä', 1, '{"x": 1.0,  "x": null}'), ('bob', 'Bob', null, null, null)`,
      config,
    )
    const dry = await target.import(path, { isDryRun: true })
    expect(countsOf(dry)).toEqual({ users: 'insert 1, update 1, same 1' })
    expect(dry.plan.notes).toEqual(['users: 2 rows keep their own pass"wörd, boss_id, prefs'])
    expect(countsOf(await target.import(path))).toEqual(countsOf(dry))
    expect(await target.rows(READ)).toEqual([
      { email: 'ada', name: 'Ada', password: '"\\\nä', boss: 'dan', prefs: '{"x": 1.0,  "x": null}' },
      { email: 'bob', name: 'Bob', password: null, boss: null, prefs: null },
      { email: 'cyd', name: 'Cyd', password: '!', boss: 'bob', prefs: '[2]' },
      { email: 'dan', name: 'Dan', password: 'd', boss: null, prefs: null },
    ])
    expect(countsOf(await target.import(path))).toEqual({ users: 'same 3' })
  })

  test('make no difference to an archive, also after an init', async () => {
    const { path } = await (await source(engine)).export()
    const target = await createStage(engine, SCHEMA, config)
    const { database } = target.created
    expect((await target.import(path, { mode: 'init' })).plan.notes).toEqual([])
    await target.run(`update users set "pass""wörd" = 'own ' || id, prefs = null`)
    const failed = async () => {
      const { checks } = await validateDatabase(target.settings, { database, archive: path })
      return checks.filter(({ status }) => status !== 'passed').map(({ name, samples }) => [name, samples])
    }
    expect(await failed()).toEqual([])
    expect(countsOf(await target.import(path, { mode: 'init' }))).toEqual({ users: 'same 3' })
    await target.run(`update users set name = 'X' where email = 'ada'`)
    expect(await failed()).toEqual([["users: the archive's content", ['ada (differs)']]])
  })

  test('are refused where they cannot be kept', async () => {
    const { path } = await (await source(engine)).export()
    const own = { users: { identity: ['email'], keep: ['email', 'id', 'nope'] } }
    const target = await createStage(engine, SCHEMA, { relations: own })
    await expect(target.import(path)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      detail: [
        'relations.users.keep: email is part of the identity',
        'relations.users.keep: no column id travels',
        'relations.users.keep: no column nope travels',
      ].join('\n'),
    })
  })
})
