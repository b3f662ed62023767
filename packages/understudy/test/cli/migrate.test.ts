import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { withAdvisoryLock } from '../../src/database/advisory-lock.js'
import { type Engine, engines, servers, type TestDatabase, withTestDatabase } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'
import { type CliOptions, type CliRun, runCli } from './run-cli.js'

const [pglite] = engines as [Engine]
let folder: string

beforeEach(async () => {
  folder = await createScratchFolder()
  await mkdir(join(folder, 'migrations'))
})

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'migrations', name), text)
}

/** A database that nobody in this process holds: an embedded one belongs to one process at a time. */
async function withClosedDatabase(engine: Engine, use: (created: TestDatabase) => Promise<void>): Promise<void> {
  await withTestDatabase(engine, async (created) => {
    await created.database.close()
    await use(created)
  })
}

function migrate(args: readonly string[], url: string, options: Partial<CliOptions> = {}): Promise<CliRun> {
  return runCli(['migrate', ...args], { cwd: folder, environment: { DATABASE_URL: url }, ...options })
}

test('on PGlite, up and status', async () => {
  await write({ '001_users.sql': 'create table users (id int)' })
  await withClosedDatabase(pglite, async ({ url }) => {
    expect(await migrate(['up'], url)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^one migration applied/),
    })
    expect(await migrate(['status'], url)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/001_users +applied/),
    })
  })
})

