import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type Block, readBlocks } from './document.js'
import { isShown, normalise } from './output.js'
import type { Shell } from './shell.js'

/** A machine that a page names, with somebody at work there. */
export interface Machine {
  readonly home: string
  readonly shell: Shell
}

/**
 * One test for every block of commands in a page of `docs`, in their order: it exits as the page says, and prints what the page shows. The machines
 * are there once the tests run, by the names that the page has for them; null is the only one.
 */
export function testPage(name: string, machines: ReadonlyMap<string | null, Machine>): void {
  const blocks = readBlocks(readFileSync(fileURLToPath(new URL(`../../../../docs/${name}`, import.meta.url)), 'utf8'))

  test('every command of the page can be run', () => {
    expect(blocks.length).toBeGreaterThan(5)
    expect(blocks.filter(({ notRun }) => notRun !== null)).toEqual([])
  })

  for (const block of blocks) {
    const [first, second] = block.commands.split('\n')
    test(`line ${block.line}: ${block.host === null ? first : second}`, async () => {
      const chosen = block.host === 'each machine' ? [...machines.values()] : [machines.get(block.host)]
      for (const machine of chosen) {
        if (machine === undefined) throw new Error(`there is no machine ${block.host}`)
        await runBlock(block, machine)
      }
    })
  }
}

async function runBlock({ commands, exitCode, output }: Block, { home, shell }: Machine): Promise<void> {
  const result = await shell.run(commands)
  expect(result, result.stderr).toMatchObject({ exitCode })
  if (output === null) return
  // Of what goes to stderr a page shows the error: progress is no line on a terminal.
  const error = exitCode === 0 ? '' : result.stderr.slice(Math.max(0, result.stderr.search(/^error: /m)))
  const printed = normalise(`${result.stdout}${error}`, home)
  const shown = normalise(output, home)
  if (!isShown(printed, shown)) expect(printed).toBe(shown)
}
