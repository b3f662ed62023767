import { UnderstudyError } from '../errors.js'

const MAX_LINES = 50

/** What is wrong with a fileset, collected until all of it is known. */
export class Findings {
  readonly #lines: string[] = []

  /** `events.csv:12, seats_max: "many": …`; a null value where nothing stands. */
  addValue(
    place: { readonly file: string; readonly line: number | string; readonly heading: string },
    value: string | null,
    what: string,
  ): void {
    this.add(
      `${place.file}:${place.line}, ${place.heading}: ${value === null ? 'empty' : shorten(JSON.stringify(value))}: ${what}`,
    )
  }

  add(line: string): void {
    this.#lines.push(line)
  }

  get count(): number {
    return this.#lines.length
  }

  /** Throws `FILESET_INVALID` with all of them, where there are any. */
  refuse(folder: string): void {
    const lines = this.#lines
    if (lines.length === 0) return
    const rest = lines.length - MAX_LINES
    throw new UnderstudyError(
      'FILESET_INVALID',
      `${lines.length === 1 ? 'one problem' : `${lines.length} problems`} in the fileset ${folder}`,
      {
        detail: [...lines.slice(0, MAX_LINES), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n'),
        hint: 'Nothing was imported. Each line names file, line, column and value.',
      },
    )
  }
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}…` : text
}
