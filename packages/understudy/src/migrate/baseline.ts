import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { assertNoDrift } from './compare-ledger.js'
import { createLedger, type LedgerEntry, writeLedgerRow, writeLog } from './ledger.js'
import type { MigrationFile } from './migration-files.js'
import { writeMirror } from './mirror.js'
import { findNamed } from './plan-migrations.js'
import { type MigrationProject, type MigrationRecords, readProject, readRecords } from './read-project.js'
import { lockOptionsOf, type RunnerOptions } from './run-steps.js'
import { assertFinished } from './unfinished.js'
import { withMigrationLock } from './with-migration-lock.js'

export interface BaselineOptions extends Pick<RunnerOptions, 'waitMs' | 'allow' | 'onProgress'>, DatabaseOptions {
  /**
   * The last migration that the database has already, by number or id. Without it: what the application's own list names, or, without
   * such a list, all of them.
   */
  readonly to?: string | undefined
  /** True: say what would be recorded, and record nothing. */
  readonly isPlanOnly?: boolean | undefined
}

export interface BaselineResult {
  /** Safe to print. */
  readonly database: string
  /** Recorded as applied, or to be. */
  readonly ids: readonly string[]
  /** In the application's own list, and without a file: nothing can be recorded for them. */
  readonly unknown: readonly string[]
}

/**
 * Adopts a database that has the schema already: records migrations as applied without running them.
 *
 * Errors: MIGRATION_DRIFT for what it cannot mend, MIGRATION_UNFINISHED, MIGRATION_RANGE_INVALID.
 */
export async function migrateBaseline(settings: Settings, options: BaselineOptions = {}): Promise<BaselineResult> {
  const project = await readProject(settings, options)
  return await withDatabase(settings, options, (database) =>
    withMigrationLock(database, lockOptionsOf(options), (turn) =>
      turn(async (session) => {
        const { entries, unknown } = await planBaseline(session, project, options)
        if (!options.isPlanOnly && entries.length > 0) await recordAll(session, project, entries)
        return { database: database.label, ids: entries.map(({ file }) => file.id), unknown }
      }),
    ),
  )
}

interface BaselinePlan {
  readonly entries: readonly LedgerEntry[]
  readonly unknown: readonly string[]
}

async function planBaseline(
  session: Session,
  project: MigrationProject,
  options: BaselineOptions,
): Promise<BaselinePlan> {
  const records = await readRecords(session, project)
  const { ledger, archivedLedger, mirrored, findings } = records
  await assertFinished(session, ledger)
  // What came in before applied ones, or stands in the application's own list alone, is what a baseline is for.
  assertNoDrift(
    findings.filter(({ kind }) => kind === 'changed' || kind === 'missing'),
    options.allow,
  )
  const recorded = new Set([...ledger, ...archivedLedger].map(({ id }) => id))
  const adopted = new Set(mirrored.filter((id) => !recorded.has(id)))
  const archived = project.archived.filter(({ id }) => adopted.has(id))
  const files = chooseFiles(project, records, { to: options.to, adopted })
  const known = new Set([...project.files, ...project.archived].map(({ id }) => id))
  return {
    entries: [
      ...files.map((file) => entryOf(file, { package: project.packageOf(file), method: 'baseline' })),
      ...archived.map((file) => entryOf(file, { package: project.packageOf(file), method: 'archived' })),
    ],
    unknown: [...adopted].filter((id) => !known.has(id)),
  }
}

function chooseFiles(
  { files, settings }: MigrationProject,
  { unapplied }: MigrationRecords,
  { to, adopted }: { readonly to: string | undefined; readonly adopted: ReadonlySet<string> },
): MigrationFile[] {
  const last = to === undefined ? null : findNamed(files, to)
  const { includesManual } = settings.migrations
  const isSchema = unapplied.filter(({ isManualOnly, file }) => !isManualOnly || includesManual || file.id === last?.id)
  const candidates = isSchema.map(({ file }) => file)
  if (last !== null) return candidates.filter(({ number }) => number <= last.number)
  if (adopted.size === 0) return candidates
  // The list names manual migrations too. It was made by a migration, so that those before its first entry could not enter it.
  const first = Math.min(...[...adopted].map((id) => Number.parseInt(id, 10)).filter(Number.isFinite))
  return unapplied.map(({ file }) => file).filter(({ id, number }) => adopted.has(id) || number < first)
}

function entryOf(file: MigrationFile, facts: Pick<LedgerEntry, 'package' | 'method'>): LedgerEntry {
  return { file, ...facts, state: 'applied', durationMs: null, archive: null, isArchiveDeclined: false }
}

async function recordAll(session: Session, project: MigrationProject, entries: readonly LedgerEntry[]): Promise<void> {
  await createLedger(session)
  await session.transaction({}, async () => {
    for (const entry of entries) await writeLedgerRow(session, entry)
    await writeLog(
      session,
      entries.map(({ file }) => ({ action: 'baseline', migration: file.id })),
    )
    await writeMirror(session, project.settings.migrations.mirror)
  })
}
