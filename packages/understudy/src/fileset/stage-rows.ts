import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { quoteLiteral } from '../database/quoting.js'
import { CsvError, CsvReader, type CsvRecord, guessDelimiter } from './csv-reader.js'
import { cellsOf, type FilledFile, fillFile, type Heading, type HeadingSource } from './filled-file.js'
import type { FilesetFile } from './manifest.js'

/** A JSON file is handed to the server whole. */
const MAX_JSON_BYTES = 64 * 1024 * 1024
/** After so many bad rows the rest of a file is not looked at. */
const MAX_BAD_ROWS = 20

/**
 * Reads a file into a temporary table `(line, cells)`: the line that a row begins on, and a JSON object of its cells by name, texts but for JSON
 * itself. Null where the file cannot be used, which is a finding then.
 */
export async function stageRows(
  session: Session,
  source: HeadingSource,
  file: FilesetFile,
  number: number,
): Promise<FilledFile | null> {
  const table = `understudy_fileset_${number}`
  await session.execute(`create temporary table ${table} (line bigint, cells text) on commit drop`)
  const filled =
    file.format === 'csv'
      ? await stageCsv(session, source, file, number)
      : await stageJson(session, source, file, number)
  if (filled !== null) await session.execute(`analyze pg_temp.${table}`)
  return filled
}

