import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { servers, urlOf } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'
import { runCli } from './run-cli.js'

const COMMANDS = [
  [],
  ['init'],
  ['inspect'],
  ['export'],
  ['import'],
  ['adopt'],
  ['identify'],
  ['migrate'],
  ['migrate', 'up'],
  ['migrate', 'status'],
]
const SECRET = 'dont-tell-anybody'

let cwd: string

beforeAll(async () => {
  cwd = await createScratchFolder()
})

describe('help', () => {
  test.each(COMMANDS.map((command) => [command.join(' '), command] as const))(
    'understudy %s --help teaches by example',
    async (_, command) => {
      const { stdout, stderr, exitCode } = await runCli([...command, '--help'], { cwd })
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
      expect(stdout).toMatch(/^Usage: understudy/)
      expect(stdout).toMatch(/\nExamples:\n {2}# .+\n {2}understudy /)
      expect(stdout).toContain('--database <url>')
    },
  )

  test('--version is the package’s', async () => {
    const { version } = createRequire(import.meta.url)('../../package.json')
    expect(await runCli(['--version'], { cwd })).toEqual({ stdout: `${version}\n`, stderr: '', exitCode: 0 })
  })
})

test('where nobody said which database is meant, the hint says how', async () => {
  const { stderr, exitCode } = await runCli(['export'], { cwd })
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(
    /^error: there is no embedded database .*\(DATABASE_NOT_FOUND\)\nhint: Say which database is meant: /,
  )
  const other = await runCli(['sync', '--from', 'pglite:./nothing', '--to', 'pglite:./nowhere', '--dry-run'], { cwd })
  expect(other.stderr).toMatch(/nothing \(DATABASE_NOT_FOUND\)\nhint: Correct the path/)
})

describe('a command line that is not known', () => {
  test.each([
    [['exprt'], "error: unknown command 'exprt' (USAGE)\nhint: Did you mean export?\n"],
    [['migrate', 'stats'], "error: unknown command 'stats' (USAGE)\nhint: Did you mean status?\n"],
    [['import', '--dryrun'], "error: unknown option '--dryrun' (USAGE)\nhint: Did you mean --dry-run?\n"],
  ])('%j is answered by what was meant', async (args, stderr) => {
    expect(await runCli(args, { cwd })).toEqual({ stdout: '', stderr, exitCode: 1 })
  })

  test.each([
    ['--database', ['export', '--database', '']],
    ['--database', ['--database=', 'migrate', 'up']],
    ['--config', ['validate', '--config', '']],
    ['--junit', ['validate', '--junit', '']],
    ['--out', ['export', '--out', '']],
    ['--out', ['export', '--format', 'csv', '--out', '']],
    ['--report', ['import', '--yes', '--report', '']],
    ['--from', ['sync', '--from', '', '--to', 'pglite:b']],
    ['--to', ['sync', '--from', 'pglite:a', '--to', '']],
    ['--keep', ['sync', '--from', 'pglite:a', '--to', 'pglite:b', '--keep', '']],
  ])('%s that gets an empty value is refused: %j', async (name, args) => {
    const { stdout, stderr, exitCode } = await runCli(args, { cwd })
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
    expect(stderr).toContain(`error: ${name} is empty (USAGE)\n`)
  })

  test.each([
    [['import', '--mode', 'overwrite'], 'Allowed choices are init, replace.'],
    [['export', '--jobs', '0'], 'expected a number from 1 to 99'],
    [['export', '--only', 'a,,b'], 'expected names with commas between them'],
    [['migrate', 'up', '--wait', 'long'], 'expected seconds'],
  ])('%j is refused with the reason', async (args, reason) => {
    const { stderr, exitCode } = await runCli(args, { cwd })
    expect(exitCode).toBe(1)
    expect(stderr).toContain(reason)
  })
})

describe('errors', () => {
  test('with --json what the configuration prints goes to stderr', async () => {
    const folder = await createScratchFolder()
    await writeFile(
      join(folder, 'understudy.config.ts'),
      "console.log('hello'); export default { database: 'pglite:gone' }",
    )
    const { stdout, stderr } = await runCli(['inspect', '--json'], { cwd: folder })
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'DATABASE_NOT_FOUND' } })
    expect(stderr).toContain('hello')
  })

  test('with --json the one document on stdout is the error, and stderr tells it to people', async () => {
    const { stdout, stderr, exitCode } = await runCli(['export', '--json', '--config', 'gone.ts'], { cwd })
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'CONFIG_NOT_FOUND',
        message: 'configuration file gone.ts does not exist',
        detail: null,
        hint: 'Correct the path after `--config`, or leave the option out.',
      },
    })
    expect(stderr).toMatch(/^error: configuration file gone\.ts does not exist \(CONFIG_NOT_FOUND\)\nhint: /)
  })

  test('every problem of a configuration is printed, one a line', async () => {
    const folder = await createScratchFolder()
    await writeFile(join(folder, 'understudy.config.json'), '{ "schema": [], "onMissing": "drop" }')
    const { stderr, exitCode } = await runCli(['migrate', 'status'], { cwd: folder })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('\n  schema: unknown key; did you mean `schemas`?\n')
    expect(stderr).toContain('\n  onMissing: expected one of "fail"|"null"|"skip"|"placeholder"\n')
  })

  test.each([
    ['an unreachable host', `postgres://me:${SECRET}@localhost:1/x`],
    ['a URL that cannot be read', `postgres://me:${SECRET}@localhost:port/x`],
    ['an unknown kind of database', `mysql://me:${SECRET}@localhost/x`],
  ])('%s is one clear error without a stack trace or the password', async (_, url) => {
    for (const flags of [[], ['--json'], ['--debug']]) {
      const environment = { DATABASE_URL: url }
      const { stdout, stderr, exitCode } = await runCli(['export', ...flags], { cwd, environment })
      expect(exitCode).toBe(1)
      expect(stderr).toMatch(/^error: .+ \([A-Z_]+\)\n/)
      expect(stdout + stderr).not.toContain(SECRET)
      expect(/\n\s+at /.test(stderr)).toBe(flags[0] === '--debug')
    }
  })
})

