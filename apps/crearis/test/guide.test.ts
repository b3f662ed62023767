import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { loadConfig, migrateUp, openDatabase } from 'understudy'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  answering,
  type CliOptions,
  hasTerminals,
  runOnTerminal,
  runProgram,
} from '../../../packages/understudy/test/cli/run-cli.js'
import { openShell } from '../../../packages/understudy/test/docs/shell.js'
import { type Machine, testPage } from '../../../packages/understudy/test/docs/test-page.js'
import { administer, servers, urlOf } from '../../../packages/understudy/test/support/engines.js'
import { createScratchFolder } from '../../../packages/understudy/test/support/scratch.js'
import { fillMaster, fillSlave, type SampleDatabase } from '../sample/index.js'
import { copyApplication } from './application.js'
import { CREARIS } from './support.js'

/** The machines of the guide: each has a home with the application in it, and a database. */
const DATABASES = { live: 'crearis_live', stage: 'crearis', new: 'crearis_new' } as const
const FILLED = { live: fillMaster, stage: fillSlave } as const

const NEWEST = '2099-01-01T00-00-00-000Z.backup.tar'

type Host = keyof typeof DATABASES

/** Copies files to another machine, as `scp` does: `scp -q file… host:folder/`. */
const SCP = `#!/bin/sh
for to; do :; done
shift
while [ $# -gt 1 ]; do cp "$1" "$MACHINES/$(echo "$to" | tr : /)"; shift; done
`

describe.each(servers.slice(0, 1))('on $name', (engine) => {
  const machines = new Map<string | null, Machine>()
  const appOf = (host: Host) => join(String(machines.get(host)?.home), 'crearis')
  const urlAt = (host: Host) => urlOf(engine.server, { database: DATABASES[host] })

  beforeAll(async () => {
    // Every path holds a blank.
    const root = join(await createScratchFolder(), 'three machines')
    const bin = join(root, 'bin')
    await mkdir(bin, { recursive: true })
    await writeFile(join(bin, 'scp'), SCP)
    await chmod(join(bin, 'scp'), 0o755)
    const PATH = [bin, dirname(process.execPath), process.env.PATH].join(':')
    for (const host of Object.keys(DATABASES) as Host[]) {
      const home = join(root, host)
      await copyApplication(join(home, 'crearis'))
      await writeFile(join(home, 'crearis', '.env'), `DATABASE_URL=${urlAt(host)}\n`)
      await administer(engine.server, `create database ${DATABASES[host]}`)
      machines.set(host, { home, shell: await openShell(home, { HOME: home, PATH, MACHINES: root }) })
    }
    await Promise.all((['live', 'stage'] as const).map((host) => fill(urlAt(host), FILLED[host])))
  }, 120_000)

  afterAll(async () => {
    for (const name of Object.values(DATABASES)) {
      await administer(engine.server, `drop database if exists ${name} with (force)`)
    }
  })

  describe('docs/DATABASE_SYNC_GUIDE.md', () => {
    testPage('DATABASE_SYNC_GUIDE.md', machines)
  })

  // On the machine `new`, whose database holds what the newest of its backups holds, and nothing else.
  describe('data-sync.sh', () => {
    let script: string
    let elsewhere: string
    let backup: string

    beforeAll(async () => {
      const app = appOf('new')
      script = join(app, 'scripts', 'data-sync.sh')
      elsewhere = await createScratchFolder()
      backup = join(elsewhere, 'a backup.tar')
      const early = join(app, 'early.backup.tar.gz')
      copyFileSync(early, backup)
      // Earlier versions wrote `.backup.tar`; this one is a tar that is not compressed.
      writeFileSync(join(app, 'data', 'sync', NEWEST), gunzipSync(readFileSync(early)))
    })

    const run = (...args: string[]) => runProgram(script, args, { cwd: elsewhere })
    const onTerminal = (args: readonly string[], options: Partial<CliOptions> = {}) =>
      runOnTerminal([script, ...args], { cwd: elsewhere, ...options })
    const countTags = async () => {
      const [row] = await query<{ rows: number }>(urlAt('new'), 'select count(*)::int as rows from posts_tags')
      return row?.rows
    }

    test('says how it is used', async () => {
      const { stdout, exitCode } = await run('--help')
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(/^Usage: data-sync\.sh .*Exit codes:/s)
    })

    test.each([
      [['merge', '--yes'], "argument 'merge' is invalid. Allowed choices are init, replace"],
      [['replace', 'one', 'two'], "found also 'two'; see --help"],
      [['replace', '--wrong'], "unknown option '--wrong'"],
      [['replace'], 'there is no terminal to ask'],
    ])('refuses %j', async (args, message) => {
      const { stdout, stderr, exitCode } = await run(...args)
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
      expect(stderr).toContain(message)
    })

    test('says where no backup is', async () => {
      const folder = join(appOf('new'), 'data', 'sync')
      await rename(folder, `${folder} away`)
      const { stderr, exitCode } = await run('--yes')
      await rename(`${folder} away`, folder)
      expect(exitCode).toBe(1)
      expect(stderr).toContain(`no archive in the folder ${folder}`)
    })

    describe.skipIf(!hasTerminals)('on a terminal', () => {
      test('names the newest backup, in colours, and writes nothing without a yes', async () => {
        await query(urlAt('new'), 'delete from posts_tags')
        const { stdout, exitCode } = await onTerminal([], answering('n\r'))
        expect(exitCode).toBe(1)
        expect(stdout).toContain(`\u001B[1m${NEWEST}\u001B[22m of `)
        expect(stdout).toContain('mode replace')
        expect(await countTags()).toBe(0)
      })

      test('writes after a yes, from a file whose name holds a blank', async () => {
        const { stdout, exitCode } = await onTerminal(['replace', 'a backup.tar', '--no-color'], answering('yes\r'))
        expect(stdout).toContain('a backup.tar of ')
        expect(exitCode).toBe(0)
        expect(await countTags()).toBeGreaterThan(0)
      })
    })

    test('takes a name alone for one in data/sync; init refuses a database that has content of its own; there are no colours where there is no terminal', async () => {
      await query(urlAt('new'), "insert into tags (name) values ('a tag of its own')")
      const { stdout, stderr, exitCode } = await run('init', NEWEST, '--yes')
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
      expect(stderr).toMatch(/error: .*\(IMPORT_REFUSED\)\n.*tags/)
      expect(stderr).not.toContain('\u001B')
    })
  })
})

/** Gives a new database the tables and its content. */
async function fill(url: string, fillWith: (db: SampleDatabase) => Promise<void>): Promise<void> {
  const settings = await loadConfig({ cwd: CREARIS, environment: {} })
  const database = await openDatabase(url)
  try {
    await migrateUp(settings, { database, to: 'B' })
    await database.withSession((session) =>
      fillWith({
        query: (sql, values) => session.query(sql, values),
        execute: (script) => session.script(script),
      }),
    )
  } finally {
    await database.close()
  }
}

async function query<Row>(url: string, sql: string): Promise<Row[]> {
  const database = await openDatabase(url)
  try {
    return await database.withSession((session) => session.query<Row>(sql))
  } finally {
    await database.close()
  }
}
