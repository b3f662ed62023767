import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.js'
import { engines, type TestDatabase, withTestDatabase } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'
import { hasTerminals, runCli, runCliOnTerminal } from './run-cli.js'

const SCHEMA = `
  create table users (id serial primary key, xmlid text unique, password text);
  create table "we""ird Ünï" (id serial primary key, "it's" text, user_id int);
  create schema other;
  create table other."table" (id serial primary key, parent int references other."table");
  insert into "we""ird Ünï" ("it's") values ('a'), ('b')`

const [engine] = engines.slice(-1)
if (!engine) throw new Error('no engine to test on')

let folder: string

beforeEach(async () => {
  folder = await createScratchFolder()
})

async function withSchema(use: (created: TestDatabase) => Promise<void>): Promise<void> {
  await withTestDatabase(engine as NonNullable<typeof engine>, async (created) => {
    await created.database.withSession((session) => session.script(SCHEMA))
    await created.database.close()
    await use(created)
  })
}

const run = (args: readonly string[], url: string) => runCli(args, { cwd: folder, environment: { DATABASE_URL: url } })

describe('inspect', () => {
  test('prints a line for every relation, the cycles and the warnings', async () => {
    await withSchema(async ({ url, database }) => {
      const { stdout, stderr, exitCode } = await run(['inspect', '--profile'], url)
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
      expect(stdout).toContain(`${database.label}\n\nrelation `)
      expect(stdout).toMatch(/^users +0 +key \(xmlid\) +unique identity column xmlid$/m)
      expect(stdout).toMatch(/^other\.table +0 +origin \(id\) /m)
      expect(stdout).toMatch(/\nReferences\n {2}other\.table: parent → other\.table \(late\)\n/)
      expect(stdout).toMatch(/\nCycles\n {2}other\.table: /)
      expect(stdout).toMatch(/\nKeys that the rows suggest\n {2}.*\(it's\) over 2 rows/)
      expect(stdout).toMatch(/\nWarnings\n.*\.user_id looks like a reference, perhaps to users/s)
    })
  })

  test('is silent about a column that the configuration says to be no reference; a foreign key is one', async () => {
    await withSchema(async ({ url }) => {
      await writeFile(
        join(folder, 'understudy.config.json'),
        JSON.stringify({
          references: { 'we"ird Ünï.user_id': false, 'other.table.parent': false, 'users.nothing': false },
        }),
      )
      const { stdout, exitCode } = await run(['inspect', '--json'], url)
      const { warnings, problems } = JSON.parse(stdout)
      expect(warnings.map(({ kind }: { kind: string }) => kind)).not.toContain('undeclared reference')
      expect(problems).toEqual([
        'references.other.table.parent: the foreign key table_parent_fkey says that it is a reference',
        'references.users.nothing: users has no column nothing',
      ])
      expect(exitCode).toBe(4)
    })
  })

  test('says which columns travel as something else, and which an import leaves alone', async () => {
    await withSchema(async ({ url }) => {
      const users = { mask: { password: "'!'" }, keep: ['password'] }
      await writeFile(join(folder, 'understudy.config.json'), JSON.stringify({ relations: { users } }))
      const { stdout } = await run(['inspect'], url)
      expect(stdout).toMatch(
        /\nMasked and kept\n {2}users\.password travels as '!', and keeps its own value where the row is there\n/,
      )
      const { relations } = JSON.parse((await run(['inspect', '--json'], url)).stdout)
      const { columns } = relations.find(({ name }: { name: string }) => name === 'users')
      expect(columns.find(({ name }: { name: string }) => name === 'password')).toMatchObject({
        mask: "'!'",
        isKept: true,
      })
    })
  })

  test.skipIf(!hasTerminals)('breaks long lines, narrower on a narrow terminal', async () => {
    await withTestDatabase(engine as NonNullable<typeof engine>, async (created) => {
      const columns = Array.from({ length: 20 }, (_, at) => `reference_${at} int references hub`)
      const script = `create table hub (code int primary key); create table wheel (code int primary key, ${columns.join(', ')})`
      await created.database.withSession((session) => session.script(script))
      await created.database.close()
      const piped = await run(['inspect'], created.url)
      const options = { cwd: folder, environment: { DATABASE_URL: created.url } }
      const shown = stripVTControlCharacters((await runCliOnTerminal(['inspect'], { ...options, columns: 80 })).stdout)
      for (const [text, width] of [
        [piped.stdout, 120],
        [shown, 80],
      ] as const) {
        expect(text).toMatch(/ {2}wheel: (reference_\d+ → hub,?\s+){20}\s/)
        expect(Math.max(...text.split(/\r?\n/).map((line) => line.length))).toBeLessThanOrEqual(width)
      }
    })
  })

  test('--json is the whole inspection', async () => {
    await withSchema(async ({ url }) => {
      const { stdout, exitCode } = await run(['inspect', '--json'], url)
      expect(exitCode).toBe(0)
      expect(JSON.parse(stdout).relations).toHaveLength(3)
    })
  })
})

describe('init', () => {
  test('writes a configuration that loads, also with every suggestion taken', async () => {
    await withSchema(async ({ url }) => {
      const { stdout, stderr, exitCode } = await run(['init'], url)
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
      expect(stdout).toMatch(/^understudy\.config\.ts written from .*\n3 relations, \d+ things to look at/)
      const file = join(folder, 'understudy.config.ts')
      const text = await readFile(file, 'utf8')
      expect(text).not.toContain(decodeURIComponent(new URL(url).password || 'no password'))
      expect(await loadConfig({ cwd: folder, environment: {} })).toMatchObject({
        relations: {},
        references: {},
        exclude: [],
      })

      await writeFile(file, text.replaceAll(/^(\s+)\/\/ (?=\S+( \S+)*: ({|')|'\*)/gm, '$1'))
      const { relations, references, exclude, database } = await loadConfig({ cwd: folder, environment: {} })
      expect(database).toMatch(/^postgres:/)
      expect(exclude).toEqual(['*_log'])
      expect(relations).toEqual({
        users: { mask: { password: "''" } },
        'we"ird Ünï': { identity: ["it's"] },
      })
      expect(references).toEqual({ 'we"ird Ünï.user_id': { to: 'table.column' } })
      expect(text).toContain('// or false: it is none')
    })
  })

  test('never writes over a configuration without --force', async () => {
    await withSchema(async ({ url }) => {
      const file = join(folder, 'understudy.config.ts')
      await writeFile(file, 'export default {}')
      const refused = await run(['init'], url)
      expect(refused).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('(CONFIG_EXISTS)\nhint: To write over it, say `--force`.'),
      })
      expect(await readFile(file, 'utf8')).toBe('export default {}')
      expect((await run(['init', '--force'], url)).exitCode).toBe(0)
      expect(await readFile(file, 'utf8')).toContain('defineConfig')
    })
  })
})
