import { randomBytes } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import { type Diagnosis, examineDatabase } from '../../src/doctor/examine-database.js'
import { administer, engines, servers, urlOf } from '../support/engines.js'
import { createStage, type Stage } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'
import { startTransactionPooler } from '../support/wire-servers.js'

const SHOP = `
create table users (id serial primary key, code text not null unique);
create table "Order items" (id serial primary key, code text not null unique, user_id int references users);
create function touch() returns trigger language plpgsql as 'begin return new; end';
create trigger touch before update on users for each row execute function touch();`

const ALL = { export: true, init: true, replace: true, migrate: true }

/** The findings that are not good, without their topics: `privileges bad: …`. */
function complaints({ findings }: Diagnosis): string[] {
  return findings
    .filter(({ state }) => state !== 'good')
    .map(({ topic, state, message }) => `${topic} ${state}: ${message}`)
}

async function examine(stage: Stage): Promise<Diagnosis> {
  return await examineDatabase(stage.settings, { database: stage.created.database })
}

describe.each(engines)('doctor on $name', (engine) => {
  test('finds nothing wrong with an ordinary database, and writes nothing', async () => {
    const stage = await createStage(engine, SHOP)
    const diagnosis = await examine(stage)
    expect(complaints(diagnosis)).toEqual([])
    expect(diagnosis).toMatchObject({ works: ALL, label: stage.created.database.label })
    const topics = new Set(diagnosis.findings.map(({ topic }) => topic))
    for (const topic of [
      'node',
      'connection',
      'server',
      'privileges',
      'settings',
      'encoding',
      'collations',
      'extensions',
      'row security',
      'event triggers',
      'locks',
      'disk',
      'model',
      'configuration',
    ])
      expect(topics).toContain(topic)
    expect(await stage.rows(`select to_regnamespace('understudy')::text as registry`)).toEqual([{ registry: null }])
    await stage.export()
    expect((await examine(stage)).works).toEqual(ALL)
  })

  test('names problems of the model, rewrite rules, event triggers and origins', async () => {
    const stage = await createStage(
      engine,
      `${SHOP} create table logs (id serial primary key, line text);
       create rule quiet as on update to users do also select 1;
       create function watch() returns event_trigger language plpgsql as 'begin end'; create event trigger watcher on ddl_command_end execute function watch();`,
      { relations: { nobody: { identity: 'origin' } } },
    )
    const diagnosis = await examine(stage)
    expect(diagnosis.works).toEqual({ export: false, init: false, replace: false, migrate: true })
    expect(complaints(diagnosis)).toEqual([
      expect.stringMatching(/^event triggers warning: watcher \(ddl_command_end\) run/),
      expect.stringMatching(/^model bad: the content model has problems: .*nobody/),
      'model bad: rewrite rules change what is written to users',
      'model warning: rows are known by where they were born only: logs',
    ])
    for (const { state, remedy } of diagnosis.findings) expect(remedy !== null && remedy !== '').toBe(state !== 'good')
  })

  test('says what extensions content needs, and that an import will ask for a name', async () => {
    const stage = await createStage(
      engine,
      'create extension citext; create table tags (id serial primary key, code citext unique, more citext[]);',
      {
        environment: 'production',
      },
    )
    const { findings } = await examine(stage)
    expect(findings.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^content uses types of citext 1\.\d: another database needs them too$/),
        expect.stringMatching(/^marked production: an import asks for --target-name/),
      ]),
    )
  })
})

test('an embedded database that is not there prevents all but a migration, and is not made', async () => {
  const folder = join(await createScratchFolder(), 'none')
  const stage = { database: `pglite:${folder}`, migrations: { folder: 'none' } }
  const diagnosis = await examineDatabase(stage as never)
  expect(diagnosis).toMatchObject({ label: null, works: { export: false, init: false, replace: false, migrate: true } })
  expect(complaints(diagnosis)).toEqual([`connection bad: there is no embedded database in ${folder}`])
})

