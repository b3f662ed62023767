import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { verifyArchive } from '../../src/archive/reader.js'
import { openDatabase } from '../../src/database/open.js'
import { exportContent } from '../../src/export/export-content.js'
import { servers, urlOf } from '../support/engines.js'
import { createStage, digestsOf, settingsFor } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'
import { startOwnServer } from '../support/servers.js'

describe.each(servers.slice(0, 1))('on $name', (engine) => {
  test('a role that may read the registry and not write it exports, with the instance, and is told what is lost', async () => {
    const stage = await createStage(
      engine,
      `create table notes (id serial primary key, body text); insert into notes (body) values ('a')`,
    )
    const first = await stage.export()
    const role = `reader_${Date.now()}`
    await stage.run(`
      create role ${role} login password 'reader';
      grant usage on schema understudy, public to ${role};
      grant select on all tables in schema understudy, public to ${role};
    `)
    const name = stage.created.url.split('/').at(-1) ?? ''
    const database = await openDatabase(urlOf(engine.server, { role, password: 'reader', database: name }))
    try {
      const out = join(await createScratchFolder(), 'read.backup.tar.gz')
      const result = await exportContent(stage.settings, { out, database })
      expect(result.warnings).toEqual([expect.stringContaining('may not write the registry')])
      expect(digestsOf(result)).toEqual(digestsOf(first))
    } finally {
      await database.close()
      await stage.run(`drop owned by ${role}; drop role ${role}`)
    }
  })

  test('a role that may connect once reads everything through that one connection', async () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const tables = names.map(
      (name) => `create table ${name} (xmlid text primary key); insert into ${name} values ('1')`,
    )
    const stage = await createStage(engine, tables.join(';'))
    const first = await stage.export()
    const role = `single_${Date.now()}`
    await stage.run(`
      create role ${role} login password 'single' connection limit 1;
      grant usage on schema understudy, public to ${role};
      grant select, insert on all tables in schema understudy, public to ${role};
    `)
    const name = stage.created.url.split('/').at(-1) ?? ''
    const database = await openDatabase(urlOf(engine.server, { role, password: 'single', database: name }))
    try {
      const out = join(await createScratchFolder(), 'single.backup.tar.gz')
      expect(digestsOf(await exportContent(stage.settings, { out, database, jobs: 4 }))).toEqual(digestsOf(first))
    } finally {
      await database.close()
      await stage.run(`drop owned by ${role}; drop role ${role}`)
    }
  })

  test('an archive that is whole is a result although the server goes while it is being recorded', async () => {
    const stage = await createStage(
      engine,
      `create table notes (xmlid text primary key, body text); insert into notes values ('a', 'a')`,
    )
    await stage.export()
    await stage.run(`create function leave() returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
      create trigger leave before insert on understudy.transfer for each row execute function leave();`)
    const result = await stage.export()
    expect(result.warnings).toEqual([expect.stringMatching(/whole.*not in the log.*--as-original/)])
    expect((await verifyArchive(result.path)).files).toMatchObject([{ relation: 'notes', records: 1 }])
  })

  test('a role that may not read the registry is told so by an import, and what an export loses', async () => {
    const stage = await createStage(
      engine,
      `create table notes (id serial primary key, body text); insert into notes (body) values ('a')`,
    )
    const { path } = await stage.export()
    const role = `outside_${Date.now()}`
    await stage.run(`create role ${role} login password 'x'; grant all on all tables in schema public to ${role};`)
    const name = stage.created.url.split('/').at(-1) ?? ''
    const database = await openDatabase(urlOf(engine.server, { role, password: 'x', database: name }))
    try {
      const out = join(await createScratchFolder(), 'outside.backup.tar.gz')
      const { warnings } = await exportContent(stage.settings, { out, database })
      expect(warnings).toEqual([expect.stringContaining('no registry that this role may read')])
      await expect(stage.import(path, { database, isDryRun: true })).rejects.toMatchObject({
        code: 'PRIVILEGE_MISSING',
        message: expect.stringContaining('may not read the registry'),
      })
    } finally {
      await database.close()
      await stage.run(`drop owned by ${role}; drop role ${role}`)
    }
  })
})

test('a replica exports, with a registry and without one', { timeout: 120_000 }, async () => {
  const own = await startOwnServer()
  try {
    const url = (database: string) => urlOf(own.server, { database })
    const create = async (name: string) => {
      const main = await openDatabase(url('postgres'))
      await main.withSession((session) => session.script(`create database ${name}`))
      await main.close()
      const database = await openDatabase(url(name))
      await database.withSession((session) =>
        session.script(
          `create table notes (xmlid text primary key, body text); insert into notes values ('a', 'a'); checkpoint`,
        ),
      )
      await database.close()
    }
    await create('without')
    await create('with_registry')
    const folder = await createScratchFolder()
    const known = await exportContent(settingsFor(url('with_registry'), folder), { out: join(folder, '1.tar.gz') })
    await own.crash()
    await own.restartAsReplica()
    const again = await exportContent(settingsFor(url('with_registry'), folder), { out: join(folder, '2.tar.gz') })
    expect(digestsOf(again)).toEqual(digestsOf(known))
    expect(again.warnings).toEqual([expect.stringContaining('may not write the registry')])
    const bare = await exportContent(settingsFor(url('without'), folder), { out: join(folder, '3.tar.gz') })
    expect(digestsOf(bare)).toEqual(digestsOf(known))
    expect(bare.warnings).toEqual([expect.stringContaining('no registry that this role may read or make')])
  } finally {
    await own.stop()
  }
})
