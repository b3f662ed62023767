import { formatDuration } from './units.js'

export interface Column {
  readonly title: string
  readonly align?: 'right'
}

type Cell = string | number | null | undefined

const MOST_EVIDENCE = 10
const LONGEST_EVIDENCE = 160

/** Prints what happens, and keeps count of what was proven. */
export class Report {
  #proofs = 0
  #failures = 0
  #chapters = 0
  #lastLine = ''
  readonly #hasColour: boolean
  readonly #startedAt = performance.now()

  constructor(private readonly out: NodeJS.WriteStream) {
    this.#hasColour = out.isTTY === true && !process.env.NO_COLOR
  }

  /** True where something was proven and nothing failed. */
  get isProven(): boolean {
    return this.#proofs > 0 && this.#failures === 0
  }

  title(text: string): void {
    this.say(this.#style(text, 1), '='.repeat(text.length))
  }

  chapter(text: string): void {
    this.#chapters += 1
    const title = `${this.#chapters}. ${text}`
    this.say('', this.#style(title, 1), '-'.repeat(title.length), '')
  }

  /** Never prints two empty lines in a row. */
  say(...lines: readonly string[]): void {
    for (const line of lines) {
      if (line !== '' || this.#lastLine !== '') this.out.write(`${line}\n`)
      this.#lastLine = line
    }
  }

  /** An empty cell where there is nothing to say, so that the eye finds the rest. */
  table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void {
    const texts = rows.map((row) => row.map(textOf))
    const widths = columns.map(({ title }, index) =>
      Math.max(title.length, ...texts.map((row) => (row[index] ?? '').length)),
    )
    const line = (cells: readonly string[]) =>
      `  ${cells
        .map((cell, index) =>
          columns[index]?.align === 'right' ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
        )
        .join('  ')
        .trimEnd()}`
    this.say('', this.#style(line(columns.map(({ title }) => title)), 2))
    for (const row of texts) this.say(line(row))
    this.say('')
  }

  /** Does a piece of work and says how long it took. */
  async work<T>(what: string, action: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    if (this.out.isTTY) this.out.write(`  ${what} …\r`)
    const result = await action()
    this.say(`  ${what} ${this.#style(`(${formatDuration(performance.now() - startedAt)})`, 2)}`)
    return result
  }

  /** States a claim and whether it holds; the evidence is printed where it does not. A claim that fails makes the demo fail. */
  prove(claim: string, evidence: readonly string[]): void {
    this.#proofs += 1
    if (evidence.length === 0) {
      this.say(`  ${this.#style('✓', 32)} ${claim}`)
      return
    }
    this.#failures += 1
    const shown = evidence.slice(0, MOST_EVIDENCE)
    const more = evidence.length - shown.length
    this.say(
      `  ${this.#style('✗', 31)} ${claim}`,
      ...shown.map((line) => `      ${line.slice(0, LONGEST_EVIDENCE)}`),
      ...(more > 0 ? [`      and ${more} more`] : []),
    )
  }

  failure(lines: readonly string[]): void {
    this.#failures += 1
    const [first = '', ...others] = lines
    this.say('', `${this.#style('The demo failed:', 31)} ${first}`, ...others.map((line) => `  ${line}`))
  }

  summary(): void {
    const result = this.#failures === 0 ? 'all hold' : `${this.#failures} do not hold`
    this.say(
      `${this.#proofs} claims were tested, ${result}. All of this took ${formatDuration(performance.now() - this.#startedAt)}.`,
    )
  }

  /** An ANSI code: 1 bold, 2 dim, 31 red, 32 green. */
  #style(text: string, code: number): string {
    return this.#hasColour ? `\u001b[${code}m${text}\u001b[0m` : text
  }
}

function textOf(cell: Cell): string {
  if (typeof cell === 'number') return cell === 0 ? '' : cell.toLocaleString('en')
  return cell ?? ''
}
