import { z } from 'zod'
import { UnderstudyError } from '../errors.js'
import { damaged, openArchiveFile, tarBytes } from './archive-bytes.js'
import { INDEX_FILE, MAX_FIRST_FORMAT_BYTES } from './limits.js'
import { refused, tarEntries } from './tar-entries.js'

/** An archive of format 1.0.0, whole in memory. */
export interface FirstFormatArchive {
  /** ISO 8601 where the index has a time, else null. */
  readonly createdAt: string | null
  readonly documents: readonly FirstFormatDocument[]
}

/** One table's rows as `JSON.stringify` wrote what the driver gave. */
export interface FirstFormatDocument {
  readonly table: string
  readonly records: readonly Readonly<Record<string, unknown>>[]
  /** Where the rows name their parent by `_parent_xmlid` in place of the column `parent_key`. */
  readonly parent_table?: string | undefined
  readonly parent_key?: string | undefined
}

/** What the index of such an archive looks like; it says nothing of its format. */
export const firstFormatIndex = z.object({
  created_at: z.string(),
  tables: z.array(z.string()),
  files: z.record(z.string(), z.string()),
})

const document = z.object({
  table: z.string().min(1),
  version: z.literal('1.0.0'),
  record_count: z.int().nonnegative(),
  parent_table: z.string().optional(),
  parent_key: z.string().optional(),
  records: z.array(z.record(z.string(), z.unknown())),
})

/**
 * Reads an archive of the first format: `backup-index.json` and a `<table>.json` for each of its tables. It has no checksums; counts are
 * compared.
 *
 * @throws UnderstudyError `ARCHIVE_DAMAGED`, `ARCHIVE_ENTRY_REFUSED`, `ARCHIVE_TOO_LARGE`, `ARCHIVE_NOT_FOUND`, `ARCHIVE_NOT_RECOGNISED`
 */
export async function readFirstFormat(
  path: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<FirstFormatArchive> {
  const file = await openArchiveFile(path)
  try {
    const texts = new Map<string, string>()
    const bytes = tarBytes(file, { maxBytes: 2 * MAX_FIRST_FORMAT_BYTES, signal: options.signal })
    for await (const entry of tarEntries(path, bytes)) {
      if (entry.bytes > MAX_FIRST_FORMAT_BYTES) {
        throw new UnderstudyError(
          'ARCHIVE_TOO_LARGE',
          `${entry.name} of ${path} is longer than ${MAX_FIRST_FORMAT_BYTES} bytes`,
          {
            detail: 'a document of format 1.0.0 is read whole',
          },
        )
      }
      const chunks: Buffer[] = []
      for await (const chunk of entry.chunks) chunks.push(chunk)
      texts.set(entry.name, Buffer.concat(chunks).toString('utf8'))
    }
    return assemble(path, texts)
  } finally {
    await file.handle.close()
  }
}

function assemble(path: string, texts: Map<string, string>): FirstFormatArchive {
  const index = parse(path, INDEX_FILE, texts.get(INDEX_FILE), firstFormatIndex)
  texts.delete(INDEX_FILE)
  const documents = index.tables.map((table) => {
    const name = `${table}.json`
    const text = texts.get(name)
    if (text === undefined) throw refused(path, name, 'is missing')
    texts.delete(name)
    const parsed = parse(path, name, text, document)
    if (parsed.table !== table) throw damaged({ path }, `${name} says that it is ${parsed.table}`)
    if (parsed.records.length !== parsed.record_count)
      throw damaged(
        { path },
        `${name}: ${parsed.record_count} records are announced, ${parsed.records.length} are there`,
      )
    return parsed
  })
  const [unknown] = texts.keys()
  if (unknown !== undefined) throw refused(path, unknown, 'is not in the index')
  return { createdAt: timeOf(index.created_at), documents }
}

function parse<T>(path: string, name: string, text: string | undefined, schema: z.ZodType<T>): T {
  let value: unknown
  try {
    value = JSON.parse(text ?? '')
  } catch (error) {
    throw damaged({ path }, `${name} is not JSON: ${error instanceof Error ? error.message : error}`)
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw damaged(
    { path },
    parsed.error.issues.map((issue) => `${name}: ${issue.path.join('.')}: ${issue.message}`).join('\n'),
  )
}

/** `2025-11-09T10-30-00-000Z`, as file names have it, or with colons. */
function timeOf(text: string): string | null {
  const iso = text.replace(/T(\d\d)-(\d\d)-(\d\d)-(\d+)Z$/, 'T$1:$2:$3.$4Z')
  const time = new Date(iso)
  return Number.isNaN(time.getTime()) ? null : time.toISOString()
}