describe.each(servers)('on $name', (engine) => {
  test('up runs what is pending and says so, status follows with its exit codes', async () => {
    await write({
      '001_users.sql': 'create table users (id int)',
      '002_posts.ts': `
        import { defineMigration } from 'understudy'
        export default defineMigration({ description: 'posts', up: (db) => db.execute('create table posts (id int)') })`,
      '003_manual.sql': '-- migrate: manual-only\nselect 1',
    })
    await withClosedDatabase(engine, async ({ url, database }) => {
      const before = await migrate(['status'], url)
      expect(before).toMatchObject({ exitCode: 2, stderr: '' })
      expect(before.stdout).toMatch(/001_users +pending\n002_posts +pending\n003_manual +manual\n/)

      const up = await migrate(['up'], url)
      expect(up.exitCode).toBe(0)
      expect(up.stderr).toMatch(/^001_users {2}\d.*s\n002_posts {2}\d.*s\n$/)
      expect(up.stdout).toMatch(
        /^2 migrations applied to .*\n003_manual is manual: `understudy migrate run 003` runs it\n$/,
      )
      expect(up.stdout).toContain(database.label)

      const again = await migrate(['up', '--json'], url)
      expect(again).toMatchObject({ exitCode: 0, stderr: '' })
      expect(JSON.parse(again.stdout)).toMatchObject({ applied: [], manual: ['003_manual'] })

      const after = await migrate(['status', '--json'], url)
      expect(after.exitCode).toBe(0)
      expect(JSON.parse(after.stdout)).toMatchObject({ pendingCount: 0, problemCount: 0 })

      await write({ '001_users.sql': 'create table people (id int)' })
      expect(await migrate(['status'], url)).toMatchObject({
        exitCode: 4,
        stdout: expect.stringMatching(/001_users +changed/),
      })
      const stopped = await migrate(['up'], url)
      expect(stopped).toMatchObject({ exitCode: 4, stdout: '' })
      expect(stopped.stderr).toContain(
        '  001_users: its text was changed after it was applied; to go on: --allow-drift changed:001_users\n',
      )
    })
  })

  test('what writes asks first, or wants --yes where nobody can be asked', async () => {
    await write({ '001_users.sql': 'create table users ();\n-- migrate: down\ndrop table users' })
    await withClosedDatabase(engine, async ({ url }) => {
      for (const args of [['baseline'], ['repair'], ['down', '--to', 'none']]) {
        const { exitCode, stderr } = await migrate(args, url)
        expect(exitCode).toBe(1)
        expect(stderr).toMatch(/^error: there is no terminal to ask .*\(USAGE\)\n.*Say `--yes`\.\n$/s)
      }
      const baseline = await migrate(['baseline', '--yes'], url)
      expect(baseline.stdout).toMatch(/^one migration recorded as applied in .*, from 001_users to 001_users\n$/)
      await write({ '001_users.sql': 'create table people ();\n-- migrate: down\nselect 1' })
      expect(await migrate(['verify'], url)).toMatchObject({
        exitCode: 4,
        stdout: 'changed:001_users  its text was changed after it was applied\n',
      })
      expect((await migrate(['repair', '001', '--yes'], url)).stdout).toBe('001_users: its text of today is accepted\n')
      expect((await migrate(['down', '--to', 'none', '--yes'], url)).stdout).toMatch(/^one migration taken back in /)
      expect((await migrate(['status', '--json'], url)).exitCode).toBe(2)
    })
  })

  test('run, archived and new find what they are told, and up shows its SQL without writing', async () => {
    await mkdir(join(folder, 'migrations', 'archived'))
    await write({
      '001_users.sql': '-- migrate: description Users\ncreate table users (id int)',
      '002_manual.ts': `export default { description: 'm', manualOnly: true, up: (db) => db.query('insert into users values ($1::int)', [1]) }`,
      'archived/001_seed.sql': 'insert into users values (2)',
    })
    await withClosedDatabase(engine, async ({ url }) => {
      const dry = await migrate(['up', '--dry-run'], url, {
        environment: { DATABASE_URL: url, RUN_MANUAL_MIGRATIONS: 'true' },
      })
      expect(dry).toMatchObject({ exitCode: 0 })
      expect(dry.stdout).toMatch(
        /^-- 001_users: Users \(.*\)\n-- migrate: description Users\ncreate table users \(id int\);\n\n/,
      )
      expect(dry.stdout).toMatch(/insert into users values \(\$1::int\);\n-- values: \[1\]\n/)
      expect(dry.stdout).toMatch(/-- 2 migrations ran in .* and were rolled back; nothing was written\n$/)

      expect((await migrate(['up'], url)).stdout).toMatch(/^one migration applied/)
      expect((await migrate(['run', '002'], url)).stdout).toMatch(/^one migration applied/)
      expect((await migrate(['run', '002'], url)).stdout).toMatch(/^002 is applied already in /)
      expect((await migrate(['archived'], url)).stdout).toMatch(/^one migration applied/)
      expect((await migrate(['status'], url)).stdout).toMatch(
        /Archived data seeds\nmigration .*\n.*\n001_seed +applied /,
      )
      expect(await migrate(['new', 'Event tags'], url)).toMatchObject({ stdout: 'migrations/003_event_tags.sql\n' })
      expect(await migrate(['status'], url)).toMatchObject({ exitCode: 2 })
    })
  })

  test('a failure names migration, file and line, and exits 1', async () => {
    await write({ '001_bad.sql': 'select 1;\n\nselect 1 from nowhere;' })
    await withClosedDatabase(engine, async ({ url }) => {
      const { stdout, stderr, exitCode } = await migrate(['up'], url)
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
      expect(stderr).toMatch(
        /^error: migration 001_bad failed: relation "nowhere" does not exist \(MIGRATION_FAILED\)\n/,
      )
      expect(stderr).toContain('  migrations/001_bad.sql:3\n')
      expect(stderr).not.toMatch(/\n\s+at /)
    })
  })

  test('Ctrl-C rolls the running migration back, keeps those before it and exits 130', async () => {
    await write({
      '001_kept.sql': 'create table kept ()',
      '002_slow.ts': `export default { description: 'slow', async up(db) {
        await db.execute('create table lost ()')
        for (let i = 0; i < 200; i++) await db.query('select pg_sleep(0.1)')
      } }`,
    })
    await withClosedDatabase(engine, async ({ url }) => {
      const { stderr, exitCode } = await migrate(['up'], url, {
        onSpawn: (child) => child.stderr?.once('data', () => sleep(500).then(() => child.kill('SIGINT'))),
      })
      expect(exitCode).toBe(130)
      expect(stderr).toContain('interrupted: rolling back')
      const status = await migrate(['status', '--json'], url)
      const [only] = JSON.parse(status.stdout).packages
      expect(only.migrations.map(({ state }: { state: string }) => state)).toEqual(['applied', 'pending'])
    })
  })

  test('a second runner stops with exit code 3 and names the one that is at work', async () => {
    await write({ '001_any.sql': 'select 1' })
    await withTestDatabase(engine, ({ url, database }) =>
      database.withSession((first) =>
        withAdvisoryLock(first, { waitMs: 0 }, async () => {
          const [own] = await first.query<{ pid: number }>('select pg_backend_pid() as pid')
          const stopped = await migrate(['up', '--wait', '0'], url)
          expect(stopped.exitCode).toBe(3)
          expect(stopped.stderr).toContain(`the database is in use by process ${own?.pid} (understudy)`)
        }),
      ),
    )
  })
})
