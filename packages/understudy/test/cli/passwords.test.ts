import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { servers, urlOf } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'
import { type CliRun, runCli } from './run-cli.js'

/** With characters that look otherwise in a URL, in JSON and in a pattern. */
const SECRET = 'p"a$$w\\o/r d'
const ENCODED = encodeURIComponent(SECRET)
/** Every way to write it, and pieces that could be left of it. */
const SPELLINGS = [SECRET, ENCODED, JSON.stringify(SECRET).slice(1, -1), 'o/r d', 'a$$w', '%22a']

function expectSilent({ stdout, stderr }: CliRun): void {
  for (const spelling of SPELLINGS) expect(stdout + stderr).not.toContain(spelling)
  expect(stdout + stderr).not.toBe('')
}

async function folderWith(config: string, dotEnv = ''): Promise<string> {
  const cwd = await createScratchFolder()
  await writeFile(join(cwd, 'understudy.config.json'), config)
  await writeFile(join(cwd, '.env'), dotEnv)
  return cwd
}

describe('a password is in no output', () => {
  const url = `postgres://me:${ENCODED}@localhost:1/shop`

  test.each([
    ['in the configuration', JSON.stringify({ database: url }), ''],
    ['in a configuration with a mistake beside it', `{ "database": "${url}" oops }`, ''],
    ['in a configuration with a mistake inside it', `{ "database": "${url.replace('@', '@\n')}" }`, ''],
    ['in .env', '{}', `DATABASE_URL=${url}`],
    [
      'in a parameter of the URL',
      JSON.stringify({ database: `postgres://localhost:1/shop?user=me&password=${ENCODED}` }),
      '',
    ],
    ['in a URL of another kind', JSON.stringify({ database: `postgress://me:${ENCODED}@localhost/shop` }), ''],
  ])('%s', async (_, config, dotEnv) => {
    const cwd = await folderWith(config, dotEnv)
    expectSilent(await runCli(['export', '--json', '--debug'], { cwd }))
  })

  test.each([
    ['taken for an archive', ['import', '--yes', url]],
    ['taken for a file', ['export', '--config', url]],
    ['in an option that is none', [`--databse=${url}`, 'export']],
    ['in a second argument', ['import', 'a', url]],
  ])('%s on the command line', async (_, args) => {
    const cwd = await folderWith('{}')
    expectSilent(await runCli([...args, '--json', '--debug'], { cwd }))
  })
})

describe.each(servers.slice(0, 1))('a password is in no output of $name', ({ server }) => {
  test('in PGPASSWORD and in the URL, where it is wrong', async () => {
    const cwd = await folderWith('{}')
    const bare = `postgres://postgres@${server.host}:${server.port}/postgres`
    for (const args of [
      ['export', '--debug'],
      ['doctor', '--json'],
      ['migrate', 'status', '--json', '--debug'],
    ]) {
      expectSilent(await runCli(args, { cwd, environment: { DATABASE_URL: bare, PGPASSWORD: SECRET } }))
      expectSilent(await runCli(args, { cwd, environment: { DATABASE_URL: urlOf(server, { password: SECRET }) } }))
    }
  })

  test('in a report', async () => {
    const cwd = await folderWith('{}')
    const environment = { DATABASE_URL: urlOf(server, { password: SECRET }) }
    expectSilent(await runCli(['import', 'gone.tar.gz', '--yes', '--report', 'report.json'], { cwd, environment }))
    const report = await readFile(join(cwd, 'report.json'), 'utf8')
    expect(JSON.parse(report)).toMatchObject({ outcome: 'failed' })
    for (const spelling of SPELLINGS) expect(report).not.toContain(spelling)
  })
})
