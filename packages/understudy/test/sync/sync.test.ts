import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import { syncContent } from '../../src/sync/sync-content.js'
import { runCli } from '../cli/run-cli.js'
import { engines, servers, withTestDatabases } from '../support/engines.js'
import { createStage } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'

const SCHEMA = `create table users (id serial primary key, mail text not null unique);
  create table posts (id serial primary key, slug text not null unique, user_id int references users);`

const READ = 'select slug, mail from posts left join users on users.id = user_id order by slug'

async function rowsOf(url: string): Promise<unknown[]> {
  const database = await openDatabase(url)
  try {
    return await database.withSession((session) => session.query(READ))
  } finally {
    await database.close()
  }
}

describe.each(servers.slice(0, 1))('understudy sync on $name', (engine) => {
  test('brings one database into another and leaves no file, unless one is asked for', async () => {
    await withTestDatabases([engine, engine], async ([source, target]) => {
      if (!source || !target) throw new Error('two databases were asked for')
      await source.database.withSession((session) =>
        session.script(
          `${SCHEMA} insert into users values (7, 'änna@example.org'); insert into posts values (3, 'hello', 7)`,
        ),
      )
      await target.database.withSession((session) =>
        session.script(`${SCHEMA} insert into users values (1, 'other@example.org')`),
      )
      await Promise.all([source.database.close(), target.database.close()])
      const cwd = await createScratchFolder()
      const temporary = await createScratchFolder()
      const run = (...args: string[]) =>
        runCli(['sync', '--from', source.url, '--to', target.url, ...args], { cwd, environment: { TMPDIR: temporary } })

      const dry = await run('--dry-run')
      expect(dry).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/posts +1 +0 .*nothing was written/s) })
      expect(await rowsOf(target.url)).toEqual([])
      expect((await run()).stderr).toContain('no terminal')
      expect((await run('--yes')).exitCode).toBe(0)
      expect(await rowsOf(target.url)).toEqual([{ slug: 'hello', mail: 'änna@example.org' }])
      expect([readdirSync(temporary), readdirSync(cwd)]).toEqual([[], []])

      const again = await run('--yes', '--keep', 'kept/', '--json')
      const { imported, archivePath } = JSON.parse(again.stdout)
      expect(imported.plan.relations.map((each: { inserts: number }) => each.inserts)).toEqual([0, 0])
      expect(existsSync(archivePath)).toBe(true)
      expect(archivePath.startsWith(join(cwd, 'kept'))).toBe(true)

      const failed = await run('--yes', '--only', 'nothing')
      expect(failed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('(SELECTION_UNKNOWN)') })
      expect(readdirSync(temporary)).toEqual([])
      const itself = await runCli(['sync', '--from', source.url, '--to', source.url, '--yes'], { cwd })
      expect(itself).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('the same database') })
    })
  })
})

describe.each(engines.slice(0, 1))('syncContent on $name', (engine) => {
  test('takes one embedded database after the other', async () => {
    const source = await createStage(engine, `${SCHEMA} insert into posts values (3, 'hello')`)
    const target = await createStage(engine, SCHEMA)
    await Promise.all([source.created.database.close(), target.created.database.close()])
    const { imported, archivePath } = await syncContent(target.settings, {
      from: source.settings.database,
      to: target.settings.database,
      mode: 'init',
    })
    expect([imported.isWritten, archivePath, existsSync(imported.archivePath)]).toEqual([true, null, false])
    expect(await rowsOf(target.settings.database)).toEqual([{ slug: 'hello', mail: null }])
  })
})
