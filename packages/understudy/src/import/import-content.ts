import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ArchiveIndex } from '../archive/archive-index.js'
import { readArchive } from '../archive/reader.js'
import { locateArchive } from '../archive/store.js'
import type { Settings } from '../config/settings.js'
import { withAdvisoryLock } from '../database/advisory-lock.js'
import type { LockHolder } from '../database/lock-holder.js'
import type { Database, Session } from '../database/port.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { archiveFileset, type FilesetSource } from '../fileset/archive-fileset.js'
import type { OnProgress } from '../progress.js'
import { readInstance } from '../registry/registry.js'
import { withUpgradedArchive } from './first-format.js'
import type { ImportStep, Outcome } from './import-run.js'
import { requireLevel } from './level.js'
import type { PackageReport } from './package-steps.js'
import { type PackageRange, type PackageSelection, selectPackages } from './packages.js'
import { describeDifference, type ImportMode, type ImportPlan, isSamePlan, type MissingPolicy } from './plan.js'
import { type Journal, newJournal, withReport } from './report.js'
import { analyzeWritten, runImport } from './run-import.js'
import { findForeignSource, readNamedSource, type Source } from './source.js'

export interface ImportOptions extends DatabaseOptions {
  /**
   * The path of an archive or of a fileset's folder, the name of an archive in the settings' folder, or `latest` (the default): the newest there that this
   * database has not written itself.
   */
  readonly archive?: string | undefined
  readonly mode: ImportMode
  /** What happens to a row whose reference finds no target. Default: the settings' policy, `fail`. */
  readonly onMissing?: MissingPolicy | undefined
  /** The first and the last data package of the configuration to take part, by name or its beginning. Default: all. */
  readonly packages?: PackageRange | undefined
  /** True: the plan is returned and nothing is written. */
  readonly isDryRun?: boolean | undefined
  /**
   * How many rows the plan names of each relation and kind of change, 1 or more: by identity, and for updates with the columns that differ
   * (`ImportPlan.rows`). Default: none is named, nor looked for.
   */
  readonly rows?: number | undefined
  /** Asked with the plan before anything is written; false ends with `CANCELLED`. Without it the import writes at once. */
  readonly confirm?: ((plan: ImportPlan) => Promise<boolean>) | undefined
  /** The name of the target database, which one marked `safe` or `production` asks for. */
  readonly targetName?: string | undefined
  /** True: an archive from an earlier level of the schema is imported as it is. Default: it is refused. */
  readonly acceptsOlderLevel?: boolean | undefined
  /** How long to wait for another run, or for a table that somebody writes. Default: 30 s. */
  readonly waitMs?: number | undefined
  /**
   * A file for the whole report as JSON (`ImportReport`), written whatever comes of the import. Default: none. It is made at once, so that one
   * that cannot be written stops the import before it begins.
   */
  readonly report?: string | undefined
  /** Gets the path of the archive or fileset that is meant, before anything of it is compared. */
  readonly onArchive?: ((path: string) => void) | undefined
  readonly onWait?: ((holder: LockHolder | undefined) => void) | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface ImportResult {
  readonly plan: ImportPlan
  readonly archivePath: string
  readonly isWritten: boolean
  readonly steps: readonly ImportStep[]
  /** How many references of earlier imports got their target; 0 in a dry run, whose plan tells how many would. */
  readonly resolvedLate: number
  /** How many values were computed anew that are copies of others (`relations.….copies`); 0 in a dry run. */
  readonly refreshedCopies: number
  /** What each data package did, in their order; empty where none is configured, and in a dry run. */
  readonly packages: readonly PackageReport[]
  /** What the archive itself warned of when it was made. */
  readonly warnings: readonly string[]
  readonly durationMs: number
}

const DEFAULT_WAIT_MS = 30_000

/**
 * Imports an archive or a fileset into a database, whole or not at all: one transaction under one lock. With `confirm` the plan is made first without
 * holding any table, shown, and must still hold when it is carried out.
 *
 * @throws UnderstudyError `USAGE` for `rows` that are no number of rows, `ARCHIVE_ONLY_OWN`, `ARCHIVE_LEVEL_OLDER`, `ARCHIVE_LEVEL_NEWER`, `TARGET_NAME_REQUIRED`, `IMPORT_INCOMPATIBLE`, `IMPORT_REFUSED`, `IMPORT_REFUSED_BY_DATABASE`, `IMPORT_COUNT_MISMATCH`,
 * `DATA_PACKAGES_INVALID`, `SEED_INVALID`, `SEED_FAILED`, `CHECKS_FAILED`, `PLAN_CHANGED`, `CANCELLED`, `LOCK_NOT_AVAILABLE`, `REPORT_WRITE_FAILED`, `FILESET_INVALID`, and those of the archive layer
 */
export async function importContent(settings: Settings, options: ImportOptions): Promise<ImportResult> {
  const { rows = 1 } = options
  if (!Number.isSafeInteger(rows) || rows < 1) {
    throw new UnderstudyError('USAGE', `${rows} is no number of rows that a plan could name`, {
      hint: 'Say 1 or more, or leave `rows` away.',
    })
  }
  if (options.report === undefined) return await runSteps(settings, options, newJournal())
  const journal = newJournal()
  return await withReport(options.report, { settings, mode: options.mode, journal }, () =>
    runSteps(settings, options, journal),
  )
}

async function runSteps(settings: Settings, options: ImportOptions, journal: Journal): Promise<ImportResult> {
  const startedAt = performance.now()
  const named = await readNamedSource(settings, options)
  return await withDatabase(settings, options, async (database) => {
    journal.target = database.label
    const source = named ?? (await database.withSession((session) => findForeignSource(session, settings, options)))
    options.onArchive?.(source.path)
    const imported = await withArchive(database, settings, source, options, (archive) => {
      journal.archive = { path: source.path, index: archive.index }
      return importArchive(database, settings, options, { ...archive, journal })
    })
    return { ...imported, archivePath: source.path, durationMs: Math.round(performance.now() - startedAt) }
  })
}

type Imported = Omit<ImportResult, 'archivePath' | 'durationMs'>

async function importArchive(
  database: Database,
  settings: Settings,
  options: ImportOptions,
  { path, index: whole, isFileset, journal }: Pick<Run, 'path' | 'index' | 'isFileset' | 'journal'>,
): Promise<Imported> {
  await database.withSession((session) => requireLevel(session, whole, options))
  const relations = whole.files.map(({ schema, relation }) => ({ schema, name: relation }))
  const selection = await selectPackages(settings, relations, options.mode, options.packages ?? {})
  const files = whole.files.filter(({ schema, relation }) => selection.includes({ schema, name: relation }))
  const index = { ...whole, files }
  const run = (isDryRun: boolean, expected?: ImportPlan) => {
    journal.steps = []
    return database.withSession((session) =>
      runLocked(database, session, settings, options, {
        path,
        index,
        isFileset,
        selection,
        isDryRun,
        expected,
        journal,
      }),
    )
  }
  const finish = (outcome: Outcome, isWritten: boolean): Imported => ({
    ...outcome,
    isWritten,
    warnings: index.warnings,
  })
  if (options.isDryRun === true) return finish(await run(true), false)
  await database.withSession((session) => requireTargetName(session, settings, options))
  if (options.confirm === undefined) return finish(await run(false), true)
  const { plan } = await run(true)
  if (!(await options.confirm(plan))) {
    throw new UnderstudyError('CANCELLED', 'the import was declined', { hint: 'Nothing was written.' })
  }
  return finish(await run(false, plan), true)
}

interface OpenArchive {
  readonly path: string
  readonly index: ArchiveIndex
  /** True: it was made of a fileset, and tells of each record where it stands. */
  readonly isFileset: boolean
}

/** The path that an argument means: itself, or the newest archive of the folder. */
export async function resolveArchive(settings: Settings, archive: string | undefined): Promise<string> {
  return await locateArchive(settings.archives, archive ?? 'latest')
}

/** A fileset, or an archive of the first format, becomes an archive for as long as it is imported: there is one way in. */
async function withArchive<T>(
  database: Database,
  settings: Settings,
  { path, index }: Source,
  { signal, onMissing = settings.onMissing }: Pick<ImportOptions, 'signal' | 'onMissing'>,
  use: (archive: OpenArchive) => Promise<T>,
): Promise<T> {
  if (index === 'fileset') return await withFileset(database, settings, { fileset: path, onMissing }, use)
  if (index === 'first format')
    return await withUpgradedArchive({ path, database, settings, signal }, (made, of) =>
      use({ path: made, index: of, isFileset: false }),
    )
  return await use({ path, index, isFileset: false })
}

async function withFileset<T>(
  database: Database,
  settings: Settings,
  { fileset, onMissing }: Pick<FilesetSource, 'fileset' | 'onMissing'>,
  use: (archive: OpenArchive) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-fileset-'))
  try {
    const path = await database.withSession((session) =>
      archiveFileset(session, settings, { fileset, folder, onMissing }),
    )
    return await use({ path, index: await readArchive(path), isFileset: true })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Run {
  readonly path: string
  /** The archive's index, without the relations that are not loaded. */
  readonly index: ArchiveIndex
  readonly isFileset: boolean
  readonly selection: PackageSelection
  readonly isDryRun: boolean
  /** The plan that was confirmed: what is done must be that. */
  readonly expected: ImportPlan | undefined
  readonly journal: Journal
}

async function runLocked(
  database: Database,
  session: Session,
  settings: Settings,
  options: ImportOptions,
  { path, index, isFileset, selection, isDryRun, expected, journal }: Run,
): Promise<Outcome> {
  const { waitMs = DEFAULT_WAIT_MS, onWait, signal } = options
  const outcome = await withAdvisoryLock(session, { waitMs, onWait, signal }, () =>
    runImport({
      session,
      settings,
      target: database.label,
      path,
      index,
      isFileset,
      packages: selection.packages,
      mode: options.mode,
      onMissing: options.onMissing ?? settings.onMissing,
      isDryRun,
      rows: options.rows,
      waitMs,
      onWait,
      onProgress: options.onProgress,
      signal,
      journal,
      approve: (plan) => {
        if (expected === undefined || isSamePlan(plan, expected)) return
        throw new UnderstudyError('PLAN_CHANGED', 'the target changed since the plan was shown', {
          detail: describeDifference(expected, plan),
          hint: 'Nothing was written. Run the import again and look at the new plan.',
        })
      },
    }),
  )
  // What is committed is not called back: an import that was interrupted too late says that it is done.
  if (!isDryRun && !signal?.aborted) await analyzeWritten(database, session, outcome.plan)
  return outcome
}

/** A database marked `safe` or `production`, in the configuration or in its own registry, wants its name typed before it is overwritten. */
async function requireTargetName(session: Session, settings: Settings, options: ImportOptions): Promise<void> {
  const instance = await readInstance(session)
  const marked = [settings.environment, instance?.environment].find((word) => word === 'safe' || word === 'production')
  if (marked === undefined) return
  const [row] = await session.query<{ name: string }>('select current_database()::text as name')
  if (row?.name === options.targetName) return
  throw new UnderstudyError('TARGET_NAME_REQUIRED', `this database is marked ${marked}`, {
    detail: options.targetName === undefined ? undefined : `the name given, ${options.targetName}, is not its name`,
    hint: `To overwrite it say its name: --target-name ${row?.name ?? ''}`,
  })
}
