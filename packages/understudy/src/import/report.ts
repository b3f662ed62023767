import { randomBytes } from 'node:crypto'
import { type FileHandle, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { ArchiveIndex } from '../archive/archive-index.js'
import type { Settings } from '../config/settings.js'
import { redact } from '../database/redact.js'
import { type ErrorCode, type Problem, UnderstudyError } from '../errors.js'
import { TOOL_VERSION } from '../version.js'
import type { ImportResult } from './import-content.js'
import type { ImportJournal, ImportStep } from './import-run.js'
import type { PackageReport } from './package-steps.js'
import type { ImportMode, ImportPlan } from './plan.js'

/** All that there is to say of an import, for programs. */
export interface ImportReport {
  readonly toolVersion: string
  /** ISO 8601. */
  readonly startedAt: string
  readonly durationMs: number
  /**
   * `written`; `planned` by a dry run; `refused` for the problems listed; `declined` at the question; `failed` for another reason, which `error`
   * tells. But for `written`, nothing was written.
   */
  readonly outcome: 'written' | 'planned' | 'refused' | 'declined' | 'failed'
  /** Where it went, without a password; null where no database was opened. */
  readonly target: string | null
  readonly mode: ImportMode
  readonly archive: { readonly path: string; readonly id: string; readonly createdAt: string } | null
  /** Null where the import ended before there was one. With problems its counts are those of a target that took every row. */
  readonly plan: ImportPlan | null
  /** Every problem, each with up to a thousand rows. */
  readonly problems: readonly Problem[]
  readonly steps: readonly ImportStep[]
  readonly resolvedLate: number
  readonly refreshedCopies: number
  readonly packages: readonly PackageReport[]
  /** What the archive itself warned of when it was made. */
  readonly warnings: readonly string[]
  readonly error: ReportedError | null
}

interface ReportedError {
  readonly code: ErrorCode | null
  readonly message: string
  readonly detail: string | null
  readonly hint: string | null
}

/** What is known of an import while it goes on. */
export interface Journal extends ImportJournal {
  archive: { readonly path: string; readonly index: ArchiveIndex } | null
  target: string | null
}

export function newJournal(): Journal {
  return { archive: null, target: null, plan: null, steps: [] }
}

interface Reported {
  readonly settings: Settings
  readonly mode: ImportMode
  readonly journal: Journal
}

/** Runs an import and writes what came of it into a file: all of it or nothing, readable for its owner only, for it names rows. */
export async function withReport(
  path: string,
  reported: Reported,
  work: () => Promise<ImportResult>,
): Promise<ImportResult> {
  const startedAt = new Date()
  const file = await openReport(path)
  let result: ImportResult | null = null
  let failure: unknown = null
  try {
    result = await work()
  } catch (error) {
    failure = error ?? new Error('unknown')
  }
  const report = describeImport(reported, startedAt, result, failure)
  const unwritten = await finishReport(file, renderReport(report, reported.settings.database)).then(
    () => null,
    (error: unknown) => error,
  )
  // What became of the import counts for more than what became of its report.
  if (result === null) throw failure
  if (unwritten !== null)
    throw writeFailed(path, unwritten, result.isWritten ? 'The import itself was done.' : 'Nothing was written.')
  return result
}

function describeImport(
  { mode, journal }: Reported,
  startedAt: Date,
  result: ImportResult | null,
  failure: unknown,
): ImportReport {
  const { archive, target, steps } = journal
  const problems = failure instanceof UnderstudyError ? failure.problems : []
  return {
    toolVersion: TOOL_VERSION,
    startedAt: startedAt.toISOString(),
    durationMs: Date.now() - startedAt.getTime(),
    outcome: result !== null ? (result.isWritten ? 'written' : 'planned') : outcomeOf(failure, problems),
    target,
    mode,
    archive: archive && { path: archive.path, id: archive.index.id, createdAt: archive.index.created_at },
    plan: result?.plan ?? journal.plan,
    problems,
    steps: result?.steps ?? steps,
    resolvedLate: result?.resolvedLate ?? 0,
    refreshedCopies: result?.refreshedCopies ?? 0,
    packages: result?.packages ?? [],
    warnings: archive?.index.warnings ?? [],
    error: failure === null ? null : describeFailure(failure),
  }
}

function outcomeOf(failure: unknown, problems: readonly Problem[]): ImportReport['outcome'] {
  if (problems.length > 0) return 'refused'
  return failure instanceof UnderstudyError && failure.code === 'CANCELLED' ? 'declined' : 'failed'
}

function describeFailure(failure: unknown): ReportedError {
  if (!(failure instanceof UnderstudyError)) {
    return {
      code: null,
      message: failure instanceof Error ? failure.message : String(failure),
      detail: null,
      hint: null,
    }
  }
  const { code, message, detail = null, hint } = failure
  return { code, message, detail, hint }
}

/** Each text on its own: a password need not look the same once it is escaped. */
function renderReport(report: ImportReport, url: string): string {
  const clean = (_: string, value: unknown) => (typeof value === 'string' ? redact(value, url) : value)
  return `${JSON.stringify(report, clean, 2)}\n`
}

interface OpenReport {
  readonly file: FileHandle
  /** What is renamed at the end and to what; null where the report goes into something that is no regular file. */
  readonly place: { readonly partial: string; readonly path: string } | null
}

async function openReport(asked: string): Promise<OpenReport> {
  try {
    const facts = await stat(asked).catch(() => null)
    // A device or a pipe must not be replaced by a file.
    if (facts !== null && !facts.isFile()) return { file: await open(asked, 'w'), place: null }
    if (facts === null && (await lstat(asked).catch(() => null)) !== null)
      throw new Error('It is a link to a file that does not exist.')
    // A link stays one: the file that it leads to is replaced.
    const path = facts === null ? asked : await realpath(asked)
    const partial = join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(4).toString('hex')}.partial`)
    return { file: await open(partial, 'wx', 0o600), place: { partial, path } }
  } catch (error) {
    throw writeFailed(asked, error, 'The import was not begun.')
  }
}

async function finishReport({ file, place }: OpenReport, text: string): Promise<void> {
  try {
    await file.writeFile(text).finally(() => file.close())
    if (place !== null) await rename(place.partial, place.path)
  } catch (error) {
    if (place !== null) await rm(place.partial, { force: true })
    throw error
  }
}

function writeFailed(path: string, error: unknown, consequence: string): UnderstudyError {
  return new UnderstudyError('REPORT_WRITE_FAILED', `the report cannot be written: ${path}`, {
    detail: `${error instanceof Error ? error.message : String(error)}\n${consequence}`,
    hint: 'Name a file in a folder that exists and that you may write to.',
    cause: error,
  })
}
