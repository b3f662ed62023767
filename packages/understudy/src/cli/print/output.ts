import { EXIT_CODES } from '../exit-codes.js'
import { type Style, styleFor } from './colours.js'
import { ProgressLine } from './progress.js'

/** Everything that a command prints. Results go to stdout, progress and errors to stderr. */
export class Output {
  readonly isJson: boolean
  /** For stdout. */
  readonly style: Style
  /** For stderr. */
  readonly errorStyle: Style
  readonly progress: ProgressLine
  /** Whether the one JSON document is out. */
  hasResult = false

  constructor({ isJson, hasColour }: { readonly isJson: boolean; readonly hasColour: boolean }) {
    this.isJson = isJson
    this.style = styleFor(process.stdout, hasColour)
    this.errorStyle = styleFor(process.stderr, hasColour)
    this.progress = new ProgressLine(process.stderr)
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      // `understudy inspect | head` closes the pipe early, which is no failure and changes nothing of the exit code.
      if (error.code === 'EPIPE') return
      process.stderr.write(`error: the result cannot be printed\n  ${error.message}\n`)
      process.exit(EXIT_CODES.error)
    })
    // There is nobody left to tell.
    process.stderr.on('error', () => undefined)
  }

  /** Whether somebody can be asked: prompts are written to stderr. */
  get canAsk(): boolean {
    return Boolean(process.stdin.isTTY && process.stderr.isTTY)
  }

  /** How wide a line on stdout may be; undefined where it is no terminal, and lines are for programs too. */
  get width(): number | undefined {
    return process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : undefined
  }

  /** Prints a result: as the one JSON document, or as lines for people. */
  result(value: unknown, render: () => readonly string[]): void {
    this.progress.clear()
    this.hasResult = true
    if (this.isJson) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
    else this.lines(render())
  }

  /** Lines for people; nothing with `--json`. */
  lines(lines: readonly string[]): void {
    this.progress.clear()
    if (!this.isJson && lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
  }

  /** A remark beside the result, to stderr. */
  note(text: string): void {
    this.progress.clear()
    process.stderr.write(`${text}\n`)
  }
}
