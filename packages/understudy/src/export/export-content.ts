import { dirname } from 'node:path'
import type { WrittenFolders } from '../archive/write-folders.js'
import type { Catalog } from '../catalog/catalog.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import { describeSqlError } from '../database/failures.js'
import type { LockHolder } from '../database/lock-holder.js'
import { lockedTransaction } from '../database/locked-transaction.js'
import type { Session } from '../database/port.js'
import { quoteQualified } from '../database/quoting.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { requireModel } from '../model/build-model.js'
import { describeComputed, findComputedReferences } from '../model/computed-references.js'
import { describeFinding } from '../model/finding.js'
import { type ContentRelation, relationLabel } from '../model/model.js'
import { describeUnreadable, findUnreadableNumbers } from '../model/numbered-text.js'
import { findIdentityProblems } from '../model/preflight.js'
import { createSqlContext, type SqlContext } from '../model/sql-context.js'
import { describeUndeclared, findUndeclaredReferences } from '../model/undeclared-references.js'
import type { OnProgress } from '../progress.js'
import { refuseCopy } from '../registry/copies.js'
import { readHistory } from '../registry/history.js'
import { type Instance, openRegistry, readInstance, recordTransfer, type Transfer } from '../registry/registry.js'
import { type BackupSettings, backupSettings } from './backup-settings.js'
import { relationsRead, selectRelations } from './select-relations.js'
import { type Content, type Prepared, writeArchive } from './write-archive.js'

