import { locateArchive } from '../archive/store.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { pinSettings } from '../database/settings.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { buildModel } from '../model/build-model.js'
import { configuredRelations } from '../model/content-relations.js'
import { createSqlContext } from '../model/sql-context.js'
import { readInstance } from '../registry/registry.js'
import { archiveChecks } from './archive-checks.js'
import { type Check, type CheckResult, isInvalidating } from './check.js'
import { loadChecks } from './load-checks.js'
import { modelChecks } from './model-checks.js'
import { referenceChecks } from './reference-checks.js'
import { inSavepoint, runChecks } from './run-checks.js'

export interface SessionValidateOptions {
  /** An archive's path: the database must hold what it holds. Default: none. */
  readonly archive?: string | undefined
  /** Sections to look at. Default: all. */
  readonly sections?: readonly string[] | undefined
  readonly onCheck?: ((result: CheckResult) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ValidateOptions extends SessionValidateOptions, DatabaseOptions {
  /** A path, or `latest`: the newest archive in the settings' folder. Default: none. */
  readonly archive?: string | undefined
}

export interface Validation {
  /** Where the database is, safe to print. */
  readonly database: string
  readonly archivePath: string | null
  /** False where a check of severity `error` failed, or any could not run. */
  readonly isValid: boolean
  /** Every check, in the order in which they ran. */
  readonly checks: readonly CheckResult[]
  readonly durationMs: number
}

/**
 * Runs the built-in checks and those of the project against a database, all of them in one snapshot, and returns what each found. Nothing is
 * written.
 *
 * @throws UnderstudyError `CHECKS_INVALID`, `SELECTION_UNKNOWN`, and those of the database and archive layers; a failed check is no error
 */
export async function validateDatabase(settings: Settings, options: ValidateOptions = {}): Promise<Validation> {
  const startedAt = performance.now()
  const archive = options.archive && (await locateArchive(settings.archives, options.archive))
  return await withDatabase(settings, options, (database) =>
    database.withSession(async (session) => {
      // Rows are compared in a temporary table, which a read-only transaction may not make.
      const isReadOnly = archive === undefined || (await isReplica(session))
      const checks = await session.transaction({ isolation: 'repeatable read', isReadOnly }, () =>
        validateSession(session, settings, { ...options, archive }),
      )
      return {
        database: database.label,
        archivePath: archive ?? null,
        isValid: !checks.some(isInvalidating),
        checks,
        durationMs: Math.round(performance.now() - startedAt),
      }
    }),
  )
}

/**
 * As `validateDatabase`, inside the caller's open transaction: the checks see what it has written and not yet committed. They leave no trace,
 * and the transaction can go on, or be rolled back because of what they say.
 */
export async function validateSession(
  session: Session,
  settings: Settings,
  options: SessionValidateOptions = {},
): Promise<CheckResult[]> {
  const own = await loadChecks(settings)
  return await inSavepoint(session, () => runAll(session, settings, own, options))
}

async function runAll(
  session: Session,
  settings: Settings,
  own: readonly Check[],
  options: SessionValidateOptions,
): Promise<CheckResult[]> {
  await pinSettings(session)
  const catalog = await readCatalog(session)
  const { model, problems } = buildModel(catalog, settings)
  const instance = await readInstance(session)
  const context = createSqlContext(catalog, model, instance?.id ?? null, configuredRelations(catalog, settings))
  const all = [
    ...(await modelChecks(session, context, { problems })),
    ...referenceChecks(catalog, context, settings),
    ...(options.archive === undefined ? [] : await archiveChecks(options.archive, catalog, context, options.signal)),
    ...own,
  ]
  return await runChecks(session, selectSections(all, options.sections ?? []), options)
}

function selectSections(checks: readonly Check[], sections: readonly string[]): readonly Check[] {
  const known = [...new Set(checks.map(({ section }) => section))]
  const unknown = sections.filter((section) => !known.includes(section))
  if (unknown.length > 0) {
    throw new UnderstudyError('SELECTION_UNKNOWN', `no check is in a section called ${unknown.join(', ')}`, {
      hint: `There are ${known.join(', ')}.`,
    })
  }
  return sections.length === 0 ? checks : checks.filter(({ section }) => sections.includes(section))
}

async function isReplica(session: Session): Promise<boolean> {
  const [row] = await session.query<{ is_replica: boolean }>('select pg_catalog.pg_is_in_recovery() as is_replica')
  return row?.is_replica === true
}