async function stageCsv(
  session: Session,
  source: HeadingSource,
  file: FilesetFile,
  number: number,
): Promise<FilledFile | null> {
  const { findings } = source
  const before = findings.count
  const batches = csvRecords(file)
  try {
    const first = await batches.next()
    const [heading, ...rest] = first.done === true ? [] : first.value
    if (heading === undefined) {
      findings.add(`${file.name}: is empty; its first line must hold the headings`)
      return null
    }
    const filled = fillFile(
      source,
      file,
      heading.cells.map((cell) => cell ?? ''),
      number,
    )
    if (filled === null) return null
    const lines = stagingLines(filled, rest, batches, source)
    await session.writeLines({ table: filled.stage, columns: ['line', 'cells'] }, lines)
    return findings.count === before ? filled : null
  } catch (error) {
    if (error instanceof CsvError) findings.add(`${file.name}:${error.line}: ${error.message}`)
    else if (error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      findings.add(`${file.name}: is not UTF-8`)
    else throw error
    return null
  }
}

/** The records of a CSV file, the heading first, as many at a time as a piece of the file holds. */
async function* csvRecords(file: FilesetFile): AsyncGenerator<CsvRecord[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let reader: CsvReader | undefined
  let start = ''
  for await (const chunk of createReadStream(file.path, { highWaterMark: 256 * 1024 })) {
    const text: string = decoder.decode(chunk, { stream: true })
    if (reader === undefined) {
      // The first piece may be short; a heading is not.
      start += text
      reader = new CsvReader(file.settings.delimiter ?? guessDelimiter(start))
      yield* nonEmpty(reader.push(start))
    } else yield* nonEmpty(reader.push(text))
  }
  decoder.decode()
  if (reader !== undefined) yield* nonEmpty(reader.end())
}

function* nonEmpty(records: CsvRecord[]): Generator<CsvRecord[]> {
  if (records.length > 0) yield records
}

async function* stagingLines(
  file: FilledFile,
  first: readonly CsvRecord[],
  batches: AsyncGenerator<CsvRecord[]>,
  { findings }: HeadingSource,
): AsyncGenerator<Uint8Array> {
  const constants = file.constants
    .map(({ heading, value }) => `,${JSON.stringify(heading.name)}:${JSON.stringify(value)}`)
    .join('')
  let badRows = 0
  const encode = (records: readonly CsvRecord[]): Uint8Array => {
    const lines: string[] = []
    for (const record of records) {
      // A blank line is a row only where there is one column.
      if (record.cells.length === 1 && record.cells[0] === null && file.headings.length > 1) continue
      const before = findings.count
      const line = badRows < MAX_BAD_ROWS ? stagingLine(file, record, constants, findings) : ''
      if (findings.count > before) badRows++
      else if (line !== '') lines.push(line)
    }
    return Buffer.from(lines.join(''))
  }
  yield encode(first)
  for await (const records of batches) yield encode(records)
}

function stagingLine(
  file: FilledFile,
  { line, cells }: CsvRecord,
  constants: string,
  findings: HeadingSource['findings'],
): string {
  if (cells.length !== file.headings.length) {
    findings.add(`${file.name}:${line}: ${cells.length} cells under ${file.headings.length} headings`)
    return ''
  }
  const parts = file.headings.flatMap((heading, index) => {
    if (heading === null) return []
    const value = cells[index] ?? null
    const place = { file: file.name, line, heading: heading.text }
    if (value?.includes('\0') === true) findings.addValue(place, value, 'PostgreSQL cannot hold the character NUL')
    const json = cellJson(heading, value)
    if (json !== null) return [`"${heading.name}":${json}`]
    findings.addValue(place, value, 'is no JSON')
    return []
  })
  const record = parts.join(',')
  return `${line}\x02{${record === '' ? constants.slice(1) : record + constants}}\n`
}

/** A cell as the staging record holds it; null where it should be JSON and is not. */
function cellJson({ cell }: Heading, value: string | null): string | null {
  if (value === null) return 'null'
  switch (cell.kind) {
    case 'json':
      return embed(value)
    case 'elements':
    case 'links':
      return /^\s*[[{]/.test(value) ? embed(value) : JSON.stringify(splitList(value))
    case 'value': {
      const isJsonArray = cell.column.encoding === 'array' && /^\s*\[(?!\s*-?\d+:)/.test(value)
      return isJsonArray ? embed(value) : JSON.stringify(value)
    }
    default:
      return JSON.stringify(value)
  }
}

/** JSON goes as it stands, so that no number is read; newlines may only stand between its tokens. */
function embed(text: string): string | null {
  try {
    JSON.parse(text)
    return text.replace(/[\r\n\t]/g, ' ')
  } catch {
    return null
  }
}

/** `a, b` -> the two texts. */
function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

async function stageJson(
  session: Session,
  source: HeadingSource,
  file: FilesetFile,
  number: number,
): Promise<FilledFile | null> {
  const { findings } = source
  const records = await readJson(session, source, file)
  if (records === null) return null
  const keys = await session.query<{ key: string }>(
    `select k.key from ${records} e(value, line) cross join lateral json_object_keys(e.value) with ordinality k(key, position)
      group by k.key order by min(e.line), min(k.position)`,
  )
  const texts = keys.map(({ key }) => key).filter((key) => key !== 'master_id')
  const filled = fillFile(source, file, texts, number)
  if (filled === null) return null
  const cells = cellsOf(filled).map((heading) => {
    const constant = filled.constants.find((each) => each.heading === heading)
    const name = quoteLiteral(heading.name)
    if (constant !== undefined)
      return `${name}, ${constant.value === null ? 'null' : quoteLiteral(constant.value)}::text`
    return `${name}, ${jsonCell(heading)}`
  })
  if (findings.count > 0) return filled
  await session.execute(
    `insert into ${filled.stage} select e.line, json_build_object(${cells.join(', ')})::text from ${records} e(value, line)`,
  )
  return filled
}

function jsonCell({ text, cell }: Heading): string {
  const key = quoteLiteral(text)
  const [value, asText] = [`(e.value -> ${key})`, `(e.value ->> ${key})`]
  const isArray = `json_typeof(${value}) = 'array'`
  if (cell.kind === 'json') return value
  if (cell.kind === 'elements' || cell.kind === 'links') {
    const list = `to_json(regexp_split_to_array(nullif(trim(${asText}), ''), '\\s*,\\s*'))`
    return `case when json_typeof(${value}) = 'string' then ${list} else ${value} end`
  }
  const isListed = cell.kind === 'value' && cell.column.encoding === 'array'
  return isListed ? `case when ${isArray} then ${value} else to_json(${asText}) end` : asText
}

/** A FROM item of the records in a JSON file: an array of objects, or a document with an array `records`. */
async function readJson(session: Session, { findings }: HeadingSource, file: FilesetFile): Promise<string | null> {
  const { size } = await stat(file.path)
  if (size > MAX_JSON_BYTES) {
    findings.add(`${file.name}: is longer than ${MAX_JSON_BYTES / 1024 / 1024} MiB; CSV files may be of any length`)
    return null
  }
  const text = decodeWhole(await readFile(file.path))
  if (text === null) {
    findings.add(`${file.name}: is not UTF-8`)
    return null
  }
  const table = `understudy_fileset_json`
  await session.script(`drop table if exists pg_temp.${table}; savepoint understudy_json`)
  try {
    await session.execute(`create temporary table ${table} (document json) on commit drop`)
    await session.execute(`insert into pg_temp.${table} values ($1::json)`, [text])
    await session.script('release savepoint understudy_json')
  } catch (error) {
    const facts = describeSqlError(error)
    if (facts === undefined) throw error
    await session.script('rollback to savepoint understudy_json')
    findings.add(`${file.name}: is no JSON: ${[facts.message, facts.detail].filter(Boolean).join(': ')}`)
    return null
  }
  const records = `json_array_elements((select case json_typeof(document) when 'array' then document else document -> 'records' end from pg_temp.${table})) with ordinality`
  const [shape] = await session.query<{ is_list: boolean; others: number | null }>(
    `select coalesce(json_typeof(case json_typeof(document) when 'array' then document when 'object' then document -> 'records' end) = 'array', false) as is_list
       from pg_temp.${table}`,
  )
  if (shape?.is_list !== true) {
    findings.add(`${file.name}: expected an array of objects`)
    return null
  }
  const bad = await session.query<{ line: number }>(
    `select e.line::int as line from ${records} e(value, line) where json_typeof(e.value) <> 'object' limit 5`,
  )
  for (const { line } of bad) findings.add(`${file.name}:${line}: is no object`)
  return bad.length > 0 ? null : records
}

function decodeWhole(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}
