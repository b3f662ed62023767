import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../../bin/understudy.js', import.meta.url))

export interface CliRun {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | null
}

export interface CliOptions {
  readonly cwd: string
  readonly environment?: Readonly<Record<string, string>>
  /** Of a terminal; default 100. */
  readonly columns?: number
  /** Gets the process once it runs, to send it signals. */
  readonly onSpawn?: (child: ChildProcess) => void
}

/** Runs the built program as a process of its own, without a terminal and without the surrounding configuration. */
export function runCli(args: readonly string[], options: CliOptions): Promise<CliRun> {
  return runProgram(process.execPath, [BIN, ...args], options)
}

/** The same under a terminal of its own. */
export function runCliOnTerminal(args: readonly string[], options: CliOptions): Promise<CliRun> {
  return runOnTerminal([process.execPath, BIN, ...args], options)
}

/** Runs any program under a terminal of its own, made by `script` of util-linux: stdout and stderr arrive as one. */
export function runOnTerminal(words: readonly string[], options: CliOptions): Promise<CliRun> {
  // Without a size of its own the terminal would be no column wide.
  const line = words.map((word) => `'${word}'`).join(' ')
  return runProgram(
    'script',
    ['--quiet', '--return', '--command', `stty columns ${options.columns ?? 100} rows 40; exec ${line}`, '/dev/null'],
    options,
  )
}

/** Whether this machine can make a terminal. */
export const hasTerminals = spawnSync('script', ['--version']).status === 0

/** Answers a question with keys, once it is there. */
export function answering(keys: string, question = 'Write this?'): Partial<CliOptions> {
  return {
    onSpawn: (child) => {
      let shown = ''
      const onText = (text: string) => {
        // A terminal's output is cut anywhere.
        shown += text
        if (!shown.includes(question)) return
        child.stdout?.off('data', onText)
        child.stdin?.write(keys)
      }
      child.stdout?.on('data', onText)
    },
  }
}

/** Runs any program, without a terminal and with little of this process's environment. */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd, environment, onSpawn }: CliOptions,
): Promise<CliRun> {
  const { PATH, HOME, TMPDIR = '' } = process.env
  const child = spawn(program, args, {
    cwd,
    env: { PATH, HOME, TMPDIR, TERM: 'xterm', ...environment },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.stderr += text
  })
  onSpawn?.(child)
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (exitCode) => resolve({ ...output, exitCode }))
  })
}
