import type { ArchiveIndex, FileEntry } from '../archive/archive-index.js'
import { openArchive, readArchive } from '../archive/reader.js'
import type { Catalog } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { modelForTarget } from '../model/adapt-model.js'
import { lineSelect } from '../model/line-sql.js'
import { type ContentRelation, findRelation, relationLabel, relationOf } from '../model/model.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'
import { type Check, NO_OFFENCE, type Offence } from './check.js'
import { type ContentDigest, digestLines, digestSelect, isSameDigest } from './content-digest.js'
import { findDifferentRows } from './different-rows.js'

/**
 * Checks that the database holds what an archive holds: relations, columns, counts, and the content by a digest that neither ids nor order
 * change. The archive is read once, and its checksums with it.
 */
export async function archiveChecks(
  path: string,
  catalog: Catalog,
  own: SqlContext,
  signal: AbortSignal | undefined,
): Promise<Check[]> {
  const index = await readArchive(path, { signal })
  const digests = new Map<string, ContentDigest>()
  for await (const file of openArchive(path, { expectedIndexSha256: index.index_sha256, signal })) {
    digests.set(labelOf(file.entry), await digestLines(file.lines()))
  }
  const context = { ...own, model: withOwnMasks(own, index, catalog) }
  return index.files.flatMap((entry) => {
    const label = labelOf(entry)
    const archived = relationOf(index.model, { schema: entry.schema, name: entry.relation })
    const problems = shapeProblems(own, archived)
    const digest = digests.get(label)
    const here = findRelation(context.model, archived)
    if (problems.length > 0 || digest === undefined || here === undefined) return [shapeCheck(label, problems)]
    const compared = { context, relation: here, path, index, entry, digest }
    return [shapeCheck(label, problems), countCheck(compared), contentCheck(compared)]
  })
}

interface Compared {
  readonly context: SqlContext
  readonly relation: ContentRelation
  readonly path: string
  readonly index: ArchiveIndex
  readonly entry: FileEntry
  readonly digest: ContentDigest
}

function shapeCheck(label: string, problems: readonly string[]): Check {
  return {
    name: `${label}: relation and columns as in the archive`,
    section: 'tables',
    severity: 'error',
    find: async () => (problems.length === 0 ? NO_OFFENCE : { ...NO_OFFENCE, message: problems.join('\n') }),
  }
}

/** What keeps the two from being compared row by row. */
function shapeProblems(context: SqlContext, archived: ContentRelation): string[] {
  const relation = context.relations.get(relationLabel(archived))
  if (relation === undefined) return ['the database has no such relation']
  const types = new Map(relation.columns.map((column) => [column.name, column.type]))
  const columns = archived.columns.flatMap(({ name, type }) => {
    const here = types.get(name)
    if (here === undefined) return [`the database has no column ${name}`]
    return here === type ? [] : [`${name} is ${type} in the archive and ${here} here`]
  })
  const keys = archived.surrogate.filter((name) => !types.has(name))
  return [...columns, ...keys.map((name) => `the database has no key column ${name}`)]
}

function countCheck({ context, relation, entry }: Compared): Check {
  return {
    name: `${relationLabel(relation)}: as many rows as in the archive`,
    section: 'counts',
    severity: 'error',
    find: async (session) => {
      const [row] = await session.query<{ rows: number }>(
        `select count(*) as rows from ${fromRelation(context, relation)}`,
      )
      const rows = row?.rows ?? 0
      if (rows === entry.records) return NO_OFFENCE
      const message = `${entry.records} in the archive, ${rows} here`
      return { rows: Math.abs(rows - entry.records), samples: [], message }
    },
  }
}

function contentCheck(compared: Compared): Check {
  const { context, relation, digest } = compared
  return {
    name: `${relationLabel(relation)}: the archive's content`,
    section: 'consistency',
    severity: 'error',
    find: async (session) => {
      const lines = lineSelect(context, relation, relation.columns)
      const [here] = await session.query<ContentDigest & Record<string, unknown>>(digestSelect(lines))
      return here !== undefined && isSameDigest(here, digest) ? NO_OFFENCE : await showDifferences(session, compared)
    },
  }
}

/** The rows that differ, which takes a temporary table; on a replica, which can have none, only that they do. */
async function showDifferences(session: Session, compared: Compared): Promise<Offence> {
  const { context, relation, path, index, entry } = compared
  const [state] = await session.query<{ is_read_only: boolean }>(
    `select pg_catalog.current_setting('transaction_read_only') = 'on' as is_read_only`,
  )
  if (state?.is_read_only !== false) return { ...NO_OFFENCE, message: 'its digest differs' }
  for await (const file of openArchive(path, { expectedIndexSha256: index.index_sha256 })) {
    if (file.entry.file === entry.file) return await findDifferentRows(session, context, relation, file.lines())
  }
  throw new Error(`${entry.file} has left the archive`)
}

/**
 * The archive's model, with a mask where this database's own configuration has the same: its rows then stand masked on both sides. A mask that
 * only the archive has is SQL from outside and never run.
 */
function withOwnMasks(own: SqlContext, index: ArchiveIndex, catalog: Catalog): SqlContext['model'] {
  const masks = new Map(index.masks.map((mask) => [`${labelOf(mask)} ${mask.column}`, mask.expression]))
  const { relations } = modelForTarget(index.model, catalog)
  return {
    relations: relations.map((relation) => {
      const label = relationLabel(relation)
      const configured = own.configured.get(label)?.mask ?? {}
      const maskOf = (column: string) => {
        const mask = Object.hasOwn(configured, column) ? configured[column] : undefined
        return mask !== undefined && mask === masks.get(`${label} ${column}`) ? mask : undefined
      }
      return { ...relation, columns: relation.columns.map((column) => ({ ...column, mask: maskOf(column.name) })) }
    }),
  }
}

function labelOf({ schema, relation }: { readonly schema: string; readonly relation: string }): string {
  return relationLabel({ schema, name: relation })
}
