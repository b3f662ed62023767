import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.js'
import type { Settings } from '../../src/config/settings.js'
import type { ModelSettings } from '../../src/model/settings.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-config-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(path: string, text: string): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

const load = (options: Parameters<typeof loadConfig>[0] = {}) =>
  loadConfig({ cwd: folder, environment: {}, ...options })

async function problemsOf(options?: Parameters<typeof loadConfig>[0]): Promise<string[]> {
  const error = await load(options).then(
    () => expect.fail('expected the configuration to be refused'),
    (thrown) => thrown,
  )
  expect(error.code).toBe('CONFIG_INVALID')
  return error.detail.split('\n')
}

describe('finding the file', () => {
  test('no file at all gives the defaults, with absolute paths', async () => {
    const settings = await load()
    expect(settings).toMatchObject({
      root: folder,
      configFile: null,
      database: `pglite:${folder}/data/understudy`,
      databaseSource: 'default',
      archives: `${folder}/data/sync`,
      schemas: [],
      environment: 'development',
      triggers: 'suspend',
      onMissing: 'fail',
      migrations: {
        folder: `${folder}/migrations`,
        archivedFolder: `${folder}/migrations/archived`,
        mirror: null,
        packages: [],
        startWith: null,
        endWith: null,
      },
    })
    expect(settings.identityColumns[0]).toBe('xmlid')
  })

  test('a file in a parent is found up to the root of the repository, and paths are relative to it', async () => {
    write('.git/HEAD', '')
    write('app/understudy.config.json', '{ "archives": "backups" }')
    mkdirSync(join(folder, 'app/scripts'))
    const settings = await load({ cwd: join(folder, 'app/scripts') })
    expect(settings.archives).toBe(`${folder}/app/backups`)
  })

  test('outside a repository a parent is not searched', async () => {
    write('understudy.config.json', '{ "archives": "backups" }')
    mkdirSync(join(folder, 'below'))
    expect((await load({ cwd: join(folder, 'below') })).configFile).toBeNull()
  })

  test('a file that was named and does not exist is an error', async () => {
    await expect(load({ file: 'other.ts' })).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' })
  })

  test('two files in one folder are an error that names both', async () => {
    write('understudy.config.json', '{}')
    write('understudy.config.ts', 'export default {}')
    expect(await problemsOf()).toEqual([`${folder}/understudy.config.ts`, `${folder}/understudy.config.json`])
  })
})

test('the settings are what the content model asks for', () => {
  expectTypeOf<Settings>().toExtend<ModelSettings>()
})

describe('reading the file', () => {
  test('TypeScript with defineConfig loads where the package is not installed', async () => {
    write(
      'understudy.config.ts',
      `import { defineConfig, type UnderstudyConfig } from 'understudy'
       const relations: UnderstudyConfig['relations'] = {
         users: { identity: ['email'], mask: { password: "''" } },
         lines: { owner: 'order_id' },
       }
       export default defineConfig({
         relations,
         references: { 'posts.meta.author': { to: 'users.id' }, 'tags.row_id': { by: 'kind', to: { post: 'posts.id' }, onDangling: 'null' } },
       })`,
    )
    const settings = await load()
    expect(settings.relations).toEqual({
      users: { identity: ['email'], mask: { password: "''" } },
      lines: { owner: 'order_id' },
    })
    expect(settings.relations.constructor).toBeUndefined()
    expect(settings.references).toEqual({
      'posts.meta.author': { to: 'users.id' },
      'tags.row_id': { by: 'kind', to: { post: 'posts.id' }, onDangling: 'null' },
    })
  })

  test('a file that changes is read anew', async () => {
    write('understudy.config.ts', "export default { archives: 'one' }")
    await load()
    write('understudy.config.ts', "export default { archives: 'two' }")
    expect((await load()).archives).toBe(`${folder}/two`)
  })

  test('packages come back in order, the last one open', async () => {
    write(
      'understudy.config.ts',
      `export default { migrations: { packages: { E: { title: 'Final', from: 40 }, A: { title: 'Setup', from: 0, to: 18 } } } }`,
    )
    expect((await load()).migrations.packages).toEqual([
      { name: 'A', title: 'Setup', from: 0, to: 18 },
      { name: 'E', title: 'Final', from: 40, to: Number.POSITIVE_INFINITY },
    ])
  })

  test('the application’s own list of migrations is checked to the last key', async () => {
    const mirror = { table: 'app.settings', column: 'config', key: 'migrations_run' }
    write('understudy.config.json', JSON.stringify({ migrations: { archived: 'seeds', mirror } }))
    expect((await load()).migrations).toMatchObject({ archivedFolder: `${folder}/seeds`, mirror })
    write(
      'understudy.config.json',
      JSON.stringify({ migrations: { mirror: { table: 'a.b.c', colum: 'config', key: '' } } }),
    )
    expect(await problemsOf()).toEqual([
      'migrations.mirror.table: expected `table` or `schema.table`',
      expect.stringMatching(/^migrations\.mirror\.column: /),
      'migrations.mirror.key: expected a name, found an empty text',
      'migrations.mirror.colum: unknown key; did you mean `column`?',
    ])
  })

  test('a file that throws, or exports nothing, says so', async () => {
    write('understudy.config.ts', "throw new Error('no such luck')")
    expect(await problemsOf()).toEqual([`${folder}/understudy.config.ts: no such luck`])
    write('understudy.config.ts', 'export const config = {}')
    expect(await problemsOf()).toEqual(['configuration: expected `export default defineConfig({ … })`'])
  })
})

