import { basename, join } from 'node:path'
import { type ArchiveWriter, createArchive } from '../archive/writer.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { MissingPolicy } from '../config/define-config.js'
import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { pinSettings } from '../database/settings.js'
import { requireModel } from '../model/build-model.js'
import { type ContentColumn, type ContentModel, type ContentRelation, relationLabel } from '../model/model.js'
import { createSqlContext } from '../model/sql-context.js'
import { readInstance } from '../registry/registry.js'
import { TOOL_VERSION } from '../version.js'
import { linkSelect, recordSelect } from './cell-sql.js'
import { checkReferences } from './check-references.js'
import { checkIdentities, checkValues } from './check-rows.js'
import { cellsOf, type FilledFile, heldColumns, linkedColumns } from './filled-file.js'
import { Findings } from './findings.js'
import { readFileset } from './manifest.js'
import { stageRows } from './stage-rows.js'

export interface FilesetSource {
  /** The folder of the fileset. */
  readonly fileset: string
  /** Gets the archive, a file called like the fileset. */
  readonly folder: string
  readonly onMissing: MissingPolicy
}

/**
 * Makes an archive of a fileset: values read and written by the types of the database at hand, references by the identities of its model. What
 * imports archives imports it then, with the same checks. Returns the archive's path.
 *
 * @throws UnderstudyError `FILESET_INVALID` with everything that is wrong: file, line, column and value
 */
export async function archiveFileset(session: Session, settings: Settings, source: FilesetSource): Promise<string> {
  return await session.transaction({}, async () => {
    await pinSettings(session)
    return await archiveFilesetInTransaction(session, settings, source)
  })
}

/** The same inside the caller's transaction, which has pinned the settings. Temporary tables stay until its end. */
export async function archiveFilesetInTransaction(
  session: Session,
  settings: Settings,
  { fileset, folder, onMissing }: FilesetSource,
): Promise<string> {
  const catalog = await readCatalog(session)
  const { model } = requireModel(catalog, settings)
  const context = createSqlContext(catalog, model, (await readInstance(session))?.id ?? null)
  const findings = new Findings()
  const files: FilledFile[] = []
  for (const [index, file] of (await readFileset(fileset, catalog, model, findings)).entries()) {
    const filled = await stageRows(session, { catalog, context, findings }, file, index + 1)
    if (filled !== null) files.push(filled)
  }
  for (const file of files) await checkValues(session, file, findings)
  const parts = groupByRelation(files, findings)
  findings.refuse(fileset)
  for (const { files: own } of parts) await checkIdentities(session, own, findings)
  if (onMissing === 'fail') await checkReferences(session, context, files, findings)
  findings.refuse(fileset)
  const archive = await createArchive({ path: join(folder, basename(fileset)) })
  return await writeParts(session, archive, parts, {
    tool_version: TOOL_VERSION,
    source: {
      instance: null,
      server_version: String(catalog.serverVersion),
      database: `fileset ${basename(fileset)}`,
    },
    lineage: [],
    migrations: [],
    model: narrowed(model, parts),
    extensions: [],
    selection: { only: [], exclude: [] },
    masks: [],
    warnings: [],
  })
}

/** What a fileset holds of one relation. */
interface Part {
  readonly relation: ContentRelation
  readonly columns: readonly ContentColumn[]
  readonly files: readonly FilledFile[]
  readonly selects: readonly string[]
}

/** All files of a relation must bring the same columns: a column that one of them lacks would be emptied by it. */
function groupByRelation(files: readonly FilledFile[], findings: Findings): Part[] {
  const parts = new Map<string, Part & { readonly first: string }>()
  const add = (part: Omit<Part, 'selects'> & { readonly select: string; readonly first: string }) => {
    const label = relationLabel(part.relation)
    const known = parts.get(label)
    const names = (columns: readonly ContentColumn[]) => columns.map(({ name }) => name)
    const lacking = names(known?.columns ?? []).filter((name) => !names(part.columns).includes(name))
    const additional =
      known === undefined ? [] : names(part.columns).filter((name) => !names(known.columns).includes(name))
    if (lacking.length + additional.length > 0) {
      const column = [...lacking, ...additional].join(', ')
      findings.add(`${part.first}: ${known?.first} and this do not bring the same columns of ${label}: ${column}`)
      return
    }
    const { relation, columns, first } = part
    parts.set(label, {
      relation,
      columns,
      first: known?.first ?? first,
      files: [...(known?.files ?? []), ...part.files],
      selects: [...(known?.selects ?? []), part.select],
    })
  }
  for (const file of files) {
    add({
      relation: file.relation,
      columns: heldColumns(file),
      files: [file],
      select: recordSelect(file),
      first: file.name,
    })
  }
  for (const file of files) {
    for (const heading of cellsOf(file)) {
      if (heading.cell.kind !== 'links') continue
      const { through, leaves } = heading.cell
      const [leaf] = leaves
      if (leaf === undefined) continue
      const select = linkSelect(file, heading, through, leaf)
      add({
        relation: through.relation,
        columns: linkedColumns(through),
        files: [],
        select,
        first: `${file.name}, ${heading.text}`,
      })
    }
  }
  return [...parts.values()]
}

async function writeParts(
  session: Session,
  archive: ArchiveWriter,
  parts: readonly Part[],
  facts: Parameters<ArchiveWriter['finish']>[0],
): Promise<string> {
  try {
    for (const { relation, selects } of parts) {
      await archive.addRelation(
        { schema: relation.schema, name: relation.name, lateSeedColumns: [] },
        linesOf(session, selects),
      )
    }
    return (await archive.finish(facts)).path
  } catch (error) {
    await archive.abort()
    throw error
  }
}

async function* linesOf(session: Session, selects: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const select of selects) yield* session.readLines(select)
}

/** The database's model, the fileset's relations with the columns that it brings: others are left as they are, or get their defaults. */
function narrowed(model: ContentModel, parts: readonly Part[]): ContentModel {
  const columns = new Map(parts.map((part) => [relationLabel(part.relation), part.columns]))
  return {
    relations: model.relations.map((relation) => ({
      ...relation,
      columns: (columns.get(relationLabel(relation)) ?? relation.columns).map((column) => ({
        ...column,
        mask: undefined,
      })),
    })),
  }
}
