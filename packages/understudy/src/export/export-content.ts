import type { Catalog } from '../catalog/catalog.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import { describeSqlError } from '../database/failures.js'
import type { Database, Session } from '../database/port.js'
import { quoteQualified } from '../database/quoting.js'
import { pinSettings } from '../database/settings.js'
import { withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { requireModel } from '../model/build-model.js'
import { type ContentRelation, relationLabel } from '../model/model.js'
import { describeFinding, findIdentityProblems } from '../model/preflight.js'
import { createSqlContext, type SqlContext } from '../model/sql-context.js'
import type { OnProgress } from '../progress.js'
import { type Instance, openRegistry, readInstance, recordTransfer } from '../registry/registry.js'
import { backupSettings } from './backup-settings.js'
import { relationsRead, selectRelations } from './select-relations.js'
import { type Content, writeArchive } from './write-archive.js'

export interface ExportOptions {
  /** A file, or a folder in which the archive gets its timestamp as name. Default: the settings' folder of archives. */
  readonly out?: string | undefined
  /** Relations to take, or to leave out: `table` or `schema.table`, `*` for any run of characters. */
  readonly only?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  /** Sessions that read side by side. Default: one per processor, at most four; PGlite has one. */
  readonly jobs?: number | undefined
  /**
   * `transfer`, the default: what the configuration says, to the letter. `backup`: everything, nothing masked or left out, at whatever level the
   * schema is; what the configuration names and this level does not have is passed over, and rows without a usable identity are known by their
   * origin. `copy`: as a backup, and the database is not written at all.
   */
  readonly purpose?: 'transfer' | 'backup' | 'copy' | undefined
  readonly onProgress?: OnProgress | undefined
  readonly signal?: AbortSignal | undefined
  /** A database that is open already; else the settings' one is opened. */
  readonly database?: Database | undefined
}

export interface ExportResult {
  readonly path: string
  readonly bytes: number
  readonly archiveId: string
  readonly files: readonly ExportedFile[]
  readonly warnings: readonly string[]
  readonly durationMs: number
}

export interface ExportedFile {
  readonly relation: string
  readonly records: number
  readonly bytes: number
  readonly contentSha256: string
  readonly durationMs: number
}

/**
 * Exports the content of a database into an archive: relations locked against rewriting, one MVCC snapshot, lines streamed. The database
 * is not written, but for its registry.
 *
 * @throws UnderstudyError `MODEL_INVALID`, `IDENTITY_PREFLIGHT`, `SELECTION_UNKNOWN`, `SCHEMA_CHANGED`, and those of the database and archive layers
 */
export async function exportContent(settings: Settings, options: ExportOptions = {}): Promise<ExportResult> {
  return await withDatabase({ url: settings.database, open: options.database }, async (database) => {
    const startedAt = performance.now()
    const isCopy = options.purpose === 'copy'
    const instance = await database.withSession(isCopy ? readInstance : openRegistry)
    const result = await namingRefusals(() =>
      database.withSession((session) => exportSession(database, session, settings, options, instance)),
    )
    if (instance !== null && !isCopy) await database.withSession((session) => recordExport(session, result))
    return { ...result, durationMs: Math.round(performance.now() - startedAt) }
  })
}

const INSUFFICIENT_PRIVILEGE = '42501'

/** What the database refuses while it is read: a missing right, or a row security policy that would hide rows from the archive. */
async function namingRefusals<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const facts = describeSqlError(error)
    if (facts === undefined) throw error
    const isPrivilege = facts.sqlstate === INSUFFICIENT_PRIVILEGE
    throw new UnderstudyError(isPrivilege ? 'PRIVILEGE_MISSING' : 'EXPORT_REFUSED_BY_DATABASE', facts.message, {
      detail: facts.detail,
      hint: isPrivilege
        ? 'Export with a role that may read every row of these relations (their owner, or one with bypassrls), or exclude them.'
        : facts.hint,
      cause: error,
    })
  }
}

