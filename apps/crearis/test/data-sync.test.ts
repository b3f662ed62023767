import { copyFileSync, mkdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { exportContent, loadConfig } from 'understudy'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  answering,
  type CliOptions,
  hasTerminals,
  runOnTerminal,
  runProgram,
} from '../../../packages/understudy/test/cli/run-cli.js'
import { servers } from '../../../packages/understudy/test/support/engines.js'
import { createScratchFolder } from '../../../packages/understudy/test/support/scratch.js'
import { fillMaster } from '../sample/index.js'
import { copyApplication } from './application.js'
import { CREARIS, useCrearis } from './support.js'

const OLDER = '2026-01-01T00-00-00-000Z.backup.tar.gz'
const NEWEST = '2026-02-01T00-00-00-000Z.backup.tar'

describe.each(servers.slice(0, 1))('data-sync.sh on $name', (engine) => {
  const master = useCrearis(engine)
  const target = useCrearis(engine)
  let app: string
  let script: string
  let elsewhere: string

  beforeAll(async () => {
    app = await copyApplication()
    script = join(app, 'scripts', 'data-sync.sh')
    elsewhere = await createScratchFolder()
    mkdirSync(join(app, 'data', 'sync'), { recursive: true })
    for (const database of [master, target]) await database.migrate('B')
    await fillMaster(master)
    const settings = await loadConfig({ cwd: CREARIS, environment: {} })
    const out = join(app, 'data', 'sync', NEWEST)
    await exportContent(settings, { database: master.database(), out })
    copyFileSync(out, join(app, 'data', 'sync', OLDER))
    copyFileSync(out, join(elsewhere, 'a backup.tar'))
    copyFileSync(out, join(elsewhere, 'damaged.backup.tar.gz'))
    truncateSync(join(elsewhere, 'damaged.backup.tar.gz'), 9000)
  }, 120_000)

  const environment = () => ({ DATABASE_URL: target.url() })
  const run = (...args: string[]) => runProgram(script, args, { cwd: elsewhere, environment: environment() })
  const onTerminal = (args: readonly string[], options: Partial<CliOptions> = {}) =>
    runOnTerminal([script, ...args], { cwd: elsewhere, environment: environment(), ...options })
  const events = async () => (await target.one<{ rows: number }>('select count(*)::int as rows from events')).rows

  test('says how it is used', async () => {
    const { stdout, exitCode } = await run('--help')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^Usage: data-sync\.sh .*Exit codes:/s)
  })

  test.each([
    [['merge', '--yes'], "argument 'merge' is invalid. Allowed choices are init, replace", 1],
    [['replace', 'nothing.backup.tar', '--yes'], 'nothing.backup.tar (ARCHIVE_NOT_FOUND)', 1],
    [['replace', 'damaged.backup.tar.gz', '--yes'], '(ARCHIVE_DAMAGED)', 1],
    [['replace', 'one', 'two'], "found also 'two'; see --help", 1],
    [['replace', '--wrong'], "unknown option '--wrong'", 1],
    [['replace'], 'there is no terminal to ask', 1],
  ])('refuses %j', async (args, message, code) => {
    const { stdout, stderr, exitCode } = await run(...args)
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: code })
    expect(stderr).toContain(message)
    expect(await events()).toBe(0)
  })

  test('says where no backup is', async () => {
    const bare = await copyApplication()
    const { stderr, exitCode } = await runProgram(join(bare, 'scripts', 'data-sync.sh'), ['--yes'], {
      cwd: elsewhere,
      environment: environment(),
    })
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`no archive in the folder ${join(bare, 'data', 'sync')}`)
  })

  describe.skipIf(!hasTerminals)('on a terminal', () => {
    test('names the newest backup, in colours, and writes nothing without a yes', async () => {
      const { stdout, exitCode } = await onTerminal([], answering('n'))
      expect(exitCode).toBe(1)
      expect(stdout).toContain(`\u001B[1m${NEWEST}\u001B[22m of `)
      expect(stdout).toContain('mode replace')
      expect(await events()).toBe(0)
    })

    test('writes after a yes; a name alone is one in data/sync', async () => {
      const { stdout, exitCode } = await onTerminal(['init', OLDER, '--no-color'], answering('yes\r'))
      expect(stdout).toContain(`${OLDER} of `)
      expect(stdout).toContain('mode init')
      expect(exitCode).toBe(0)
      expect(await events()).toBeGreaterThan(0)
    })
  })

  test('takes a file whose name holds a blank, from anywhere, and prints no colours where there is no terminal', async () => {
    const { stdout, exitCode } = await run('replace', 'a backup.tar', '--yes')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^a backup\.tar of .*, mode replace\n.* unchanged in .*\n$/s)
    expect(stdout).not.toContain('\u001B')
    expect(await events()).toBeGreaterThan(0)
  })

  test('init refuses a database that has content of its own', async () => {
    await target.execute("insert into tags (name) values ('a tag of its own')")
    const { stderr, exitCode } = await run('init', '--yes')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('(IMPORT_REFUSED)')
    expect(stderr).toContain('tags')
  })
})
