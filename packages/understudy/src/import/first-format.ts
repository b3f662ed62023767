import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { ArchiveIndex } from '../archive/archive-index.js'
import { type FirstFormatDocument, readFirstFormat } from '../archive/first-format.js'
import { createArchive } from '../archive/writer.js'
import type { Catalog } from '../catalog/catalog.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import type { Database } from '../database/port.js'
import { pinSettings } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { buildModel } from '../model/build-model.js'
import { type ContentModel, type ContentRelation, isNamedContent, relationLabel } from '../model/model.js'
import { TOOL_VERSION } from '../version.js'
import { FirstFormatLines } from './first-format-lines.js'

const MAX_PROBLEMS = 50

/**
 * Makes an archive of today's format of one of format 1.0.0, and gives its path to `use`. Such an archive has no model: the target's own is
 * taken. Its references are ids of the source; each is followed to the row that had that id, which must be in the archive, and becomes the
 * identity of that row.
 *
 * @throws UnderstudyError `ARCHIVE_VERSION_1` with every reference and value that cannot be carried over; those of `readFirstFormat`
 */
export async function withUpgradedArchive<T>(
  source: {
    readonly path: string
    readonly database: Database
    readonly settings: Settings
    readonly signal?: AbortSignal | undefined
  },
  use: (path: string, index: ArchiveIndex) => Promise<T>,
): Promise<T> {
  const archive = await readFirstFormat(source.path, source)
  const { catalog, model } = await readTarget(source)
  const problems: string[] = []
  const loaded = matchDocuments(archive.documents, model, problems)
  const lines = new FirstFormatLines(catalog, model, loaded, problems)
  const relations = loaded.map(({ relation, document }) => lines.convert(relation, document))
  refuse(source.path, problems)
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'))
  try {
    const path = join(folder, basename(source.path))
    const writer = await createArchive({ path })
    for (const { relation, text } of relations) {
      const lateSeedColumns = relation.references.filter(({ isLate }) => isLate).flatMap(({ columns }) => columns)
      const file = { schema: relation.schema, name: relation.name, lateSeedColumns: [...new Set(lateSeedColumns)] }
      await writer.addRelation(file, bytesOf(text))
    }
    const converted = new Map(relations.map(({ relation }) => [relationLabel(relation), relation]))
    const { index } = await writer.finish({
      ...(archive.createdAt === null ? {} : { created_at: archive.createdAt }),
      tool_version: TOOL_VERSION,
      source: { instance: null, server_version: 'unknown', database: 'unknown' },
      lineage: [],
      migrations: [],
      model: { relations: model.relations.map((relation) => converted.get(relationLabel(relation)) ?? relation) },
      extensions: [],
      selection: { only: relations.map(({ relation }) => relationLabel(relation)), exclude: [] },
      masks: [],
      warnings: [],
    })
    return await use(path, index)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A document with the relation of the target that it belongs to. */
export interface LoadedDocument {
  readonly relation: ContentRelation
  readonly document: FirstFormatDocument
}

async function readTarget({
  database,
  settings,
}: {
  readonly database: Database
  readonly settings: Settings
}): Promise<{ catalog: Catalog; model: ContentModel }> {
  return await database.withSession((session) =>
    session.transaction({ isReadOnly: true }, async () => {
      await pinSettings(session)
      const catalog = await readCatalog(session)
      return { catalog, model: buildModel(catalog, settings).model }
    }),
  )
}

function matchDocuments(
  documents: readonly FirstFormatDocument[],
  model: ContentModel,
  problems: string[],
): LoadedDocument[] {
  return documents.flatMap((document) => {
    // It knew no schemas.
    const found = model.relations.filter(({ name }) => name === document.table)
    const relation = found.find(({ schema }) => schema === 'public') ?? found[0]
    if (relation === undefined) problems.push(`${document.table}: the target has no such relation`)
    else if (relation.identity.kind === 'origin')
      problems.push(
        `${relationLabel(relation)}: its rows are known by where they were born, which format 1.0.0 does not say; configure an identity`,
      )
    else if (isNamedContent(model, relation))
      problems.push(
        `${relationLabel(relation)}: its rows are known by their content and others refer to them; configure an identity`,
      )
    else return [{ relation, document }]
    return []
  })
}

function refuse(path: string, problems: readonly string[]): void {
  if (problems.length === 0) return
  const rest = problems.length - MAX_PROBLEMS
  throw new UnderstudyError(
    'ARCHIVE_VERSION_1',
    `the archive ${path} has format 1.0.0 and cannot be carried over in ${problems.length} places`,
    {
      detail: [...problems.slice(0, MAX_PROBLEMS), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n'),
      hint: 'Its references are ids of the source, which mean nothing in another database unless their rows are in the archive. Export the source again with this version.',
    },
  )
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  if (text !== '') yield Buffer.from(text)
}
