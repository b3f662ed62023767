import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { AppliedMigration, FileEntry } from '../archive/archive-index.js'
import { archivePath } from '../archive/store.js'
import { createArchive } from '../archive/writer.js'
import type { Catalog } from '../catalog/catalog.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import type { Database, Session } from '../database/port.js'
import { quoteQualified } from '../database/quoting.js'
import { pinSettings } from '../database/settings.js'
import { withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { type BuiltModel, requireModel } from '../model/build-model.js'
import { type ContentRelation, relationLabel } from '../model/model.js'
import { describeFinding, findIdentityProblems } from '../model/preflight.js'
import { createSqlContext, fromRelation, type SqlContext } from '../model/sql-context.js'
import type { OnProgress } from '../progress.js'
import { type Instance, openRegistry, readLineage, recordTransfer } from '../registry/registry.js'
import { TOOL_VERSION } from '../version.js'
import { type Selected, selectRelations } from './select-relations.js'
import { readSnapshot, withSnapshotWorkers } from './snapshot.js'

export interface ExportOptions {
  /** A file, or a folder in which the archive gets its timestamp as name. Default: the settings' folder of archives. */
  readonly out?: string | undefined
  /** Relations to take, or to leave out: `table` or `schema.table`, `*` for any run of characters. */
  readonly only?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  /** Sessions that read side by side. Default: one per processor, at most four; PGlite has one. */
  readonly jobs?: number | undefined
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
    const instance = await database.withSession(openRegistry)
    const result = await database.withSession((session) =>
      exportSession(database, session, settings, options, instance),
    )
    if (instance !== null) await database.withSession((session) => recordExport(session, result))
    return { ...result, durationMs: performance.now() - startedAt }
  })
}