async function exportSession(
  database: Database,
  session: Session,
  wanted: Settings,
  options: ExportOptions,
  instance: Instance | null,
): Promise<ExportResult> {
  const { settings, planned } = await session.transaction({ isReadOnly: true }, async () => {
    await pinSettings(session)
    const catalog = await readCatalog(session)
    const isTransfer = (options.purpose ?? 'transfer') === 'transfer'
    const settings = isTransfer ? wanted : await backupSettings(session, catalog, wanted, instance?.id ?? null)
    return { settings, planned: readContent(catalog, settings, options) }
  })
  return await session.transaction({ isolation: 'repeatable read', isReadOnly: true }, async () => {
    await pinSettings(session)
    await lockAgainstRewriting(
      session,
      relationsRead(planned.built.model, planned.selected.relations),
      options.onProgress,
    )
    const catalog = await readCatalog(session)
    const content = readContent(catalog, settings, options)
    expectSameRelations(planned.selected.relations, content.selected.relations)
    const context = createSqlContext(catalog, content.built.model, instance?.id ?? null)
    const warnings = [...content.selected.warnings, ...originWarnings(content.selected.relations, instance)]
    await preflight(session, context, content.selected.relations)
    return await writeArchive(database, session, settings, options, {
      context,
      catalog,
      warnings,
      instance,
      ...content,
    })
  })
}

function readContent(catalog: Catalog, settings: Settings, options: ExportOptions): Content {
  const built = requireModel(catalog, settings)
  return { built, selected: selectRelations(catalog, built, options) }
}

/** `access share` keeps `truncate` and rewriting `alter` out: after one of these a snapshot taken before shows no rows, and no error. */
async function lockAgainstRewriting(
  session: Session,
  relations: readonly ContentRelation[],
  onProgress: OnProgress | undefined,
): Promise<void> {
  if (relations.length === 0) return
  onProgress?.({ step: 'lock', relation: null, rows: 0, totalRows: null, bytes: 0, isDone: false })
  await session.script(`lock table ${relations.map(quoteQualified).join(', ')} in access share mode`)
}

function expectSameRelations(before: readonly ContentRelation[], after: readonly ContentRelation[]): void {
  const [was, is] = [before.map(relationLabel), after.map(relationLabel)]
  if (was.join() === is.join()) return
  const lines = [
    ...is.filter((name) => !was.includes(name)).map((name) => `${name} came`),
    ...was.filter((name) => !is.includes(name)).map((name) => `${name} went`),
  ]
  throw new UnderstudyError('SCHEMA_CHANGED', 'the schema changed while the export began', {
    detail: lines.join('\n'),
    hint: 'Run the export again when no migration is running.',
  })
}

function originWarnings(relations: readonly ContentRelation[], instance: Instance | null): string[] {
  if (instance !== null) return []
  const concerned = relations.filter((relation) => relation.identity.kind === 'origin').map(relationLabel)
  const lost = 'this database has no registry and the role may not make one: the archive has no instance and no lineage'
  return [concerned.length === 0 ? lost : `${lost}; rows of ${concerned.join(', ')} can only go into an init`]
}

async function preflight(session: Session, context: SqlContext, relations: readonly ContentRelation[]): Promise<void> {
  const findings = await findIdentityProblems(session, context, relations)
  if (findings.length === 0) return
  throw new UnderstudyError('IDENTITY_PREFLIGHT', `${findings.length} problems with identities in this database`, {
    detail: findings.map(describeFinding).join('\n'),
    hint: 'Mend these rows, or choose another identity in the configuration (`relations`), or `onDangling` for a declared reference.',
  })
}

async function recordExport(session: Session, result: ExportResult): Promise<void> {
  await session.transaction({}, () =>
    recordTransfer(session, {
      direction: 'export',
      archiveId: result.archiveId,
      archiveName: result.path.replace(/^.*[\\/]/, ''),
      sourceInstance: null,
      mode: null,
      relations: Object.fromEntries(result.files.map((file) => [file.relation, file.records])),
    }),
  )
}
