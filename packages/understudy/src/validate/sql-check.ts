import type { Severity } from './check.js'

export interface CheckHeaders {
  readonly name?: string
  readonly section?: string
  readonly severity?: Severity
}

const HEADER = /^[ \t]*--[ \t]*check:[ \t]*(?<key>\S*)[ \t]*(?<value>.*?)[ \t]*$/i

/**
 * Reads the `-- check:` comments of a `.sql` file: `name …`, `section …`, `severity error|warning`. One that is not known is a problem,
 * since overlooking it would run another check than the one that was meant.
 */
export function parseCheckHeaders(text: string): { headers: CheckHeaders; problems: string[] } {
  const problems: string[] = []
  let headers: CheckHeaders = {}
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const header = HEADER.exec(line)?.groups
    if (header === undefined) continue
    const { key = '', value = '' } = header
    if (/^(name|section):?$/i.test(key) && value !== '') headers = { ...headers, [plain(key)]: value }
    else if (/^severity:?$/i.test(key) && isSeverity(value)) headers = { ...headers, severity: value }
    else problems.push(`line ${index + 1}: unknown header \`${line.trim()}\``)
  }
  return { headers, problems }
}

function plain(key: string): string {
  return key.toLowerCase().replace(':', '')
}

function isSeverity(text: string): text is Severity {
  return text === 'error' || text === 'warning'
}
