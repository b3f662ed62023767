/** What may hold a semicolon that ends no statement: literals, quoted names, dollar-quoted bodies, comments. */
const OPAQUE = [
  String.raw`--[^\n]*`,
  String.raw`(?<![a-z0-9_$])e'(?:[^'\\]|''|\\.)*'`,
  "'(?:[^']|'')*'",
  '"(?:[^"]|"")*"',
  String.raw`(?<![a-z0-9_$])\$(?<tag>[a-z_\u0080-\uffff][a-z0-9_\u0080-\uffff]*)?\$.*?\$\k<tag>\$`,
]
const TOKEN = new RegExp(String.raw`${OPAQUE.join('|')}|/\*|[;()]`, 'gis')

/**
 * Splits a script into its statements, comments kept, for those that refuse to share a query (`create index concurrently`). Follows
 * psql's rules (manual, section 4.1), but does not know the unquoted bodies of `begin atomic`: they need no script without a transaction.
 */
export function splitStatements(script: string): string[] {
  const statements: string[] = []
  const tokens = new RegExp(TOKEN)
  let start = 0
  let depth = 0
  for (let match = tokens.exec(script); match; match = tokens.exec(script)) {
    const [token] = match
    if (token === '/*') tokens.lastIndex = endOfBlockComment(script, match.index)
    else if (token === '(') depth++
    else if (token === ')') depth--
    else if (token === ';' && depth <= 0) {
      statements.push(script.slice(start, match.index))
      start = tokens.lastIndex
    }
  }
  statements.push(script.slice(start))
  return statements.map((statement) => statement.trim()).filter((statement) => !isBlank(statement))
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

function isBlank(statement: string): boolean {
  let rest = statement
  while (rest !== '') {
    if (rest.startsWith('--')) rest = rest.replace(/^--[^\n]*/, '').trim()
    else if (rest.startsWith('/*')) rest = rest.slice(endOfBlockComment(rest, 0)).trim()
    else return false
  }
  return true
}
