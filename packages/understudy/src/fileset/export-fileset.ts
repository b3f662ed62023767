import { createWriteStream, existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileNameOf } from '../archive/file-names.js'
import { workingPaths } from '../archive/working-files.js'
import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { type ExportOptions, readContentSnapshot } from '../export/export-content.js'
import { decodeExpression } from '../model/encodings.js'
import { recordLines } from '../model/line-sql.js'
import { type ContentRelation, relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import { csvLine } from './csv-writer.js'
import { type Cell, headingsOf } from './headings.js'
import { MANIFEST } from './manifest.js'

export interface FilesetOptions extends Pick<ExportOptions, 'only' | 'exclude' | 'onProgress' | 'signal' | 'database'> {
  /** The folder to be made; it must not hold anything yet. Default: `filesets/<timestamp>` beside the folder of archives. */
  readonly out?: string | undefined
}

export interface FilesetResult {
  readonly path: string
  readonly files: readonly FilesetFileResult[]
  readonly warnings: readonly string[]
  readonly durationMs: number
}

export interface FilesetFileResult {
  readonly relation: string
  readonly file: string
  readonly records: number
  readonly bytes: number
}

/**
 * Exports the content of a database as a fileset: a CSV file for each relation and a `fileset.json`, in one snapshot. What is written comes back
 * equal when it is imported. The folder appears when it is complete.
 *
 * @throws UnderstudyError `ARCHIVE_EXISTS`, `ARCHIVE_WRITE_FAILED`, and those of `exportContent`
 */
export async function exportFileset(settings: Settings, options: FilesetOptions = {}): Promise<FilesetResult> {
  const startedAt = performance.now()
  const timestamp = new Date().toISOString().replace(/[:.]/g, '-')
  const path = options.out ?? join(dirname(settings.archives), 'filesets', timestamp)
  await refuseFilled(path)
  const { partial } = workingPaths(path, undefined)
  try {
    await mkdir(partial, { recursive: true, mode: 0o700 })
    const written = await withDatabase(settings, options, (database) =>
      database.withSession((session) => writeFiles(session, settings, options, partial)),
    )
    await rename(partial, path)
    return { path, ...written, durationMs: Math.round(performance.now() - startedAt) }
  } catch (cause) {
    await rm(partial, { recursive: true, force: true })
    if (cause instanceof UnderstudyError || !isFileError(cause)) throw cause
    throw new UnderstudyError('ARCHIVE_WRITE_FAILED', `cannot write the fileset ${path}`, {
      detail: cause.message,
      cause,
    })
  }
}

async function writeFiles(
  session: Session,
  settings: Settings,
  options: FilesetOptions,
  folder: string,
): Promise<Pick<FilesetResult, 'files' | 'warnings'>> {
  return await readContentSnapshot(session, settings, options, async ({ context, selected, warnings }) => {
    const files: FilesetFileResult[] = []
    const empty: string[] = []
    for (const relation of selected.relations) {
      options.signal?.throwIfAborted()
      if (headingsOf(context, relation).length === 0) empty.push(relationLabel(relation))
      else files.push(await writeRelation(session, context, relation, folder))
    }
    const manifest = { files: Object.fromEntries(files.map(({ file, relation }) => [file, { relation }])) }
    await writeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
    const lost = empty.map((label) => `${label} has no columns that travel, so that a CSV file cannot hold its rows`)
    return { files, warnings: [...warnings, ...lost] }
  })
}

async function writeRelation(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
  folder: string,
): Promise<FilesetFileResult> {
  const file = fileNameOf(relation).replace(/\.json$/, '.csv')
  const headings = headingsOf(context, relation)
  let records = 0
  async function* lines(): AsyncGenerator<string> {
    yield csvLine(headings.map(({ heading }) => heading))
    for await (const rows of textLines(session.readLines(cellSelect(context, relation, headings)))) {
      records += rows.length
      yield rows.map((row) => csvLine(JSON.parse(row))).join('')
    }
  }
  const path = join(folder, file)
  await pipeline(lines, createWriteStream(path, { mode: 0o600 }))
  return { relation: relationLabel(relation), file, records, bytes: (await stat(path)).size }
}

/** The lines that end within each chunk. `readline` would also break at U+2028, which JSON leaves as it is. */
async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder()
  let parts: string[] = []
  for await (const chunk of chunks) {
    const [first = '', ...lines] = decoder.decode(chunk, { stream: true }).split('\n')
    parts.push(first)
    const last = lines.pop()
    if (last === undefined) continue
    yield [parts.join(''), ...lines]
    parts = [last]
  }
}

/** A select of a relation's rows as JSON arrays of texts, a cell each: JavaScript reads no user's number. */
function cellSelect(
  context: SqlContext,
  relation: ContentRelation,
  headings: readonly { readonly heading: string; readonly cell: Cell }[],
): string {
  const keys = [...new Set(headings.map(({ cell }) => keyOf(cell)))]
  const fields = keys.map((key) => `${quoteIdentifier(key)} json`)
  const cells = headings.map(({ cell }) => cellExpression(cell, headings))
  return `select json_build_array(${cells.join(', ')})
            from (${recordLines(context, relation)}) r(line)
           cross join lateral json_to_record(r.line::json) as x(${fields.join(', ')})`
}

function keyOf(cell: Cell): string {
  if (cell.kind === 'own') return cell.key
  return 'column' in cell ? cell.column.key : 'master_id'
}

/** The text of a cell: of a JSON string its characters, of all else the JSON. */
function cellExpression(cell: Cell, headings: readonly { readonly cell: Cell }[]): string {
  const value = `x.${quoteIdentifier(keyOf(cell))}`
  const text = `(${value} #>> '{}')`
  switch (cell.kind) {
    case 'leaf': {
      const isOnly =
        headings.filter((each) => each.cell.kind === 'leaf' && each.cell.column === cell.column).length === 1
      return isOnly ? text : `(${value} ->> ${cell.position})`
    }
    case 'value':
      return cell.column.encoding === 'jsonb'
        ? `(${decodeExpression('jsonb', 'jsonb', `${value}::jsonb`)})::text`
        : text
    case 'elements':
    case 'json':
      return `${value}::text`
    default:
      return text
  }
}

async function refuseFilled(path: string): Promise<void> {
  if (!existsSync(path)) return
  const isFolder = (await stat(path)).isDirectory()
  if (isFolder && (await readdir(path)).length === 0) return
  throw new UnderstudyError('ARCHIVE_EXISTS', `${basename(path)} is there already`, {
    hint: 'Name a folder that does not exist or is empty.',
  })
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
