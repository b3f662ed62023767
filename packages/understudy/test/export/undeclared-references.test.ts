import { describe, expect, test } from 'vitest'
import { engines } from '../support/engines.js'
import { createStage } from '../support/scenario.js'

const SCHEMA = `
  create table users (id serial primary key, xmlid text unique not null);
  create table notes (id serial primary key, xmlid text unique not null, user_id int, owner_type text, owner_id int, tracking_id int, user_xmlid text);
  insert into users (xmlid) values ('ada'); insert into notes (xmlid, user_id) values ('n', 1);`

describe.each(engines)('ids that nothing declares to be references, on $name', (engine) => {
  test('are named by an export, until the configuration says what they are', async () => {
    const unsaid = await createStage(engine, SCHEMA)
    const remark = 'but nothing declares it: its value travels as it is; say under `references` what it is'
    expect((await unsaid.export()).warnings).toEqual([
      `notes.user_id looks like a reference, perhaps to users, ${remark}`,
      `notes.owner_id looks like a reference, ${remark}`,
    ])
    expect((await unsaid.export({ purpose: 'backup' })).warnings).toEqual([])

    const references = {
      'notes.user_id': { to: 'users.id' },
      'notes.owner_id': { by: 'owner_type', to: { User: 'users.id' } },
    } as const
    const said = await createStage(engine, SCHEMA, { references })
    expect((await said.export()).warnings).toEqual([])
    const denied = await createStage(engine, SCHEMA, {
      references: { 'notes.user_id': false, 'notes.owner_id': false },
    })
    expect((await denied.export()).warnings).toEqual([])
  })
})