describe('the database', () => {
  beforeEach(() => write('understudy.config.ts', "export default { database: 'pglite:./data/own' }"))

  test('a relative folder is relative to the configuration', async () => {
    expect(await load()).toMatchObject({ database: `pglite:${folder}/data/own`, databaseSource: 'configuration' })
  })

  test('DATABASE_URL in .env wins over the configuration, and the environment over .env', async () => {
    write('.env', 'DATABASE_URL=postgres://localhost/dotenv\nDB_MIGRATION_STARTWITH=a\n')
    const fromFile = await load()
    expect(fromFile).toMatchObject({ database: 'postgres://localhost/dotenv', databaseSource: 'DATABASE_URL' })
    expect(fromFile.migrations.startWith).toBe('a')
    const fromEnvironment = await load({
      environment: { DATABASE_URL: 'pglite:elsewhere', DB_MIGRATION_STARTWITH: 'B' },
    })
    expect(fromEnvironment).toMatchObject({ database: `pglite:${folder}/elsewhere` })
    expect(fromEnvironment.migrations.startWith).toBe('B')
  })

  test('--database wins over everything, its folder relative to the working directory', async () => {
    mkdirSync(join(folder, 'below'))
    const options = { cwd: join(folder, 'below'), file: '../understudy.config.ts', database: 'pglite:./here' }
    expect(await load({ ...options, environment: { DATABASE_URL: 'postgres://localhost/x' } })).toMatchObject({
      database: `pglite:${folder}/below/here`,
      databaseSource: '--database',
    })
  })

  test('a database that is given and empty is none at all', async () => {
    await expect(load({ database: '' })).rejects.toMatchObject({ code: 'USAGE' })
  })

  test('a byte order mark in front of .env is passed over', async () => {
    write('.env', '\uFEFFDATABASE_URL=postgres://localhost/dotenv\r\n')
    expect((await load()).database).toBe('postgres://localhost/dotenv')
  })

  test('every line of .env that is no assignment is refused, and not repeated', async () => {
    write('.env', 'garbage line\nDATABASE_URL=postgres://localhost/dotenv\n\nPGPASSWORD: geheim\n=nothing\n')
    const error = await load().catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(join(folder, '.env')) })
    expect(error.detail.match(/^line \d+/gm)).toEqual(['line 1', 'line 4', 'line 5'])
    expect(error.detail).not.toContain('geheim')
  })

  test('values of .env may go on over lines, and be commented on', async () => {
    const lines = ['# mine', '', 'KEY="-----BEGIN', 'no assignment', '-----END" # a key', 'export ONE = 1', "TEXT=it's"]
    write('.env', [...lines, 'EMPTY=', "DATABASE_URL='postgres://localhost/dotenv' # here", ''].join('\n'))
    expect((await load()).database).toBe('postgres://localhost/dotenv')
  })

  test('.env that is a folder is an error that names it', async () => {
    mkdirSync(join(folder, '.env'))
    await expect(load()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `${join(folder, '.env')} cannot be read`,
    })
  })

  test('a configuration reads .env through process.env, which is left as it was', async () => {
    write('.env', 'UNDERSTUDY_TEST_FOLDER=from-dotenv')
    write('understudy.config.ts', 'export default { archives: process.env.UNDERSTUDY_TEST_FOLDER }')
    expect((await load()).archives).toBe(`${folder}/from-dotenv`)
    expect(process.env.UNDERSTUDY_TEST_FOLDER).toBeUndefined()
  })

  test('a database in memory, and a URL of another kind, stay as they are', async () => {
    expect((await load({ database: 'pglite:memory' })).database).toBe('pglite:memory')
    expect((await load({ database: 'postgres://role@host/x' })).database).toBe('postgres://role@host/x')
  })
})

test('every problem is reported at once, each with its path', async () => {
  write(
    'understudy.config.ts',
    `export default {
      databse: 'x',
      onMissing: 'ignore',
      archives: 3,
      relations: { users: { identity: 'email', ownr: 'a' }, lines: { identity: ['a'], owner: 'b' }, empty: { identity: [] } },
      references: { users: { to: 'a.b' }, 'a.b': { to: 'c' }, 'a.c': { to: { x: 'd.e' } }, 'a.d': { to: 'd.e', by: 'k' }, 'a.e': false, 'a.f': true, 'a.g': { to: 'd.e', buy: 'k' } },
      migrations: { packages: { A: { title: 'A', from: 5, to: 3 } } },
    }`,
  )
  expect((await problemsOf()).sort()).toMatchInlineSnapshot(`
    [
      "archives: expected string, received number",
      "databse: unknown key; did you mean \`database\`?",
      "migrations.packages.A.to: the range is reversed",
      "onMissing: expected one of "fail"|"null"|"skip"|"placeholder"",
      "references.a.b.to: expected \`table.column\` or \`schema.table.column\`",
      "references.a.c.by: expected the column that chooses among the targets",
      "references.a.d.to: expected a target for each value of the column in \`by\`",
      "references.a.f: expected object, received boolean",
      "references.a.g.buy: unknown key; did you mean \`by\`?",
      "references.users: expected \`table.column\` or \`table.column.field\`",
      "relations.empty.identity: expected at least one name",
      "relations.lines.owner: an owner goes with the identity "content" only",
      "relations.users.identity: expected a list of columns, "origin" or "content"",
      "relations.users.ownr: unknown key; did you mean \`owner\`?",
    ]
  `)
})

test('packages that overlap or differ in case only are reported', async () => {
  write(
    'understudy.config.ts',
    `export default { migrations: { packages: {
      A: { title: '', from: 0, to: 18 }, B: { title: '', from: 18, to: 20 }, b: { title: '', from: 30 } } } }`,
  )
  expect(await problemsOf()).toEqual([
    'migrations.packages.B: its range overlaps that of A',
    'migrations.packages.b: its name differs from B in case only',
  ])
})
