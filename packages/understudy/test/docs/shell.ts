import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram } from '../cli/run-cli.js'
import { createScratchFolder } from '../support/scratch.js'

export interface Shell {
  /** Runs commands where the last ones left off: in the same folder, with the same exported variables. Stops at the first that fails. */
  run(commands: string): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number | null }>
}

/** A shell as a reader has it open, without a terminal. */
export async function openShell(cwd: string, environment: Readonly<Record<string, string>>): Promise<Shell> {
  const folder = await createScratchFolder()
  const state = join(folder, 'state')
  const script = join(folder, 'block')
  return {
    async run(commands) {
      const restore = existsSync(state) ? `. '${state}'\n` : ''
      const save = `trap '{ export -p; echo "cd \\"$PWD\\""; } > "${state}"' EXIT\n`
      await writeFile(script, `set -e -o pipefail\n${restore}${save}${commands}`)
      return await runProgram('bash', [script], { cwd, environment })
    },
  }
}
