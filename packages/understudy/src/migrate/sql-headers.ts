export interface SqlHeaders {
  readonly description: string | null
  readonly isManualOnly: boolean
  readonly isTransactional: boolean
  readonly allowLoss: readonly string[]
}

/** A migration's text in its parts. Both keep their lines' numbers, so that the place of an error is one in the file. */
export interface SqlSections {
  readonly up: string
  /** What follows `-- migrate: down`; null without that line. */
  readonly down: string | null
}

export interface ParsedSql {
  readonly headers: SqlHeaders
  readonly sections: SqlSections
  /** One line each. */
  readonly problems: readonly string[]
}

const HEADER = /^[ \t]*--[ \t]*migrate:[ \t]*(?<text>.*?)[ \t]*$/i

/**
 * Reads `-- migrate:` comments: `description …`, `manual-only`, `no-transaction`, `allow-loss events.old_status, …`. They stand before
 * the first statement; one further down, or one that is not known, is a problem, since overlooking it would run what should not run.
 * `down` alone stands further down, and divides the text.
 */
export function parseSqlHeaders(text: string): ParsedSql {
  const lines = text.split('\n')
  const firstStatement = lines.findIndex((line) => !/^\s*(--.*)?$/.test(line))
  const problems: string[] = []
  let headers: SqlHeaders = { description: null, isManualOnly: false, isTransactional: true, allowLoss: [] }
  let divider = -1
  lines.forEach((line, index) => {
    const header = HEADER.exec(line)?.groups?.text
    if (header === undefined) return
    const parsed = parseHeader(header)
    const place = `line ${index + 1}`
    if (parsed === 'down') {
      if (divider >= 0) problems.push(`${place}: \`-- migrate: down\` stands there twice`)
      divider = index
    } else if (firstStatement >= 0 && index > firstStatement)
      problems.push(`${place}: \`-- migrate:\` stands before the first statement`)
    else if (parsed === null) problems.push(`${place}: unknown header \`-- migrate: ${header}\``)
    else headers = { ...headers, ...parsed, allowLoss: [...headers.allowLoss, ...(parsed.allowLoss ?? [])] }
  })
  return { headers, sections: divide(lines, divider), problems }
}

function divide(lines: readonly string[], divider: number): SqlSections {
  if (divider < 0) return { up: lines.join('\n'), down: null }
  const before = lines.slice(0, divider)
  return { up: before.join('\n'), down: [...before.map(() => ''), ...lines.slice(divider)].join('\n') }
}

function parseHeader(header: string): Partial<SqlHeaders> | 'down' | null {
  const [, description] = /^description:?\s+(.+)$/i.exec(header) ?? []
  if (description !== undefined) return { description }
  const [, names] = /^allow-loss:?\s+(.+)$/i.exec(header) ?? []
  if (names !== undefined) return { allowLoss: names.split(/[\s,]+/).filter(Boolean) }
  if (/^manual-only$/i.test(header)) return { isManualOnly: true }
  if (/^(no-transaction|transaction:?\s+off)$/i.test(header)) return { isTransactional: false }
  return /^down$/i.test(header) ? 'down' : null
}
