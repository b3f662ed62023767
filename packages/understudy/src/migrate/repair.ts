import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { compareLedger } from './compare-ledger.js'
import { describeInvalid, mentions, readInvalidIndexes } from './invalid-indexes.js'
import {
  createLedger,
  deleteLedgerRow,
  type LedgerRow,
  readLedger,
  writeChecksums,
  writeLedgerState,
  writeLog,
} from './ledger.js'
import type { MigrationFile } from './migration-files.js'
import { writeMirror } from './mirror.js'
import { findNamed } from './plan-migrations.js'
import { type MigrationProject, readProject } from './read-project.js'
import { lockOptionsOf, type RunnerOptions } from './run-steps.js'
import { withMigrationLock } from './with-migration-lock.js'

export interface RepairOptions extends Pick<RunnerOptions, 'waitMs' | 'allow' | 'onProgress'>, DatabaseOptions {
  /** By number or id. Default: every changed migration. */
  readonly only?: readonly string[] | undefined
  /** True: say what would be accepted, and accept nothing. */
  readonly isPlanOnly?: boolean | undefined
}

export interface RepairResult {
  /** Safe to print. */
  readonly database: string
  readonly accepted: readonly AcceptedChange[]
}

export interface AcceptedChange {
  readonly id: string
  readonly appliedAt: string
  /** The checksums before and from now on. */
  readonly before: string
  readonly after: string
}

/**
 * Accepts the text that changed migrations have today: the ledger takes its checksum, and its log keeps the one before. Runs nothing.
 *
 * Errors: MIGRATION_RANGE_INVALID for a name that is no migration's; LOCK_NOT_AVAILABLE.
 */
export async function migrateRepair(settings: Settings, options: RepairOptions = {}): Promise<RepairResult> {
  const project = await readProject(settings, options)
  const all = [...project.files, ...project.archived]
  const named = options.only?.map((name) => findNamed(all, name).id)
  return await withDatabase(settings, options, (database) =>
    withMigrationLock(database, lockOptionsOf(options), (turn) =>
      turn(async (session) => {
        const ledger = await readLedger(session)
        const changed = compareLedger(all, ledger).changed.filter(({ id }) => named === undefined || named.includes(id))
        const accepted = changed.map((file) => changeOf(file, ledger))
        if (!options.isPlanOnly && changed.length > 0) await accept(session, changed, accepted)
        return { database: database.label, accepted }
      }),
    ),
  )
}

function changeOf({ id, checksum }: MigrationFile, ledger: readonly LedgerRow[]): AcceptedChange {
  const row = ledger.find((candidate) => candidate.id === id)
  return { id, appliedAt: row?.appliedAt ?? '', before: row?.checksum ?? '', after: checksum }
}

async function accept(
  session: Session,
  files: readonly MigrationFile[],
  changes: readonly AcceptedChange[],
): Promise<void> {
  await createLedger(session)
  await session.transaction({}, async () => {
    await writeChecksums(session, files)
    await writeLog(
      session,
      changes.map(({ id, before }) => ({ action: 'repair', migration: id, detail: `checksum before: ${before}` })),
    )
  })
}

export interface ResolveOptions extends Pick<RunnerOptions, 'waitMs' | 'allow' | 'onProgress'>, DatabaseOptions {
  /** The unfinished migration, by number or id. */
  readonly migration: string
  /** `applied`: a person has completed it; `pending`: a person has taken it back, and it may run again. */
  readonly as: 'applied' | 'pending'
}

/**
 * Ends the state `unfinished` of a migration that ran without a transaction. Changes the ledger only.
 *
 * Errors: MIGRATION_RANGE_INVALID where the migration is not unfinished; MIGRATION_UNFINISHED where it should count as applied, and an
 * index that its text names is still invalid.
 */
export async function migrateResolve(settings: Settings, options: ResolveOptions): Promise<{ readonly id: string }> {
  const project = await readProject(settings, options)
  const file = findNamed([...project.files, ...project.archived], options.migration)
  return await withDatabase(settings, options, (database) =>
    withMigrationLock(database, lockOptionsOf(options), (turn) =>
      turn(async (session) => {
        const row = (await readLedger(session)).find(({ id }) => id === file.id)
        if (row?.state !== 'unfinished')
          throw new UnderstudyError('MIGRATION_RANGE_INVALID', `migration ${file.id} is not unfinished`, {
            hint: '`understudy migrate status` shows the state of each.',
          })
        if (options.as === 'applied') await assertNoInvalidIndexOf(session, file)
        await resolve(session, project, { id: file.id, as: options.as })
        return { id: file.id }
      }),
    ),
  )
}

async function assertNoInvalidIndexOf(session: Session, { id, text }: MigrationFile): Promise<void> {
  const named = (await readInvalidIndexes(session)).filter((index) => mentions(text, index))
  if (named.length === 0) return
  throw new UnderstudyError('MIGRATION_UNFINISHED', `an index of migration ${id} is invalid`, {
    detail: describeInvalid(named).join('\n'),
    hint: `Drop it, build it again, then say \`understudy migrate resolve ${id} --applied\`.`,
  })
}

async function resolve(
  session: Session,
  { settings }: MigrationProject,
  { id, as }: { readonly id: string; readonly as: ResolveOptions['as'] },
): Promise<void> {
  await session.transaction({}, async () => {
    await (as === 'applied' ? writeLedgerState(session, id, 'applied') : deleteLedgerRow(session, id))
    await writeLog(session, [{ action: 'resolve', migration: id, detail: as }])
    await writeMirror(session, settings.migrations.mirror, as === 'pending' ? id : '')
  })
}
