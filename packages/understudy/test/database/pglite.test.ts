import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import type { Database } from '../../src/database/port.js'
import { engines, withTestDatabase } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'

const one = (database: Database) => database.withSession((session) => session.query('select 1 as one'))
const [pglite] = engines
if (pglite?.driver !== 'pglite') throw new Error('PGlite comes first')

describe('an embedded database', () => {
  test('makes its folder with parents, for its owner only, and keeps what was written', async () => {
    const folder = join(await createScratchFolder(), 'deep', 'down')
    const database = await openDatabase(`pglite:${folder}`)
    expect(database).toMatchObject({ driver: 'pglite', label: `pglite:${folder}`, maxSessions: 1 })
    await database.withSession((session) => session.script("create table t (a text); insert into t values ('kept')"))
    await database.close()
    await database.close()
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    const again = await openDatabase(`pglite:${folder}`)
    expect(await again.withSession((session) => session.query('select a from t'))).toEqual([{ a: 'kept' }])
    await again.close()
  })

  test('may live in memory, each one alone', async () => {
    const [first, second] = await Promise.all([openDatabase('pglite:memory'), openDatabase('pglite:memory')])
    await first.withSession((session) => session.script('create table t (a text)'))
    expect(await second.withSession((s) => s.query("select to_regclass('t') is null as missing"))).toEqual([
      { missing: true },
    ])
    await Promise.all([first.close(), second.close()])
  })

  test('is one instance when one process opens its folder twice', async () => {
    await withTestDatabase(pglite, async ({ url, database }) => {
      const second = await openDatabase(`${url}/../data/`)
      await database.withSession((session) => session.script('create table t (a text)'))
      expect(await second.withSession((s) => s.query("select to_regclass('t') is not null as found"))).toEqual([
        { found: true },
      ])
      await database.close()
      expect(await one(second)).toEqual([{ one: 1 }])
      await second.close()
      const third = await openDatabase(url)
      expect(await one(third)).toEqual([{ one: 1 }])
      await third.close()
    })
  })

  test('gives its sessions one after the other, and none inside another', async () => {
    await withTestDatabase(pglite, async ({ url, database }) => {
      const order: number[] = []
      const session = (n: number) =>
        database.withSession(async (s) => {
          order.push(n)
          await s.query('select pg_sleep(0.01)')
          order.push(n)
        })
      await Promise.all([session(1), session(2), session(3)])
      expect(order).toEqual([1, 1, 2, 2, 3, 3])
      await expect(database.withSession(() => one(database))).rejects.toMatchObject({ code: 'SESSION_MISUSED' })
      await expect(database.withSession(() => database.close())).rejects.toMatchObject({ code: 'SESSION_MISUSED' })
      const sameFolder = await openDatabase(url)
      await expect(database.withSession(() => one(sameFolder))).rejects.toMatchObject({ code: 'SESSION_MISUSED' })
      await sameFolder.close()
      expect(await one(database)).toEqual([{ one: 1 }])
    })
  })

  test('has the extensions that PGlite ships, also when it is opened again', async () => {
    await withTestDatabase(pglite, async ({ url, database }) => {
      const names = [
        'hstore',
        'citext',
        'ltree',
        'pgcrypto',
        'uuid-ossp',
        'pg_trgm',
        'unaccent',
        'fuzzystrmatch',
        'tablefunc',
      ]
      await database.withSession(async (session) => {
        for (const name of names) await session.script(`create extension "${name}"`)
      })
      await database.close()
      const again = await openDatabase(url)
      const [row] = await again.withSession((session) =>
        session.query(`
          select 'a=>1'::hstore -> 'a' as hstore, 'A'::citext = 'a' as citext, length(gen_salt('bf')) as pgcrypto,
            levenshtein('a', 'ab') as fuzzystrmatch, unaccent('é') as unaccent, nlevel('a.b'::ltree) as ltree`),
      )
      expect(row).toEqual({ hstore: '1', citext: true, pgcrypto: 29, fuzzystrmatch: 1, unaccent: 'e', ltree: 2 })
      await again.close()
    })
  })

  test('passes on notices to who wants them', async () => {
    await withTestDatabase(pglite, async ({ url }) => {
      const notices: string[] = []
      const database = await openDatabase(url, { onNotice: (notice) => notices.push(notice) })
      await database.withSession((session) => session.script("do $$ begin raise notice 'heard'; end $$"))
      await database.close()
      expect(notices).toEqual(['heard'])
    })
  })

  test('refuses a folder with other files, and leaves it as it was', async () => {
    const folder = await createScratchFolder()
    await writeFile(join(folder, 'letter.txt'), 'mine')
    await expect(openDatabase(`pglite:${folder}`)).rejects.toMatchObject({
      code: 'FOLDER_UNUSABLE',
      detail: expect.stringContaining('letter.txt'),
    })
    expect(await readdir(folder)).toContain('letter.txt')
    expect(await readdir(folder)).not.toContain('PG_VERSION')
  })

  test('refuses a path that is a file', async () => {
    const path = join(await createScratchFolder(), 'file')
    await writeFile(path, '')
    await expect(openDatabase(`pglite:${path}`)).rejects.toMatchObject({ code: 'FOLDER_UNUSABLE' })
  })

  test('tells a folder that cannot be looked into from one without a database', async () => {
    const folder = await createScratchFolder()
    // A link to itself, as the right to look is nothing that an administrator can be without.
    await symlink('circle', join(folder, 'circle'))
    const open = (name: string) => openDatabase(`pglite:${join(folder, name)}`, { folder: 'expect' })
    await expect(open('circle')).rejects.toMatchObject({ code: 'FOLDER_UNUSABLE' })
    await expect(open('none')).rejects.toMatchObject({ code: 'DATABASE_NOT_FOUND' })
  })

  test('says why a folder cannot be opened, and lets go of it', async () => {
    await withTestDatabase(pglite, async ({ url, database }) => {
      await database.close()
      await writeFile(join(url.slice('pglite:'.length), 'PG_VERSION'), '12\n')
      for (const _ of ['once', 'twice']) {
        await expect(openDatabase(url)).rejects.toMatchObject({
          code: 'FOLDER_UNUSABLE',
          detail: expect.stringContaining('incompatible'),
        })
      }
    })
  })

  test('starts again in a folder where making it was interrupted', async () => {
    const folder = await createScratchFolder()
    await mkdir(join(folder, 'base'))
    await writeFile(join(folder, 'PG_VERSION'), '18\n')
    await writeFile(join(folder, 'understudy.unfinished'), '')
    const database = await openDatabase(`pglite:${folder}`)
    expect(await one(database)).toEqual([{ one: 1 }])
    await database.close()
    expect(await readdir(folder)).not.toContain('understudy.unfinished')
  })
})
