import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cli, createCli } from '../../src/cli/cli.js'
import { createProgram } from '../../src/cli/program.js'
import { UnderstudyError } from '../../src/errors.js'
import { writeExample } from '../archive/support.js'
import { createScratchFolder } from '../support/scratch.js'
import { startMuteServer, type WireServer } from '../support/wire-servers.js'
import { runCli } from './run-cli.js'

/** What each command needs to be told before it asks its database for anything; null for those that ask none. */
const ARGUMENTS: Readonly<Record<string, readonly string[] | null>> = {
  init: [],
  inspect: [],
  doctor: [],
  export: [],
  import: ['ARCHIVE', '--yes'],
  identify: [],
  adopt: ['--as-copy', '--yes'],
  'migrate up': [],
  'migrate status': [],
  'migrate new': null,
  'migrate run': ['001'],
  'migrate down': ['--to', 'none', '--yes'],
  'migrate verify': [],
  'migrate repair': ['--yes'],
  'migrate resolve': ['001', '--applied'],
  'migrate baseline': ['--yes'],
  'migrate archived': [],
  validate: [],
  sync: ['--from', 'URL', '--to', 'pglite:memory', '--yes'],
  'backups list': null,
  'backups show': null,
  'backups verify': null,
  'backups prune': ['--yes'],
  rehearse: [],
  restore: ['ARCHIVE', '--yes'],
  upgrade: ['ARCHIVE', '--scratch-url', 'URL'],
}
/** Ways that lead to a connection of their own. */
const MORE: readonly (readonly string[])[] = [
  ['export', '--format', 'csv', '--out', 'FOLDER/csv'],
  ['import', '--yes'],
  ['migrate', 'up', '--dry-run'],
  ['rehearse', 'ARCHIVE', '--scratch-url', 'URL'],
  ['adopt', '--by', 'primary-key', 'ARCHIVE', '--yes'],
  ['identify', '--fill', '{uuid}', '--yes'],
]

const REASON = new UnderstudyError('CANCELLED', 'told to')
let folder: string
let archive: string
let server: WireServer
let onConnection = () => {}

beforeAll(async () => {
  folder = await createScratchFolder()
  await mkdir(join(folder, 'migrations', 'archived'), { recursive: true })
  await writeFile(join(folder, 'migrations', '001_first.sql'), 'select 1')
  await writeFile(join(folder, 'understudy.config.json'), '{}')
  archive = join(folder, 'data', 'sync', '2026-11-22T10-30-00-123Z.backup.tar.gz')
  await mkdir(dirname(archive), { recursive: true })
  await writeExample(archive)
  server = await startMuteServer(undefined, () => onConnection())
})
afterAll(() => server.close())

function commandLine(words: readonly string[]): string[] {
  // Long beyond the patience of any test.
  const url = `postgres://role@127.0.0.1:${server.port}/db?connect_timeout=6000`
  const places = { ARCHIVE: archive, URL: url, FOLDER: folder }
  const named = words.map((word) => word.replace(/^[A-Z]+/, (place) => places[place as keyof typeof places]))
  return [...named, '--config', join(folder, 'understudy.config.json'), '--database', url]
}

/** `migrate up` and so on. */
function leavesOf(command: Command, path: readonly string[] = []): string[] {
  if (command.commands.length === 0) return [path.join(' ')]
  return command.commands.flatMap((each) => leavesOf(each, [...path, each.name()]))
}

describe('a host that does not answer', () => {
  const real = createCli([])
  afterAll(() => real.interrupt.dispose())

  test('is tried with every command', () => {
    expect(Object.keys(ARGUMENTS)).toEqual(leavesOf(createProgram(real)))
  })

  const lines = Object.entries(ARGUMENTS).flatMap(([name, more]) =>
    more === null ? [] : [[...name.split(' '), ...more]],
  )
  test.each([...lines, ...MORE].map((words) => [words.join(' '), words] as const))(
    'does not keep an interrupted `%s`',
    async (_, words) => {
      const controller = new AbortController()
      const interrupt: Cli['interrupt'] = { signal: controller.signal, exitCode: null, dispose: () => undefined }
      onConnection = () => controller.abort(REASON)
      const program = createProgram({ ...real, interrupt })
      await expect(program.parseAsync(commandLine(words), { from: 'user' })).rejects.toBe(REASON)
    },
  )

  test('does not keep a process that gets SIGINT', async () => {
    const words = commandLine(['inspect'])
    const ended = runCli(words, {
      cwd: folder,
      onSpawn: (child) => {
        onConnection = () => child.kill('SIGINT')
      },
    })
    expect(await ended).toEqual({
      stdout: '',
      stderr: expect.stringMatching(/^interrupted: rolling back.*\nerror: interrupted.* \(CANCELLED\)\n/),
      exitCode: 130,
    })
  })
})
