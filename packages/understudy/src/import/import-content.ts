import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ArchiveIndex } from '../archive/archive-index.js'
import { readArchive } from '../archive/reader.js'
import { findLatestArchive } from '../archive/store.js'
import type { Settings } from '../config/settings.js'
import { type LockHolder, withAdvisoryLock } from '../database/advisory-lock.js'
import type { Database, Session } from '../database/port.js'
import { withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { archiveFileset } from '../fileset/archive-fileset.js'
import { isFileset } from '../fileset/manifest.js'
import type { OnProgress } from '../progress.js'
import { readInstance } from '../registry/registry.js'
import { type ImportMode, type ImportPlan, isSamePlan, type MissingPolicy } from './plan.js'
import { analyzeWritten, type ImportStep, type Outcome, runImport } from './run-import.js'

export interface ImportOptions {
  /** The path of an archive or of a fileset's folder, or `latest` (the default): the newest archive in the settings' folder. */
  readonly archive?: string | undefined
  readonly mode: ImportMode
  /** What happens to a row whose reference finds no target. Default: the settings' policy, `fail`. */
  readonly onMissing?: MissingPolicy | undefined
  /** True: the plan is returned and nothing is written. */
  readonly isDryRun?: boolean | undefined
  /** Asked with the plan before anything is written; false ends with `CANCELLED`. Without it the import writes at once. */
  readonly confirm?: ((plan: ImportPlan) => Promise<boolean>) | undefined
  /** The name of the target database, which one marked `safe` or `production` asks for. */
  readonly targetName?: string | undefined
  /** How long to wait for another run, or for a table that somebody writes. Default: 30 s. */
  readonly waitMs?: number | undefined
  readonly onWait?: ((holder: LockHolder | undefined) => void) | undefined
  readonly onProgress?: OnProgress | undefined
  readonly signal?: AbortSignal | undefined
  /** A database that is open already; else the settings' one is opened. */
  readonly database?: Database | undefined
}

export interface ImportResult {
  readonly plan: ImportPlan
  readonly archivePath: string
  readonly isWritten: boolean
  readonly steps: readonly ImportStep[]
  readonly durationMs: number
}

const DEFAULT_WAIT_MS = 30_000

/**
 * Imports an archive or a fileset into a database, whole or not at all: one transaction under one lock. With `confirm` the plan is made first without
 * holding any table, shown, and must still hold when it is carried out.
 *
 * @throws UnderstudyError `TARGET_NAME_REQUIRED`, `IMPORT_INCOMPATIBLE`, `IMPORT_REFUSED`, `IMPORT_REFUSED_BY_DATABASE`, `IMPORT_COUNT_MISMATCH`,
 * `PLAN_CHANGED`, `CANCELLED`, `LOCK_NOT_AVAILABLE`, `FILESET_INVALID`, and those of the archive layer
 */
export async function importContent(settings: Settings, options: ImportOptions): Promise<ImportResult> {
  const startedAt = performance.now()
  const source = await resolveSource(settings, options.archive)
  const outcome = await withDatabase({ url: settings.database, open: options.database }, (database) =>
    withArchive(database, settings, source, (archive) => importArchive(database, settings, options, archive)),
  )
  const archivePath = 'path' in source ? source.path : source.fileset
  return { ...outcome, archivePath, durationMs: Math.round(performance.now() - startedAt) }
}

type Imported = Omit<ImportResult, 'archivePath' | 'durationMs'>

async function importArchive(
  database: Database,
  settings: Settings,
  options: ImportOptions,
  archive: OpenSource,
): Promise<Imported> {
  const run = (isDryRun: boolean, expected?: ImportPlan) =>
    database.withSession((session) =>
      runLocked(database, session, settings, options, { ...archive, isDryRun, expected }),
    )
  if (options.isDryRun === true) return { ...(await run(true)), isWritten: false }
  await database.withSession((session) => requireTargetName(session, settings, options))
  if (options.confirm === undefined) return { ...(await run(false)), isWritten: true }
  const { plan } = await run(true)
  if (!(await options.confirm(plan))) {
    throw new UnderstudyError('CANCELLED', 'the import was declined', { hint: 'Nothing was written.' })
  }
  return { ...(await run(false, plan)), isWritten: true }
}

interface OpenSource {
  readonly path: string
  readonly index: ArchiveIndex
}

type Source = OpenSource | { readonly fileset: string }

/** An archive with its index, or the folder of a fileset. */
async function resolveSource(settings: Settings, archive: string | undefined): Promise<Source> {
  if (archive === undefined || archive === 'latest') {
    const path = await findLatestArchive(settings.archives)
    return { path, index: await readArchive(path) }
  }
  return (await isFileset(archive)) ? { fileset: archive } : { path: archive, index: await readArchive(archive) }
}

/** A fileset becomes an archive for as long as it is imported: there is one way in. */
async function withArchive<T>(
  database: Database,
  settings: Settings,
  source: Source,
  use: (archive: OpenSource) => Promise<T>,
): Promise<T> {
  if ('path' in source) return await use(source)
  const folder = await mkdtemp(join(tmpdir(), 'understudy-fileset-'))
  try {
    const path = await database.withSession((session) => archiveFileset(session, settings, source.fileset, folder))
    return await use({ path, index: await readArchive(path) })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Run {
  readonly path: string
  readonly index: ArchiveIndex
  readonly isDryRun: boolean
  /** The plan that was confirmed: what is done must be that. */
  readonly expected: ImportPlan | undefined
}

async function runLocked(
  database: Database,
  session: Session,
  settings: Settings,
  options: ImportOptions,
  { path, index, isDryRun, expected }: Run,
): Promise<Outcome> {
  const waitMs = options.waitMs ?? DEFAULT_WAIT_MS
  const outcome = await withAdvisoryLock(session, { waitMs, onWait: options.onWait }, () =>
    runImport({
      session,
      settings,
      target: database.label,
      path,
      index,
      mode: options.mode,
      onMissing: options.onMissing ?? settings.onMissing,
      isDryRun,
      waitMs,
      onProgress: options.onProgress,
      signal: options.signal,
      approve: (plan) => {
        if (expected === undefined || isSamePlan(plan, expected)) return
        throw new UnderstudyError('PLAN_CHANGED', 'the target changed since the plan was shown', {
          hint: 'Nothing was written. Run the import again and look at the new plan.',
        })
      },
    }),
  )
  if (!isDryRun) await analyzeWritten(session, outcome.plan)
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