describe.each(servers.slice(0, 1))('a $name that refuses', ({ server }) => {
  test.each([
    ['a wrong password', { password: SECRET }, 'AUTHENTICATION_FAILED'],
    ['a missing database', { database: 'not_there' }, 'DATABASE_NOT_FOUND'],
  ])('%s is one clear error', async (_, parts, code) => {
    const environment = { DATABASE_URL: urlOf(server, parts) }
    const { stdout, stderr, exitCode } = await runCli(['inspect'], { cwd, environment })
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
    expect(stderr).toMatch(new RegExp(`^error: .+ \\(${code}\\)\n`))
    expect(stderr).not.toMatch(new RegExp(`${SECRET}|\n\\s+at `))
  })
})

describe('colours', () => {
  const failing = ['export', '--config', 'gone.ts']
  const hasColour = (text: string) => text.includes('\u001B[')

  test('are off where there is no terminal, and on where FORCE_COLOR says so', async () => {
    expect(hasColour((await runCli(failing, { cwd })).stderr)).toBe(false)
    expect(hasColour((await runCli(failing, { cwd, environment: { FORCE_COLOR: '1' } })).stderr)).toBe(true)
  })

  test('are off with NO_COLOR and --no-color whatever FORCE_COLOR says', async () => {
    const forced = { FORCE_COLOR: '1' }
    expect(hasColour((await runCli(failing, { cwd, environment: { ...forced, NO_COLOR: '1' } })).stderr)).toBe(false)
    expect(hasColour((await runCli([...failing, '--no-color'], { cwd, environment: forced })).stderr)).toBe(false)
  })
})

test('docs/errors.md says what the code says', () => {
  const generator = fileURLToPath(new URL('../../../../docs/generate-errors.js', import.meta.url))
  execFileSync(process.execPath, [generator, '--check'])
})
