import { cp, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openRegistry } from '../../src/registry/registry.js'
import { isSameDatabase } from '../../src/sync/same-database.js'
import { runCli } from '../cli/run-cli.js'
import { administer, engines, servers, withTestDatabase } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'

describe.each(servers.slice(0, 1))('one database under two addresses on $name', (engine) => {
  test('is refused before anything is exported, by a role without rights too', async () => {
    await withTestDatabase(engine, async ({ url, database }) => {
      await database.withSession((session) => session.script('create table users (mail text primary key)'))
      const other = url.replace('127.0.0.1', 'localhost')
      expect(other).not.toBe(url)
      const cwd = await createScratchFolder()
      const { stdout, stderr, exitCode } = await runCli(
        ['sync', '--from', url, '--to', other, '--yes', '--keep', 'kept/'],
        { cwd },
      )
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
      expect(stderr).toContain('error: source and target are the same database (USAGE)')
      const registry = await database.withSession((session) =>
        session.query(`select to_regnamespace('understudy')::text as name`),
      )
      expect(registry).toEqual([{ name: null }])

      const role = `guest_${database.label.slice(-12)}`
      await administer(engine.server, `create role ${role} login password 'guest'`)
      const asGuest = other.replace(/\/\/.*@/, `//${role}:guest@`)
      expect(await isSameDatabase(url, asGuest).finally(() => administer(engine.server, `drop role ${role}`))).toBe(
        true,
      )
    })
  })

  test('is told from its copy', async () => {
    await withTestDatabase(engine, async ({ url, database }) => {
      await database.withSession(openRegistry)
      await database.close()
      const name = new URL(url).pathname.slice(1)
      await administer(engine.server, `create database ${name}_copy template ${name}`)
      try {
        expect(await isSameDatabase(url, `${url}_copy`)).toBe(false)
      } finally {
        await administer(engine.server, `drop database ${name}_copy`)
      }
    })
  })
})

test('one folder under two paths is one database, and its copy another', async () => {
  const [engine] = engines
  if (engine === undefined) throw new Error('there is no embedded engine')
  await withTestDatabase(engine, async ({ url, database }) => {
    await database.close()
    const folder = url.replace('pglite:', '')
    const scratch = await createScratchFolder()
    await symlink(folder, join(scratch, 'linked'))
    await cp(folder, join(scratch, 'copied'), { recursive: true })
    expect(await isSameDatabase(url, `pglite:${scratch}/linked`)).toBe(true)
    expect(await isSameDatabase(url, `pglite:${scratch}/copied`)).toBe(false)
    expect(await isSameDatabase(url, `pglite:${scratch}/nowhere`)).toBe(false)
    expect(await isSameDatabase(url, 'postgres://nowhere.invalid/shop')).toBe(false)
  })
})
