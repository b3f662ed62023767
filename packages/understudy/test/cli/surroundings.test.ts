import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test, vi } from 'vitest'
import { createCli } from '../../src/cli/cli.js'
import { printError } from '../../src/cli/print/error.js'
import { createScratchFolder } from '../support/scratch.js'

const BIN = fileURLToPath(new URL('../../bin/understudy.js', import.meta.url))
let cwd: string

beforeAll(async () => {
  cwd = await createScratchFolder()
})

/** Runs a command whose stdout is something else; returns its exit code and what it said on stderr. */
async function runInto(stdout: number | 'pipe', args: readonly string[]) {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', stdout, 'pipe'] })
  child.stdout?.destroy()
  let said = ''
  child.stderr?.on('data', (text) => {
    said += text
  })
  const [exitCode] = await once(child, 'close')
  return { exitCode, said }
}

test('a pipe that closes early changes nothing of the exit code', async () => {
  expect(await runInto('pipe', ['--help'])).toEqual({ exitCode: 0, said: '' })
  expect(await runInto('pipe', ['doctor', '--database', 'pglite:./nothing'])).toEqual({ exitCode: 4, said: '' })
})

test('a stdout that is full is told, without a stack trace', async () => {
  expect(await runInto(openSync('/dev/full', 'w'), ['--help'])).toEqual({
    exitCode: 1,
    said: 'error: the result cannot be printed\n  ENOSPC: no space left on device, write\n',
  })
})

test('what the operating system refuses has a remedy, wherever it happens', async () => {
  const cli = createCli(['--no-color'])
  const note = vi.spyOn(cli.output, 'note').mockReturnValue()
  const failures = [mkdir(join(cwd, 'a', 'b')), mkdir('/dev/null/a')]
  for (const failure of failures) printError(await failure.catch((error) => error), cli)
  printError(Object.assign(new Error('ENOENT: …'), { code: 'ENOENT', syscall: 'mkdtemp' }), cli)
  expect(note.mock.calls.map(([text]) => text.split('hint: ')[1])).toEqual([
    'Correct the path, or make the folder.',
    'Correct the path: a part of it is a file.',
    'Let TMPDIR name a folder that is there, or unset it.',
  ])
  cli.interrupt.dispose()
})
