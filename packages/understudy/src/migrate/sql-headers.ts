export interface SqlHeaders {
  readonly description: string | null
  readonly isManualOnly: boolean
  readonly isTransactional: boolean
  readonly allowLoss: readonly string[]
}

const HEADER = /^[ \t]*--[ \t]*migrate:[ \t]*(?<text>.*?)[ \t]*$/i

/**
 * Reads `-- migrate:` comments: `description …`, `manual-only`, `no-transaction`, `allow-loss events.old_status, …`. They stand before
 * the first statement; one further down, or one that is not known, is a problem, since overlooking it would run what should not run.
 */
export function parseSqlHeaders(text: string): { headers: SqlHeaders; problems: string[] } {
  const lines = text.split('\n')
  const firstStatement = lines.findIndex((line) => !/^\s*(--.*)?$/.test(line))
  const problems: string[] = []
  let headers: SqlHeaders = { description: null, isManualOnly: false, isTransactional: true, allowLoss: [] }
  lines.forEach((line, index) => {
    const header = HEADER.exec(line)?.groups?.text
    if (header === undefined) return
    const parsed = parseHeader(header)
    if (firstStatement >= 0 && index > firstStatement)
      problems.push(`line ${index + 1}: \`-- migrate:\` stands before the first statement`)
    else if (parsed === null) problems.push(`line ${index + 1}: unknown header \`-- migrate: ${header}\``)
    else headers = { ...headers, ...parsed, allowLoss: [...headers.allowLoss, ...(parsed.allowLoss ?? [])] }
  })
  return { headers, problems }
}

function parseHeader(header: string): Partial<SqlHeaders> | null {
  const [, description] = /^description:?\s+(.+)$/i.exec(header) ?? []
  if (description !== undefined) return { description }
  if (/^manual-only$/i.test(header)) return { isManualOnly: true }
  if (/^(no-transaction|transaction:?\s+off)$/i.test(header)) return { isTransactional: false }
  const [, names] = /^allow-loss:?\s+(.+)$/i.exec(header) ?? []
  if (names !== undefined) return { allowLoss: names.split(/[\s,]+/).filter(Boolean) }
  return null
}
