import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createScratchFolder } from '../support/scratch.js'
import { answering, hasTerminals, runOnTerminal } from './run-cli.js'

const CLI = fileURLToPath(new URL('../../dist/cli/', import.meta.url))

/** A program that asks and says what it heard, as JSON in the last line. */
const ask = (call: string) => `
  import { createCli } from ${JSON.stringify(`${CLI}cli.js`)}
  import { askTargetName, confirmLines } from ${JSON.stringify(`${CLI}confirm.js`)}
  const cli = createCli([])
  const heard = await ${call}
  process.stdout.write(JSON.stringify({ heard, exitCode: cli.interrupt.exitCode }))
  cli.interrupt.dispose()`

async function answer(call: string, keys: string): Promise<unknown> {
  const cwd = await createScratchFolder()
  await writeFile(join(cwd, 'ask.mjs'), ask(call))
  const { stdout } = await runOnTerminal([process.execPath, 'ask.mjs'], { cwd, ...answering(keys, 'Asked? ') })
  return JSON.parse(stdout.slice(stdout.lastIndexOf('{')))
}

describe.skipIf(!hasTerminals)('a question on a terminal', () => {
  test.each([
    ['yes\r', true, null],
    ['Y\r', true, null],
    ['nn\u007f\u007fYES \r', true, null],
    ['\r', false, null],
    ['no\r', false, null],
    ['yess\r', false, null],
    ['ja\r', false, null],
    ['\u0004', false, null],
    ['\u0003', false, 130],
    // A key is no answer yet.
    ['y\u0003', false, 130],
  ])('takes a whole line for an answer: %j', async (keys, heard, exitCode) => {
    expect(await answer("confirmLines(['A plan.'], cli.output, 'Asked?')", keys)).toEqual({ heard, exitCode })
  })

  test.each([
    ['shop\r', 'shop', null],
    ['s\u0003', '', 130],
  ])('takes a name: %j', async (keys, heard, exitCode) => {
    // The question of `askTargetName` is the error's message.
    const call = "askTargetName({ message: 'Asked? ' }, cli.output)"
    expect(await answer(call, keys)).toEqual({ heard, exitCode })
  })
})