export interface ExportOptions extends DatabaseOptions {
  /** A file, or a folder in which the archive gets its timestamp as name. Default: the settings' folder of archives. */
  readonly out?: string | undefined
  /** Relations to take, or to leave out: `table` or `schema.table`, `*` for any run of characters. */
  readonly only?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  /** `folders`: beside the archive its documents too, as `<table>/<timestamp>.json` in the folder above that of the archives. Default: `archive`. */
  readonly layout?: 'archive' | 'folders' | undefined
  /** Sessions that read side by side: while one waits for its server process, another works. Default: two per processor, at most four; PGlite has one. */
  readonly jobs?: number | undefined
  /** How long to wait for a transaction that rewrites a table, such as a migration. Default: 30 s. */
  readonly waitMs?: number | undefined
  readonly onWait?: ((holder: LockHolder | undefined) => void) | undefined
  /**
   * `transfer`, the default: what the configuration says, to the letter. `backup`: everything, nothing masked or left out, at whatever level the
   * schema is; what the configuration names and this level does not have is passed over, and rows without a usable identity are known by their
   * origin. `copy`: as a backup, and the database is not written at all.
   */
  readonly purpose?: 'transfer' | 'backup' | 'copy' | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface ExportResult {
  readonly path: string
  readonly bytes: number
  readonly archiveId: string
  readonly files: readonly ExportedFile[]
  readonly warnings: readonly string[]
  /** What the layout `folders` wrote; null without it. */
  readonly folders: WrittenFolders | null
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
 * @throws UnderstudyError `MODEL_INVALID`, `IDENTITY_PREFLIGHT`, `SELECTION_UNKNOWN`, `SCHEMA_CHANGED`, `LOCK_NOT_AVAILABLE`, and those of the database and archive layers
 */
export async function exportContent(settings: Settings, options: ExportOptions = {}): Promise<ExportResult> {
  return await withDatabase(settings, options, async (database) => {
    const startedAt = performance.now()
    const result = await database.withSession(async (session) => {
      const { written, instance } = await readContentSnapshot(session, settings, options, async (prepared) => ({
        written: await writeArchive(database, session, settings, options, prepared),
        instance: prepared.instance,
      }))
      const remarks = instance === null || options.purpose === 'copy' ? [] : await recordExport(session, written)
      return { ...written, warnings: [...written.warnings, ...remarks] }
    })
    const folders = options.layout === 'folders' ? await unpack(result.path, settings, options) : null
    return { ...result, folders, durationMs: Math.round(performance.now() - startedAt) }
  })
}

/** Loaded where it is asked for: it reads archives, and an export only writes one. */
async function unpack(path: string, settings: Settings, options: ExportOptions): Promise<WrittenFolders> {
  const { writeFolders } = await import('../archive/write-folders.js')
  return await writeFolders(path, dirname(settings.archives), options)
}

/** What every kind of export begins with: relations chosen, locked against rewriting and looked at, in one snapshot, which `read` then reads. */
export async function readContentSnapshot<T>(
  session: Session,
  settings: Settings,
  options: ReadOptions,
  read: (prepared: Prepared) => Promise<T>,
): Promise<T> {
  const instance = await (options.purpose === 'copy' ? readInstance(session) : openOwnRegistry(session))
  return await namingRefusals(() => readSession(session, settings, options, instance, read))
}

async function openOwnRegistry(session: Session): Promise<Instance | null> {
  const instance = await openRegistry(session)
  await refuseCopy(session, instance)
  return instance
}

type ReadOptions = Pick<ExportOptions, 'only' | 'exclude' | 'purpose' | 'waitMs' | 'onWait' | 'onProgress' | 'signal'>

const DEFAULT_WAIT_MS = 30_000
const INSUFFICIENT_PRIVILEGE = '42501'
/** read_only_sql_transaction; feature_not_supported: a transaction that writes, on a replica. */
const WRITING_REFUSED = ['25006', '0A000']

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

async function readSession<T>(
  session: Session,
  wanted: Settings,
  options: ReadOptions,
  instance: Instance | null,
  read: (prepared: Prepared) => Promise<T>,
): Promise<T> {
  const { purpose = 'transfer', waitMs = DEFAULT_WAIT_MS, onWait, signal } = options
  const waits = { waitMs, onWait, signal, mode: 'access share', isReadOnly: true } as const
  let settings: BackupSettings = wanted
  const plan = async (): Promise<Content> => {
    const catalog = await readCatalog(session)
    if (purpose !== 'transfer') settings = await backupSettings(session, catalog, wanted, instance?.id ?? null)
    return readContent(catalog, settings, options)
  }
  const look = async (): Promise<Content & { catalog: Catalog }> => {
    const catalog = await readCatalog(session)
    return { catalog, ...readContent(catalog, settings, options) }
  }
  options.onProgress?.({ step: 'lock', relation: null, rows: 0, totalRows: null, bytes: 0, isDone: false })
  const unlocked = { ...waits, tables: [] }
  const planned = await lockedTransaction(session, unlocked, { prepare: plan, work: async (content) => content })
  const tables = relationsRead(planned.built.model, planned.selected.relations).map(quoteQualified)
  return await lockedTransaction(
    session,
    { ...waits, isolation: 'repeatable read', tables },
    {
      prepare: look,
      work: async ({ catalog, ...content }) => {
        expectSameRelations(planned.selected.relations, content.selected.relations)
        const context = createSqlContext(catalog, content.built.model, instance?.id ?? null)
        const warnings = [
          ...content.selected.warnings,
          ...originWarnings(content.selected.relations, instance),
          ...(purpose === 'transfer' ? modelWarnings(catalog, content, settings) : []),
        ]
        await preflight(session, context, content.selected.relations)
        const history = await readHistory(session)
        const prepared = { context, catalog, warnings, instance, tables, history, ...content }
        return await read(prepared)
      },
    },
  )
}

function readContent(catalog: Catalog, settings: Settings, options: ReadOptions): Content {
  const built = requireModel(catalog, settings)
  return { built, selected: selectRelations(catalog, built, options) }
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
  const lost =
    'this database has no registry that this role may read or make: the archive has no instance and no lineage'
  return [concerned.length === 0 ? lost : `${lost}; rows of ${concerned.join(', ')} can only go into an init`]
}

/** What means something else in another database, where nothing would tell. */
function modelWarnings(catalog: Catalog, { built, selected }: Content, settings: Settings): string[] {
  const labels = new Set(selected.relations.map(relationLabel))
  const undeclared = findUndeclaredReferences(catalog, built.model, settings)
    .filter(({ relation, holdsIds }) => holdsIds && labels.has(relation))
    .map((each) => `${each.relation}.${each.column} ${describeUndeclared(each)}; say under \`references\` what it is`)
  const computed = findComputedReferences(catalog, built.model)
    .filter(({ relation }) => labels.has(relation))
    .map(
      (each) =>
        `${each.relation}.${each.column} ${describeComputed(each)}; say under \`references\` what it is computed from`,
    )
  const unreadable = findUnreadableNumbers(catalog, built.model)
    .filter(({ relation }) => labels.has(relation))
    .map((each) => `${each.relation}.${each.column} ${describeUnreadable(each)}`)
  return [...undeclared, ...computed, ...unreadable]
}

async function preflight(session: Session, context: SqlContext, relations: readonly ContentRelation[]): Promise<void> {
  const findings = await findIdentityProblems(session, context, relations)
  if (findings.length === 0) return
  throw new UnderstudyError('IDENTITY_PREFLIGHT', `${findings.length} problems with identities in this database`, {
    detail: findings.map(describeFinding).join('\n'),
    hint: 'Mend these rows (`understudy identify` fills identities that are null), or choose another identity in the configuration (`relations`), or `onDangling` for a declared reference.',
  })
}

/** The archive is whole by now. A replica, a role that may only read, or a server that is gone only leave it out of the log of the database. */
async function recordExport(session: Session, result: ExportResult): Promise<string[]> {
  const transfer: Transfer = {
    direction: 'export',
    archiveId: result.archiveId,
    archiveName: result.path.replace(/^.*[\\/]/, ''),
    sourceInstance: null,
    mode: null,
    relations: Object.fromEntries(result.files.map((file) => [file.relation, file.records])),
  }
  try {
    await session.transaction({}, () => recordTransfer(session, transfer))
    return []
  } catch (error) {
    const sqlstate = describeSqlError(error)?.sqlstate
    if (error instanceof UnderstudyError || (sqlstate !== undefined && !isRefusedWrite(sqlstate))) {
      const { message } = error as Error
      return [
        `the archive is whole, but not in the log of the database that it came from (${message}): before it goes back there, \`understudy adopt --as-original\` has to name it`,
      ]
    }
    if (sqlstate === undefined) throw error
    return ['this role may not write the registry: the archive is not in the log of the database that it came from']
  }
}

function isRefusedWrite(sqlstate: string): boolean {
  return sqlstate === INSUFFICIENT_PRIVILEGE || WRITING_REFUSED.includes(sqlstate)
}
