import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import { administer, servers } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'
import { answering, hasTerminals, runCli, runCliOnTerminal } from './run-cli.js'

const SCHEMA = `
  create table users (id serial primary key, xmlid text unique, name text);
  create table notes (id serial primary key, body text);
  insert into users (xmlid, name) values ('ada', 'Ada'); insert into notes (body) values ('one'), ('two')`

let folder: string

beforeEach(async () => {
  folder = await createScratchFolder()
  await writeFile(join(folder, 'understudy.config.json'), '{ "archives": "backups" }')
})

async function runIn(url: string, ...args: string[]) {
  return await runCli(args, { cwd: folder, environment: { DATABASE_URL: url } })
}

async function withSql(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const database = await openDatabase(url)
  try {
    return await database.withSession(async (session) => {
      await session.script(sql.split('---')[0] ?? '')
      return await session.query(sql.split('---')[1] ?? 'select 1 as one')
    })
  } finally {
    await database.close()
  }
}

describe.each(servers.slice(0, 1))('on $name', (engine) => {
  test('a copied database is refused with the ways out, and adopted', async () => {
    const { url, database, dispose } = await engine.createDatabase()
    await database.close()
    await withSql(url, SCHEMA)
    expect((await runIn(url, 'export')).exitCode).toBe(0)
    const name = url.split('/').at(-1)
    await administer(engine.server, `create database ${name}_copy template ${name}`)
    const copy = `${url}_copy`

    const refused = await runIn(copy, 'export')
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toMatch(/^error: this database was copied or moved.*\(INSTANCE_AMBIGUOUS\)/m)
    expect(refused.stderr).toMatch(/understudy adopt --as-copy.*understudy adopt --as-original/s)

    expect((await runIn(copy, 'adopt')).stderr).toContain('say one of --as-copy, --as-original and --by')
    expect((await runIn(copy, 'adopt', '--as-copy')).stderr).toContain('say `--yes`')
    const dry = await runIn(copy, 'adopt', '--as-copy', '--dry-run')
    expect(dry).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/\nnotes +2\n.*nothing was written\n$/s) })
    const adopted = await runIn(copy, 'adopt', '--as-copy', '--yes', '--json')
    expect(JSON.parse(adopted.stdout)).toMatchObject({
      how: 'as-copy',
      isWritten: true,
      relations: [{ relation: 'notes', adopted: 2 }],
    })
    expect((await runIn(copy, 'export')).exitCode).toBe(0)
    expect((await runIn(url, 'import', '--dry-run')).stdout).toMatch(/\nnotes +0 +0 +2 +0 +0\n/)
    await administer(engine.server, `drop database ${name}_copy with (force)`)
    await dispose()
  })

  test('databases with a common past are adopted by their keys, after a question', async () => {
    const [source, target] = [await engine.createDatabase(), await engine.createDatabase()]
    for (const { database } of [source, target]) await database.withSession((session) => session.script(SCHEMA))
    const archive = join(folder, 'source.backup.tar.gz')
    await runIn(source.url, 'export', '--out', archive)
    expect((await runIn(target.url, 'import', archive, '--yes')).stderr).toContain(
      'understudy adopt --by primary-key <archive>',
    )
    const { stdout } = await runIn(target.url, 'adopt', '--by', 'primary-key', archive, '--yes')
    expect(stdout).toMatch(/notes +2 +2 +0 +0 +0/)
    expect(stdout).toContain('recorded in the registry')
    expect((await runIn(target.url, 'import', archive, '--yes')).stdout).toMatch(/\nnotes +0 +0 +2 +0 +0\n/)
    await Promise.all([source.dispose(), target.dispose()])
  })

  test('rows without an identity are listed, shown with what they would get, and filled', async () => {
    const { url, dispose } = await engine.createDatabase()
    await withSql(url, `${SCHEMA}; insert into users (name) values ('Bob'), ('Cyd')`)
    const listed = await runIn(url, 'identify')
    expect(listed).toMatchObject({ exitCode: 4, stdout: expect.stringMatching(/users\.xmlid +2 +3 +id 2, id 3\n/) })
    const fill = ['identify', 'users', '--fill', '{table}.{lower(name)}']
    const dry = await runIn(url, ...fill)
    expect(dry).toMatchObject({
      exitCode: 4,
      stdout: expect.stringMatching(/id 2: users\.bob.*nothing was written\n$/s),
    })
    const filled = await runIn(url, ...fill, '--yes', '--json')
    expect(JSON.parse(filled.stdout)).toMatchObject({ isWritten: true, filled: [{ relation: 'users', rows: 2 }] })
    expect(await runIn(url, 'identify')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('every row has an identity'),
    })
    expect(await withSql(url, 'select 1---select xmlid from users order by id')).toEqual([
      { xmlid: 'ada' },
      { xmlid: 'users.bob' },
      { xmlid: 'users.cyd' },
    ])
    await dispose()
  })

  test.skipIf(!hasTerminals).each([
    ['y\r', 0, 0],
    ['n\r', 1, 1],
  ])('on a terminal a fill is shown and asked for: %j', async (keys, code, without) => {
    const { url, dispose } = await engine.createDatabase()
    await withSql(url, `${SCHEMA}; insert into users (name) values ('Bob')`)
    const { stdout, exitCode } = await runCliOnTerminal(['identify', '--fill', '{table}.{id}'], {
      cwd: folder,
      environment: { DATABASE_URL: url },
      ...answering(keys),
    })
    expect(stdout).toMatch(/id 2: users\.2/)
    expect(exitCode).toBe(code)
    expect(await withSql(url, 'select 1---select count(*) as without from users where xmlid is null')).toEqual([
      { without },
    ])
    await dispose()
  })
})
