import { describeSqlError } from '../../database/failures.js'
import { redact } from '../../database/redact.js'
import { type Problem, UnderstudyError } from '../../errors.js'
import type { Cli } from '../cli.js'

/** The parts of an error report, as PostgreSQL has them. */
interface ErrorReport {
  readonly code: string | null
  readonly message: string
  readonly detail: string | null
  readonly hint: string | null
  /** What the detail sums up, for programs. */
  readonly problems?: readonly Problem[]
}

/** Prints an error to stderr, and with `--json` as the one document on stdout too. No password gets through. */
export function printError(error: unknown, cli: Cli): void {
  const { output, urls } = cli
  const clean = (text: string) => urls.reduce((cleaned, url) => redact(cleaned, url), redact(text))
  const report = reportOf(error)
  // Each text on its own: a password need not look the same once it is escaped.
  const cleaned = (_: string, value: unknown) => (typeof value === 'string' ? clean(value) : value)
  if (output.isJson && !output.hasResult)
    output.result({ error: JSON.parse(JSON.stringify(report, cleaned)) }, () => [])

  const { red, dim, cyan } = output.errorStyle
  const lines = [`${red('error:')} ${report.message}${report.code ? dim(` (${report.code})`) : ''}`]
  if (report.detail) lines.push(...report.detail.split('\n').map((line) => `  ${line}`))
  if (report.hint) lines.push(`${cyan('hint:')} ${report.hint}`)
  if (cli.isDebug) lines.push(dim(stackOf(error)))
  output.note(clean(lines.join('\n')))
}

function reportOf(error: unknown): ErrorReport {
  if (error instanceof UnderstudyError) {
    const { code, message, detail = null, hint } = error
    return { code, message, detail, hint, ...(error.problems.length > 0 && { problems: error.problems }) }
  }
  const sql = describeSqlError(error)
  if (sql) {
    const facts = [sql.detail, sql.where].filter(Boolean).join('\n')
    return {
      code: sql.sqlstate,
      message: sql.message,
      detail: facts || null,
      hint: sql.hint ?? SQL_HINTS[sql.sqlstate] ?? null,
    }
  }
  const message = error instanceof Error ? error.message : String(error)
  const hint = systemHint(error)
  if (hint !== undefined) return { code: null, message, detail: null, hint }
  return { code: null, message, detail: null, hint: 'This was not expected; `--debug` shows where it happened.' }
}

const SQL_HINTS: Readonly<Record<string, string>> = {
  '42501' /* insufficient_privilege */:
    'See with `understudy doctor` what the role lacks, and what its owner has to grant.',
}

const SYSTEM_HINTS: Readonly<Record<string, string>> = {
  EACCES: 'Let the user who runs this read and write there, or choose another place.',
  EPERM: 'Let the user who runs this read and write there, or choose another place.',
  EROFS: 'Nothing can be written there: choose another place.',
  ENOSPC: 'Make room there, or choose another place.',
  EDQUOT: 'Make room there, or choose another place.',
  ENOENT: 'Correct the path, or make the folder.',
  ENOTDIR: 'Correct the path: a part of it is a file.',
  EISDIR: 'Correct the path: it is a folder.',
}

/** What the operating system refuses of a file is nothing unexpected, wherever it happens. */
function systemHint(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code = '', syscall } = error as NodeJS.ErrnoException
  if (syscall === undefined) return undefined
  return syscall === 'mkdtemp' && code === 'ENOENT'
    ? 'Let TMPDIR name a folder that is there, or unset it.'
    : SYSTEM_HINTS[code]
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : ''
  return `${error.stack}${cause}`
}
