import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { administer, servers, urlOf, withTestDatabase } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'
import { runCli } from './run-cli.js'

test.each(servers.slice(0, 1))('a role without rights is told what it lacks, on $name', async (engine) => {
  const role = `weak_${randomBytes(4).toString('hex')}`
  await administer(engine.server, `create role ${role} login password '${role}'`)
  try {
    await withTestDatabase(engine, async ({ database, url }) => {
      await database.withSession((session) =>
        session.script(
          'create table users (id serial primary key); create schema understudy; create table understudy.instance ()',
        ),
      )
      const own = urlOf(engine.server, { role, password: role, database: new URL(url).pathname.slice(1) })
      const cwd = await createScratchFolder()
      const run = (...args: string[]) => runCli([...args, '--database', own], { cwd })
      expect((await run('inspect')).stderr).toMatch(
        /^error: permission denied for .*\nhint: See with `understudy doctor`/,
      )
      // There is a registry, though this role cannot see it.
      expect((await run('adopt', '--as-copy', '--yes')).stderr).toMatch(
        /may not read the registry.*\(PRIVILEGE_MISSING\)/,
      )
    })
  } finally {
    await administer(engine.server, `drop role ${role}`)
  }
})
