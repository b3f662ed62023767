import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { engines, servers, withTestDatabase } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'
import { runCli } from './run-cli.js'

describe.each(engines)('doctor on the command line, on $name', (engine) => {
  test('ends with 0 where all works, and names each ability', async () => {
    await withTestDatabase(engine, async ({ url, database }) => {
      await database.withSession((session) =>
        session.script('create table users (id serial primary key, code text unique)'),
      )
      await database.close()
      const cwd = await createScratchFolder()
      const { exitCode, stdout, stderr } = await runCli(['doctor'], { cwd, environment: { DATABASE_URL: url } })
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      expect(stdout).toMatch(/✓ server +PostgreSQL 1\d/)
      expect(stdout).toMatch(/\nexport +works\ninit +works\nreplace +works\nmigrate +works\n$/)
    })
  })
})

describe.each(servers.slice(0, 1))('doctor on the command line, on $name', (engine) => {
  test('ends with 4 where something will not work; --json is one document', async () => {
    await withTestDatabase(engine, async ({ url, database }) => {
      await database.withSession((session) =>
        session.script('create table users (id serial primary key, code text unique)'),
      )
      const cwd = await createScratchFolder()
      await writeFile(join(cwd, 'understudy.config.json'), '{ "relations": { "nobody": { "exclude": true } } }')
      const options = { cwd, environment: { DATABASE_URL: url } }
      const { exitCode, stdout } = await runCli(['doctor'], options)
      expect(exitCode).toBe(4)
      expect(stdout).toMatch(/✗ model +the content model has problems: .*nobody.*\n {2,}Mend the configuration/)
      expect(stdout).toMatch(/\nexport +will not work\n/)
      const json = await runCli(['doctor', '--json'], options)
      expect(JSON.parse(json.stdout)).toMatchObject({ works: { export: false, replace: true } })
      expect(json.exitCode).toBe(4)
    })
  })
})