describe.each(servers)('doctor on a server, $name', (engine) => {
  async function withRole(
    stage: Stage,
    grants: (role: string) => string,
    use: (diagnosis: Diagnosis, role: string, url: string) => Promise<void>,
  ) {
    const name = new URL(stage.created.url).pathname.slice(1)
    const role = `doctor_${randomBytes(4).toString('hex')}`
    await administer(engine.server, `create role ${role} login password 'pass-${role}'`)
    try {
      await stage.run(grants(role))
      const url = urlOf(engine.server, { role, password: `pass-${role}`, database: name })
      const database = await openDatabase(url)
      await use(await examineDatabase({ ...stage.settings, database: url }, { database }), role, url)
      await database.close()
    } finally {
      await stage.run(`drop owned by ${role}`)
      await administer(engine.server, `drop role ${role}`)
    }
  }

  const revoke = `do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$;`

  test('a role with no rights is told everything that it lacks, with the grants that would help', async () => {
    const stage = await createStage(engine, SHOP)
    await withRole(
      stage,
      () => revoke,
      async (diagnosis, role) => {
        expect(diagnosis).toMatchObject({ role, works: { export: false, init: false, replace: false, migrate: false } })
        expect(complaints(diagnosis).filter((line) => line.startsWith('privileges'))).toEqual(
          [
            'privileges bad: the role may not make temporary tables',
            'privileges bad: the registry (schema understudy) is missing and the role may not make it',
            expect.stringMatching(/^privileges bad: the role may create nothing in any schema/),
            'privileges bad: the role may not read "Order items", users',
            'privileges bad: the role may not write to "Order items", users',
            'privileges bad: the role may not draw from the sequences "public"."Order items_id_seq", "public"."users_id_seq"',
            'privileges bad: only the owner may suspend the triggers of users',
            expect.stringMatching(/^privileges warning: migrations cannot alter relations of other owners/),
          ].filter((_, index) => index !== 2 || Number(engine.server.major) >= 15),
        )
        const remedies = diagnosis.findings.map(({ remedy }) => remedy)
        expect(remedies).toContain(
          `As their owner: grant select on "public"."Order items", "public"."users" to "${role}".`,
        )
      },
    )
  })

  test('a role that may only read can export; with the grants it was told of it can import, as it was told', async () => {
    const stage = await createStage(
      engine,
      `${SHOP} insert into users (code) values ('u'); drop trigger touch on users`,
    )
    const { path } = await stage.export()
    await stage.run(`delete from users`)
    await withRole(
      stage,
      (role) => `grant select on all tables in schema public to ${role}`,
      async (diagnosis) => {
        expect(diagnosis.works).toEqual({ export: true, init: false, replace: false, migrate: false })
      },
    )
    const grants = (role: string) => `
      grant usage on schema understudy to ${role}; grant select, insert, update, delete on all tables in schema understudy to ${role};
      grant usage, select, update on all sequences in schema understudy to ${role};
      grant select, insert, update, delete on all tables in schema public to ${role};
      grant select, usage, update on all sequences in schema public to ${role};`
    await withRole(stage, grants, async (diagnosis, _, url) => {
      expect(diagnosis.works).toEqual({ export: true, init: true, replace: true, migrate: false })
      const database = await openDatabase(url)
      expect(await stage.import(path, { database })).toMatchObject({ isWritten: true })
      await database.close()
      expect(await stage.rows('select code from users')).toEqual([{ code: 'u' }])
    })
  })

  test('row security, role settings and another schema are seen with the eyes of the role', async () => {
    const stage = await createStage(
      engine,
      `${SHOP} create schema back; create table back.notes (code text primary key); alter table users enable row level security;`,
    )
    const grants = (role: string) => `
      grant select on all tables in schema public to ${role};
      alter role ${role} set default_transaction_read_only = on; alter role ${role} set statement_timeout = '5s';`
    await withRole(stage, grants, async (diagnosis) => {
      expect(complaints(diagnosis)).toEqual(
        expect.arrayContaining([
          'settings warning: default_transaction_read_only is on',
          'row security bad: policies hide rows from this role: public.users',
          'privileges bad: the role may not use the schemas back',
        ]),
      )
      expect(diagnosis.works.export).toBe(false)
      expect(diagnosis.findings).toContainEqual(
        expect.objectContaining({ message: expect.stringMatching(/statement_timeout = 5000 ms/) }),
      )
    })
  })

  test('who holds locks on content is named, with the pid', async () => {
    const stage = await createStage(engine, SHOP)
    const other = await openDatabase(stage.created.url, { applicationName: 'a shop' })
    await other.withSession((session) =>
      session.transaction({}, async () => {
        const [row] = await session.query<{ pid: number }>(`select pg_backend_pid() as pid`)
        await session.script(`update users set code = 'x'; lock table "Order items"`)
        // Newer servers give no definition of what is locked altogether: that is told too.
        expect(complaints(await examine(stage))[0]).toEqual(
          expect.stringMatching(
            new RegExp(
              `^locks warning: process ${row?.pid} \\(a shop, role .*users, "Order items" for \\d+ s: an export and an import wait for it$`,
            ),
          ),
        )
      }),
    )
    await other.close()
    expect(complaints(await examine(stage))).toEqual([])
  })

  test('a transaction pooler in between is found', async () => {
    const stage = await createStage(engine, SHOP)
    const name = new URL(stage.created.url).pathname.slice(1)
    const pooler = await startTransactionPooler(engine.server, name)
    const url = urlOf(engine.server, { port: pooler.port, database: name })
    try {
      const diagnosis = await examineDatabase({ ...stage.settings, database: url })
      expect(diagnosis.works).toEqual({ export: true, init: false, replace: false, migrate: false })
      expect(complaints(diagnosis)).toEqual([
        expect.stringMatching(/^pooler bad: a transaction pooler stands in between: Server process/),
      ])
    } finally {
      await pooler.close()
    }
  })

  test('an address where nobody answers, a wrong password and a folder that cannot be written are findings', async () => {
    const stage = await createStage(engine, SHOP)
    const nobody = await examineDatabase({ ...stage.settings, database: 'postgres://role:s3cret@127.0.0.1:1/shop' })
    expect(nobody).toMatchObject({
      serverVersion: null,
      works: { export: false, init: false, replace: false, migrate: false },
    })
    expect(complaints(nobody)).toEqual([
      expect.stringMatching(/^connection bad: no server answers at postgres:\/\/role@127/),
    ])
    expect(JSON.stringify(nobody)).not.toContain('s3cret')
    const file = join(await createScratchFolder(), 'blocked')
    await mkdir(file, { mode: 0o500 })
    await chmod(file, 0o500)
    const { findings } = await examineDatabase(
      { ...stage.settings, archives: join(file, 'deeper', 'still') },
      { database: stage.created.database },
    )
    const disk = findings.find(({ topic }) => topic === 'disk')
    if (process.getuid?.() === 0) expect(disk?.message).toMatch(/MB free for the folder of archives/)
    else expect(disk).toMatchObject({ state: 'bad', prevents: ['export'] })
  })
})
