import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readBlocks } from './document.js'
import { isShown, normalise } from './output.js'
import type { Shell } from './shell.js'

export interface PageOptions {
  /** The home folder of whoever reads it, on a machine that the page names, once the tests run. */
  readonly home: (host: string | null) => string
  /** The shell on a machine that the page names, or where it names none. */
  readonly shellOf: (host: string | null) => Shell
}

/** One test for every block of commands in a page of `docs`, in their order: it exits as the page says, and prints what the page shows. */
export function testPage(name: string, { home, shellOf }: PageOptions): void {
  const blocks = readBlocks(readFileSync(fileURLToPath(new URL(`../../../../docs/${name}`, import.meta.url)), 'utf8'))

  test('every command of the page can be run', () => {
    expect(blocks.length).toBeGreaterThan(5)
    expect(blocks.filter(({ notRun }) => notRun !== null)).toEqual([])
  })

  for (const { line, commands, host, exitCode, output } of blocks) {
    test(`line ${line}: ${commands.split('\n')[0]}`, async () => {
      const result = await shellOf(host).run(commands)
      expect(result, result.stderr).toMatchObject({ exitCode })
      if (output === null) return
      // Of what goes to stderr a page shows the error: progress is no line on a terminal.
      const error = exitCode === 0 ? '' : result.stderr.slice(Math.max(0, result.stderr.search(/^error: /m)))
      const printed = normalise(`${result.stdout}${error}`, home(host))
      const shown = normalise(output, home(host))
      if (!isShown(printed, shown)) expect(printed).toBe(shown)
    })
  }
}
