/** A statement of a script. */
export interface ScriptStatement {
  /** As it stands there, comments kept, without its semicolon. */
  readonly text: string
  /** The line of the script that it begins in, comments aside. */
  readonly line: number
  /** Its first words in lower case, without quoted names, literals and comments. */
  readonly words: readonly string[]
}

/** What begins something that may hold a semicolon which ends no statement; then semicolons, parentheses, words, and anything else. */
const TOKEN = new RegExp(
  [
    '--',
    String.raw`/\*`,
    String.raw`(?<![a-z0-9_$\u0080-\uffff])e'`,
    `['"]`,
    String.raw`(?<![a-z0-9_$\u0080-\uffff])\$(?:[a-z_\u0080-\uffff][a-z0-9_\u0080-\uffff]*)?\$`,
    '[;()]',
    String.raw`[a-z_\u0080-\uffff][a-z0-9_$\u0080-\uffff]*`,
    String.raw`\S`,
  ].join('|'),
  'gi',
)
const KEPT_WORDS = 5
const ROUTINE = /^create (?:or replace )?(?:function|procedure)\b/

/** Splits a script into its statements, for those that refuse to share a query (`create index concurrently`). */
export function splitStatements(script: string): string[] {
  return readStatements(script).map(({ text }) => text)
}

/** The statements of a script, without those that are nothing but comments. Follows psql's rules (manual, section 4.1; `psqlscan.l`). */
export function readStatements(script: string): ScriptStatement[] {
  const statements: ScriptStatement[] = []
  const tokens = new RegExp(TOKEN)
  const lineAt = createLineCounter(script)
  let start = 0
  let current = new Statement()
  const finish = (end: number) => {
    const { begin, words } = current
    if (begin !== null) statements.push({ text: script.slice(start, end).trim(), line: lineAt(begin), words })
    current = new Statement()
    start = end + 1
  }
  for (let match = tokens.exec(script); match; match = tokens.exec(script)) {
    const [token] = match
    const { index } = match
    if (token === ';' && current.mayEnd) finish(index)
    else {
      if (token !== '--' && token !== '/*') current.take(token.toLowerCase(), index)
      tokens.lastIndex = endOfToken(script, token, index)
    }
  }
  finish(script.length)
  return statements
}

/** A statement as far as it is read. */
class Statement {
  /** Where its first token stands; null as long as there is none. */
  begin: number | null = null
  readonly words: string[] = []
  #previous = ''
  #parentheses = 0
  /** How deep inside the body of a routine in standard SQL: `begin atomic` and `case` open, `end` closes. */
  #blocks = 0

  /** A semicolon also stands inside the parentheses of `create rule`. */
  get mayEnd(): boolean {
    return this.#parentheses <= 0 && this.#blocks === 0
  }

  take(token: string, index: number): void {
    this.begin ??= index
    if (token === '(') this.#parentheses++
    else if (token === ')') this.#parentheses--
    else if (/^[a-z_\u0080-\uffff][^']*$/.test(token)) this.#takeWord(token)
  }

  #takeWord(word: string): void {
    if (this.words.length < KEPT_WORDS) this.words.push(word)
    if (word === 'atomic' && this.#previous === 'begin' && ROUTINE.test(this.words.join(' '))) this.#blocks = 1
    else if (word === 'case' && this.#blocks > 0) this.#blocks++
    else if (word === 'end' && this.#blocks > 0) this.#blocks--
    this.#previous = word
  }
}

function endOfToken(script: string, token: string, index: number): number {
  const next = index + token.length
  if (token === '--') return endAt(script, '\n', next)
  if (token === '/*') return endOfBlockComment(script, index)
  // A doubled quote reads as the end of one literal and the beginning of another, which comes to the same.
  if (token === "'" || token === '"') return endAt(script, token, next)
  if (/^e'$/i.test(token)) return endOfEscapes(script, next)
  return token.length > 1 && token.startsWith('$') ? endAt(script, token, next) : next
}

function endAt(script: string, closing: string, from: number): number {
  const found = script.indexOf(closing, from)
  return found < 0 ? script.length : found + closing.length
}

function endOfEscapes(script: string, from: number): number {
  const edges = /\\.|''|'/gs
  edges.lastIndex = from
  for (let match = edges.exec(script); match; match = edges.exec(script)) if (match[0] === "'") return edges.lastIndex
  return script.length
}

/** Block comments nest. */
function endOfBlockComment(script: string, start: number): number {
  const edges = /\/\*|\*\//g
  edges.lastIndex = start
  let depth = 0
  for (let match = edges.exec(script); match; match = edges.exec(script)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return edges.lastIndex
  }
  return script.length
}

/** Tells the line of a place, from 1; places are asked for in order. */
function createLineCounter(script: string): (index: number) => number {
  let line = 1
  let from = 0
  return (index) => {
    for (; from < index; from++) if (script[from] === '\n') line++
    return line
  }
}
