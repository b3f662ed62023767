import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import { withAdvisoryLock } from '../database/advisory-lock.js'
import type { LockHolder } from '../database/lock-holder.js'
import type { Session } from '../database/port.js'
import { pinSettings, useSearchPath } from '../database/settings.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { requireModel } from '../model/build-model.js'
import { toPattern } from '../model/content-relations.js'
import { createSqlContext, type SqlContext } from '../model/sql-context.js'
import { readInstance } from '../registry/registry.js'
import { type FilledRelation, lockForFill, planFill, writeFill } from './fill.js'
import { findNullIdentities, type NullIdentities } from './null-identities.js'

export interface IdentifyOptions extends DatabaseOptions {
  /** `table` or `schema.table`, `*` for any characters. Default: every relation. */
  readonly only?: readonly string[] | undefined
  /** What rows without an identity get: text with SQL expressions in braces (`{table}.{slug}`, `{uuid}`). Absent: they are listed only. */
  readonly fill?: string | undefined
  /** True: what would be filled is returned, and nothing is written. */
  readonly isDryRun?: boolean | undefined
  /** Asked before anything is written; false ends with `CANCELLED`. Without it the fill is written at once. */
  readonly confirm?: ((result: IdentifyResult) => Promise<boolean>) | undefined
  /** How long to wait for another run. Default: 30 s. */
  readonly waitMs?: number | undefined
  readonly onWait?: ((holder: LockHolder | undefined) => void) | undefined
}

export interface IdentifyResult {
  /** Where the database is, safe to print. */
  readonly target: string
  /** The relations with rows without an identity, as they were found. */
  readonly relations: readonly Unidentified[]
  /** With `fill`: what each row gets or would get. */
  readonly filled: readonly FilledRelation[]
  readonly isWritten: boolean
}

export interface Unidentified {
  readonly relation: string
  readonly column: string
  readonly rows: number
  readonly rowsWithout: number
  /** Up to five of the rows without, by their key: `id 7`. */
  readonly samples: readonly string[]
  /** False where the identity is a reference to another row, which no template can give. */
  readonly canBeFilled: boolean
}

const DEFAULT_WAIT_MS = 30_000

/**
 * Finds rows whose identity is null, which stop every export, and fills the identities by a template: checked first, then written in one
 * transaction. Triggers of the application fire as for any update.
 *
 * @throws UnderstudyError `IDENTIFY_REFUSED` with every problem, `USAGE`, `SELECTION_UNKNOWN`, `MODEL_INVALID`, `CANCELLED`, `LOCK_NOT_AVAILABLE`
 */
export async function identifyRows(settings: Settings, options: IdentifyOptions = {}): Promise<IdentifyResult> {
  return await withDatabase(settings, options, async (database) => {
    const run = (isDryRun: boolean) =>
      database.withSession((session) => identifyLocked(session, { settings, options, isDryRun, label: database.label }))
    if (options.fill === undefined || options.isDryRun === true) return await run(true)
    if (options.confirm === undefined) return await run(false)
    const planned = await run(true)
    if (planned.filled.length === 0) return planned
    if (!(await options.confirm(planned))) {
      throw new UnderstudyError('CANCELLED', 'the fill was declined', { hint: 'Nothing was written.' })
    }
    return await run(false)
  })
}

interface Work {
  readonly settings: Settings
  readonly options: IdentifyOptions
  readonly isDryRun: boolean
  readonly label: string
}

/** A dry run ends its transaction on purpose. */
class DryRunDone extends Error {
  constructor(readonly result: IdentifyResult) {
    super('the dry run is done')
  }
}

async function identifyLocked(session: Session, work: Work): Promise<IdentifyResult> {
  const { options, isDryRun } = work
  const { waitMs = DEFAULT_WAIT_MS, onWait, signal } = options
  const inTransaction = () =>
    session.transaction({}, () => session.abortable(signal, () => identifyInTransaction(session, work)))
  try {
    if (isDryRun) return await inTransaction()
    return await withAdvisoryLock(session, { waitMs, onWait, signal }, inTransaction)
  } catch (error) {
    if (error instanceof DryRunDone) return error.result
    throw error
  }
}

async function identifyInTransaction(session: Session, work: Work): Promise<IdentifyResult> {
  const { settings, options, isDryRun, label } = work
  await pinSettings(session)
  const catalog = await readCatalog(session)
  const instance = await readInstance(session)
  const context = createSqlContext(catalog, requireModel(catalog, settings).model, instance?.id ?? null)
  const found = select(context, await findNullIdentities(session, context), options.only ?? [])
  const filled =
    options.fill === undefined ? [] : await fill(session, context, found, { template: options.fill, isDryRun })
  const result = { target: label, relations: found.map(describe), filled, isWritten: !isDryRun }
  if (isDryRun) throw new DryRunDone(result)
  return result
}

function select(context: SqlContext, found: readonly NullIdentities[], only: readonly string[]): NullIdentities[] {
  const isNamed = ({ schema, name }: { schema: string; name: string }, pattern: string) =>
    toPattern(pattern).test(name) || toPattern(pattern).test(`${schema}.${name}`)
  const unknown = only.filter((pattern) => !context.model.relations.some((relation) => isNamed(relation, pattern)))
  if (unknown.length > 0) {
    throw new UnderstudyError('SELECTION_UNKNOWN', `no content relation is called ${unknown.join(', ')}`, {
      hint: 'See `understudy inspect` for the names. A relation outside the schema public is named schema.table.',
    })
  }
  return found.filter(({ relation }) => only.length === 0 || only.some((pattern) => isNamed(relation, pattern)))
}

async function fill(
  session: Session,
  context: SqlContext,
  found: readonly NullIdentities[],
  { template, isDryRun }: { readonly template: string; readonly isDryRun: boolean },
): Promise<FilledRelation[]> {
  const problems = found
    .filter((each) => !each.canBeFilled)
    .map((each) => `${each.label}.${each.column}: refers to another row, which no template can name`)
  // Templates and triggers of the application may name functions and tables without their schema.
  await pinSettings(session)
  await useSearchPath(session, 'own')
  const filled: FilledRelation[] = []
  for (const each of found.filter(({ canBeFilled }) => canBeFilled)) {
    if (!isDryRun) await lockForFill(session, each)
    const planned = await planFill(session, context, each, template)
    filled.push(planned.filled)
    problems.push(...planned.problems)
  }
  if (problems.length > 0) {
    throw new UnderstudyError('IDENTIFY_REFUSED', 'these identities cannot be filled as asked', {
      detail: problems.join('\n'),
      hint: 'Nothing was written. Name the relations to fill, each with a template that suits it; {uuid} is always different.',
    })
  }
  if (isDryRun) return filled
  for (const [index, each] of found.entries()) {
    const expected = filled[index]
    if (expected !== undefined) await writeFill(session, context, each, expected)
  }
  return filled
}

function describe({ label, column, rows, rowsWithout, samples, canBeFilled }: NullIdentities): Unidentified {
  return { relation: label, column, rows, rowsWithout, samples, canBeFilled }
}
