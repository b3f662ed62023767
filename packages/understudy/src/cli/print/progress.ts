import { stripVTControlCharacters } from 'node:util'

const REDRAW_INTERVAL_MS = 80

/** One line on stderr that says what is going on: rewritten in place on a terminal; elsewhere only what is finished is printed. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream
  #isDrawn = false
  #drawnAt = 0

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  /** Says what is going on. Cheap enough to be called for every batch of rows: what is not shown is not worded either. */
  update(render: () => string): void {
    const now = performance.now()
    if (!this.#stream.isTTY || now - this.#drawnAt < REDRAW_INTERVAL_MS) return
    this.clear()
    // One column is left free: a full line would wrap, and clearing would leave its first half behind.
    this.#stream.write(stripVTControlCharacters(render()).slice(0, (this.#stream.columns || 80) - 1))
    this.#isDrawn = true
    this.#drawnAt = now
  }

  /** Leaves a line for a step that is through. */
  finish(text: string): void {
    this.clear()
    this.#stream.write(`${text}\n`)
  }

  clear(): void {
    if (this.#isDrawn) this.#stream.write('\r\u001B[2K')
    this.#isDrawn = false
    this.#drawnAt = 0
  }
}
