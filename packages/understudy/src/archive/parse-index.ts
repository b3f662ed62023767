import { createHash } from 'node:crypto'
import { z } from 'zod'
import { UnderstudyError } from '../errors.js'
import type { ContentModel } from '../model/model.js'
import type { ArchiveIndex, FileEntry } from './archive-index.js'
import { isSafeFileName } from './file-names.js'
import { firstFormatIndex } from './first-format.js'
import { FORMAT_VERSION, INDEX_FILE, MAX_ENTRIES, MAX_INDEX_BYTES } from './limits.js'
import { modelSchema } from './model-schema.js'

const MAX_FINDINGS = 20

/**
 * The index of an archive from the text of its `backup-index.json`, checked for shape, for its own checksum and for file names that are safe.
 *
 * @throws UnderstudyError `ARCHIVE_INDEX_INVALID` with every finding, `ARCHIVE_VERSION_1` for the format 1.0.0 of the original plan,
 * `ARCHIVE_VERSION_UNKNOWN` for any other, `ARCHIVE_TOO_LARGE` beyond 64 MiB, `ARCHIVE_DAMAGED` where the checksum differs
 */
export function parseArchiveIndex(text: string): ArchiveIndex {
  if (text.length > MAX_INDEX_BYTES) {
    throw new UnderstudyError('ARCHIVE_TOO_LARGE', `${INDEX_FILE} is longer than ${MAX_INDEX_BYTES} bytes`)
  }
  const value = parseJson(text)
  refuseOtherVersions(value)
  const parsed = indexSchema.safeParse(value)
  if (!parsed.success) {
    throw invalidIndex(parsed.error.issues.map((issue) => `${issue.path.join('.') || 'index'}: ${issue.message}`))
  }
  const findings = fileFindings(parsed.data.files, parsed.data.model)
  if (findings.length > 0) throw invalidIndex(findings)
  if (checksumOf(value as object) !== parsed.data.index_sha256) {
    throw new UnderstudyError('ARCHIVE_DAMAGED', `${INDEX_FILE} differs from its own checksum`, {
      hint: 'The index was changed after it was written. Take another copy of the archive.',
    })
  }
  return parsed.data
}

/**
 * The text of an index: pretty printed, its own checksum last, ends with a newline.
 *
 * @throws UnderstudyError `ARCHIVE_INDEX_INVALID` where a reader would refuse it
 */
export function renderArchiveIndex(index: Omit<ArchiveIndex, 'index_sha256'>): string {
  return `${JSON.stringify({ ...index, index_sha256: checksumOf(index) }, null, 2)}\n`
}

/** Over the compact text without the checksum: white space may change, nothing else. */
function checksumOf(index: object): string {
  const { index_sha256: _, ...rest } = index as Record<string, unknown>
  return createHash('sha256').update(JSON.stringify(rest)).digest('hex')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new UnderstudyError('ARCHIVE_INDEX_INVALID', `${INDEX_FILE} is not JSON`, {
      detail: cause instanceof Error ? cause.message : undefined,
      cause,
    })
  }
}

function refuseOtherVersions(value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidIndex(['index: not an object'])
  const version = 'format_version' in value ? value.format_version : undefined
  if (version === FORMAT_VERSION) return
  if (version === '1.0.0' || (version === undefined && firstFormatIndex.safeParse(value).success)) {
    throw new UnderstudyError('ARCHIVE_VERSION_1', 'the archive has format 1.0.0', {
      detail: 'its references hold ids of the source database, which mean nothing in another',
      hint: 'An import takes it where all that its rows refer to is in it; better export the source again with this version.',
    })
  }
  if (version === undefined) throw invalidIndex(['format_version: missing'])
  throw new UnderstudyError(
    'ARCHIVE_VERSION_UNKNOWN',
    `the archive has format ${JSON.stringify(version).slice(0, 40)}`,
    {
      detail: `this version reads ${FORMAT_VERSION}`,
      hint: 'Use the version of Understudy that wrote it, or a newer one.',
    },
  )
}

/** What shapes cannot say: names that are safe and single, files that the model knows. */
function fileFindings(files: readonly FileEntry[], model: ContentModel): string[] {
  const findings: string[] = []
  const known = new Set(model.relations.map((relation) => JSON.stringify([relation.schema, relation.name])))
  const names = new Set<string>()
  const relations = new Set<string>()
  for (const { file, schema, relation } of files) {
    const key = JSON.stringify([schema, relation])
    if (!isSafeFileName(file) || file === INDEX_FILE)
      findings.push(`files: the name ${JSON.stringify(file)} is not safe`)
    if (names.has(file)) findings.push(`files: ${file} stands twice`)
    if (relations.has(key)) findings.push(`files: the relation ${schema}.${relation} stands twice`)
    if (!known.has(key)) findings.push(`files: the relation ${schema}.${relation} is not in the model`)
    names.add(file)
    relations.add(key)
  }
  return findings
}

function invalidIndex(findings: readonly string[]): UnderstudyError {
  const rest = findings.length - MAX_FINDINGS
  return new UnderstudyError('ARCHIVE_INDEX_INVALID', `${INDEX_FILE} is not a valid index`, {
    detail: [...findings.slice(0, MAX_FINDINGS), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n'),
  })
}

const count = z.int().nonnegative()
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in hexadecimal')
const name = z.string().min(1)

const fileEntry = z.object({
  file: name,
  schema: name,
  relation: name,
  records: count,
  bytes: count,
  sha256,
  content_sha256: sha256,
  late_seed_columns: z.array(name),
  instances: z.array(z.uuid()).optional(),
  offset: count,
  compressed_bytes: count,
})

const indexSchema: z.ZodType<ArchiveIndex> = z.object({
  format_version: z.literal(FORMAT_VERSION),
  id: z.uuid(),
  created_at: z.iso.datetime({ offset: true }),
  tool_version: z.string(),
  source: z.object({ instance: z.uuid().nullable(), server_version: z.string(), database: z.string() }),
  lineage: z.array(
    z.object({ archiveId: z.uuid(), direction: z.enum(['import', 'export']), sourceInstance: z.uuid().nullable() }),
  ),
  migrations: z.array(z.object({ id: name, checksum: z.string() })),
  model: modelSchema,
  extensions: z.array(z.object({ name, version: z.string() })),
  selection: z.object({ only: z.array(z.string()), exclude: z.array(z.string()) }),
  masks: z.array(z.object({ schema: name, relation: name, column: name, expression: z.string() })),
  warnings: z.array(z.string()),
  files: z.array(fileEntry).max(MAX_ENTRIES),
  index_sha256: sha256,
})
