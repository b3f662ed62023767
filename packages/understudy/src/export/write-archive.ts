import { availableParallelism } from 'node:os'
import type { AppliedMigration, FileEntry, Mask } from '../archive/archive-index.js'
import { archivePath, resolveOutput } from '../archive/store.js'
import { type ArchiveWriter, createArchive } from '../archive/writer.js'
import type { Catalog } from '../catalog/catalog.js'
import type { Settings } from '../config/settings.js'
import type { Database, Session } from '../database/port.js'
import { quoteQualified } from '../database/quoting.js'
import type { BuiltModel } from '../model/build-model.js'
import { hasIndexOrder } from '../model/line-sql.js'
import { type ContentRelation, relationLabel } from '../model/model.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'
import { type Instance, isRegistryReadable, readLineage } from '../registry/registry.js'
import { TOOL_VERSION } from '../version.js'
import type { ExportedFile, ExportOptions, ExportResult } from './export-content.js'
import { isJoinless, ReferenceLookups } from './reference-lookups.js'
import type { Selected } from './select-relations.js'
import { readSnapshot, withSnapshotWorkers } from './snapshot.js'

/** A relation with what it takes on disk, its parts and its long values included. */
interface Sized {
  readonly relation: ContentRelation
  readonly bytes: number
  /** Whether it takes at most half of what the server keeps in memory. */
  readonly isKept: boolean
}

/** Of a smaller relation the rows are not counted first: that tells no one anything, and takes as long as reading them. */
const UNCOUNTED_BYTES = 256 * 1024

/** What an export reads of the database, and what it adds to know. */
export interface Content {
  readonly built: BuiltModel
  readonly selected: Selected
}

export interface Prepared extends Content {
  readonly context: SqlContext
  readonly catalog: Catalog
  readonly warnings: readonly string[]
  readonly instance: Instance | null
  /** All tables that are read, quoted: they are locked. */
  readonly tables: readonly string[]
  /** By relation label, the instances whose rows have come here. */
  readonly history: ReadonlyMap<string, readonly string[]>
}

/** Reads every relation selected through the snapshot of `session`'s transaction, and writes the archive. */
export async function writeArchive(
  database: Database,
  session: Session,
  settings: Settings,
  options: ExportOptions,
  prepared: Prepared,
): Promise<ExportResult> {
  const now = new Date()
  const path = options.out === undefined ? archivePath(settings.archives, now) : await resolveOutput(options.out, now)
  const lineage = prepared.instance === null ? [] : await readLineage(session)
  const migrations = await readMigrations(session)
  const archive = await createArchive({ path })
  try {
    const durations = new Map<string, number>()
    const queue = await bySize(session, prepared.selected.relations)
    const references = new ReferenceLookups(prepared.context)
    const jobs = Math.min(
      options.jobs ?? Math.min(4, 2 * availableParallelism()),
      database.maxSessions,
      Math.max(1, queue.length),
    )
    const work = async (worker: Session) => {
      for (let sized = queue.shift(); sized !== undefined; sized = queue.shift()) {
        options.signal?.throwIfAborted()
        const startedAt = performance.now()
        await exportRelation(worker, archive, prepared, sized, { ...options, references })
        durations.set(relationLabel(sized.relation), performance.now() - startedAt)
      }
    }
    await withSnapshotWorkers(database, session, { jobs, tables: prepared.tables, signal: options.signal }, work)
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
      folders: null,
      durationMs: 0,
    }
  } catch (error) {
    await archive.abort()
    throw error
  }
}

async function exportRelation(
  session: Session,
  archive: ArchiveWriter,
  { context, instance, history }: Prepared,
  { relation, bytes, isKept }: Sized,
  { onProgress, signal, references }: ExportOptions & { readonly references: ReferenceLookups },
): Promise<void> {
  const label = relationLabel(relation)
  const late = relation.references.filter((reference) => reference.isLate).flatMap((reference) => reference.columns)
  const isByOrigin = relation.identity.kind === 'origin' && instance !== null
  const totalRows = bytes < UNCOUNTED_BYTES ? null : await countRows(session, context, relation)
  const isInOrder = totalRows !== null && isKept && hasIndexOrder(context, relation)
  const lookups = await references.of(session, relation, { rows: totalRows ?? 0, isInOrder })
  let total = { rows: 0, bytes: 0 }
  const report = (isDone: boolean) => onProgress?.({ step: 'read', relation: label, ...total, totalRows, isDone })
  await archive.addRelation(
    {
      schema: relation.schema,
      name: relation.name,
      lateSeedColumns: [...new Set(late)],
      instances: isByOrigin ? [...new Set([instance.id, ...(history.get(label) ?? [])])] : undefined,
    },
    readSnapshot(session, context, relation, {
      lookups,
      isInOrder: isInOrder && isJoinless(relation, lookups),
      signal,
    }),
    {
      expectedRecords: totalRows ?? undefined,
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
    durationMs: Math.round(durations.get(relation) ?? 0),
  }
}

async function countRows(session: Session, context: SqlContext, relation: ContentRelation): Promise<number> {
  const [counted] = await session.query<{ rows: number }>(
    `select count(*) as rows from ${fromRelation(context, relation)}`,
  )
  return counted?.rows ?? 0
}

/** Largest first, so that no worker begins the largest relation when the others are done. */
async function bySize(session: Session, relations: readonly ContentRelation[]): Promise<Sized[]> {
  const names = relations.map((relation) => quoteQualified(relation))
  const rows = await session.query<{ position: number; bytes: number; kept: number }>(
    `select r.position::int as position,
            (select coalesce(sum(pg_table_size(t.relid)), 0) from pg_partition_tree(r.name::regclass) t) + pg_table_size(r.name::regclass) as bytes,
            pg_size_bytes(current_setting('shared_buffers')) / 2 as kept
       from unnest($1::text[]) with ordinality r(name, position)`,
    [names],
  )
  const sizes = new Map(rows.map((row) => [row.position - 1, { bytes: Number(row.bytes), kept: Number(row.kept) }]))
  return relations
    .map((relation, index) => {
      const { bytes, kept } = sizes.get(index) ?? { bytes: 0, kept: 0 }
      return { relation, bytes, isKept: bytes <= kept }
    })
    .toSorted((a, b) => b.bytes - a.bytes)
}

function masksOf(relations: readonly ContentRelation[]): Mask[] {
  return relations.flatMap((relation) =>
    relation.columns.flatMap((column) =>
      column.mask === undefined
        ? []
        : [{ schema: relation.schema, relation: relation.name, column: column.name, expression: column.mask }],
    ),
  )
}

async function readMigrations(session: Session): Promise<AppliedMigration[]> {
  if (!(await isRegistryReadable(session, 'migration'))) return []
  // Through JSON: the ledger of an earlier version has fewer columns. A data seed changes no schema.
  return await session.query<AppliedMigration & Record<string, unknown>>(
    `select id, checksum
     from understudy.migration
     where coalesce(to_jsonb(migration) ->> 'state', 'applied') = 'applied'
       and coalesce(to_jsonb(migration) ->> 'method', 'run') <> 'archived'
     order by id`,
  )
}