async function exportSession(
  database: Database,
  session: Session,
  settings: Settings,
  options: ExportOptions,
  instance: Instance | null,
): Promise<ExportResult> {
  const planned = await session.transaction({ isReadOnly: true }, async () => {
    await pinSettings(session)
    return readContent(await readCatalog(session), settings, options)
  })
  return await session.transaction({ isolation: 'repeatable read', isReadOnly: true }, async () => {
    await pinSettings(session)
    await lockAgainstRewriting(session, planned.selected.relations, options.onProgress)
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

interface Content {
  readonly built: BuiltModel
  readonly selected: Selected
}

interface Prepared extends Content {
  readonly context: SqlContext
  readonly catalog: Catalog
  readonly warnings: readonly string[]
  readonly instance: Instance | null
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
  const names = (relations: readonly ContentRelation[]) => relations.map(relationLabel).join()
  if (names(before) === names(after)) return
  throw new UnderstudyError('SCHEMA_CHANGED', 'the schema changed while the export began', {
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

async function writeArchive(
  database: Database,
  session: Session,
  settings: Settings,
  options: ExportOptions,
  prepared: Prepared,
): Promise<ExportResult> {
  const path = outputPath(settings, options)
  const lineage = prepared.instance === null ? [] : await readLineage(session)
  const migrations = await readMigrations(session)
  const archive = await createArchive({ path })
  try {
    const durations = new Map<string, number>()
    const queue = await bySize(session, prepared.context, prepared.selected.relations)
    const jobs = Math.min(
      options.jobs ?? Math.min(4, availableParallelism()),
      database.maxSessions,
      Math.max(1, queue.length),
    )
    const work = async (worker: Session) => {
      for (let relation = queue.shift(); relation !== undefined; relation = queue.shift()) {
        options.signal?.throwIfAborted()
        const startedAt = performance.now()
        await exportRelation(worker, archive, prepared.context, relation, options)
        durations.set(relationLabel(relation), performance.now() - startedAt)
      }
    }
    await withSnapshotWorkers(database, session, jobs, work)
    options.onProgress?.({ step: 'assemble', relation: null, rows: 0, totalRows: null, bytes: 0, isDone: false })
    const finished = await archive.finish({
      tool_version: TOOL_VERSION,
      source: {
        instance: prepared.instance?.id ?? null,
        server_version: String(prepared.catalog.serverVersion),
        database: prepared.catalog.database,
      },
      lineage,
      migrations,
      model: prepared.built.model,
      extensions: [...prepared.catalog.extensions],
      selection: { only: [...(options.only ?? [])], exclude: [...(options.exclude ?? [])] },
      masks: masksOf(prepared.selected.relations),
      warnings: [...prepared.warnings],
    })
    return {
      path: finished.path,
      bytes: finished.bytes,
      archiveId: finished.index.id,
      files: finished.index.files.map((file) => exportedFile(file, durations)),
      warnings: prepared.warnings,
      durationMs: 0,
    }
  } catch (error) {
    await archive.abort()
    throw error
  }
}

async function exportRelation(
  session: Session,
  archive: Awaited<ReturnType<typeof createArchive>>,
  context: SqlContext,
  relation: ContentRelation,
  { onProgress, signal }: ExportOptions,
): Promise<void> {
  const label = relationLabel(relation)
  const late = relation.references.filter((reference) => reference.isLate).flatMap((reference) => reference.columns)
  const [counted] = await session.query<{ rows: number }>(
    `select count(*) as rows from ${fromRelation(context, relation)}`,
  )
  const totalRows = counted?.rows ?? 0
  let total = { rows: 0, bytes: 0 }
  const report = (isDone: boolean) => onProgress?.({ step: 'read', relation: label, ...total, totalRows, isDone })
  await archive.addRelation(
    { schema: relation.schema, name: relation.name, lateSeedColumns: [...new Set(late)] },
    readSnapshot(session, context, relation, signal),
    {
      expectedRecords: totalRows,
      onProgress: (rows, bytes) => {
        total = { rows, bytes }
        report(false)
      },
    },
  )
  report(true)
}

function exportedFile(file: FileEntry, durations: ReadonlyMap<string, number>): ExportedFile {
  const relation = relationLabel({ schema: file.schema, name: file.relation })
  return {
    relation,
    records: file.records,
    bytes: file.bytes,
    contentSha256: file.content_sha256,
    durationMs: durations.get(relation) ?? 0,
  }
}

function outputPath(settings: Settings, { out }: ExportOptions): string {
  if (out === undefined) return archivePath(settings.archives, new Date())
  const isFolder = out.endsWith('/') || statSync(out, { throwIfNoEntry: false })?.isDirectory() === true
  return isFolder ? archivePath(out, new Date()) : out
}

/** Largest first, so that no worker begins the largest relation when the others are done. */
async function bySize(
  session: Session,
  context: SqlContext,
  relations: readonly ContentRelation[],
): Promise<ContentRelation[]> {
  if (relations.length < 2) return [...relations]
  const names = relations.map((relation) => fromRelation(context, relation).replace('only ', ''))
  const rows = await session.query<{ position: number; bytes: number }>(
    `select r.position::int as position,
            (select coalesce(sum(pg_relation_size(t.relid)), 0) from pg_partition_tree(r.name::regclass) t) + pg_relation_size(r.name::regclass) as bytes
       from unnest($1::text[]) with ordinality r(name, position)`,
    [names],
  )
  const bytes = new Map(rows.map((row) => [row.position - 1, Number(row.bytes)]))
  return relations
    .map((relation, index) => ({ relation, size: bytes.get(index) ?? 0 }))
    .toSorted((a, b) => b.size - a.size)
    .map(({ relation }) => relation)
}

function masksOf(relations: readonly ContentRelation[]) {
  return relations.flatMap((relation) =>
    relation.columns.flatMap((column) =>
      column.mask === undefined
        ? []
        : [{ schema: relation.schema, relation: relation.name, column: column.name, expression: column.mask }],
    ),
  )
}

async function readMigrations(session: Session): Promise<AppliedMigration[]> {
  const [found] = await session.query<{ exists: boolean }>(
    `select to_regclass('understudy.migration') is not null as exists`,
  )
  if (found?.exists !== true) return []
  return await session.query<AppliedMigration & Record<string, unknown>>(
    'select id, checksum from understudy.migration order by id',
  )
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
