import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { z } from 'zod'
import type { Catalog } from '../catalog/catalog.js'
import { didYouMean } from '../config/did-you-mean.js'
import { UnderstudyError } from '../errors.js'
import { findConfiguredRelation } from '../model/content-relations.js'
import { type ContentModel, type ContentRelation, findRelation, relationLabel } from '../model/model.js'
import type { Findings } from './findings.js'

export const MANIFEST = 'fileset.json'

/** What `fileset.json` may say of one file. */
const fileSchema = z.strictObject({
  /** `table` or `schema.table`. Default: the file's name without its extension. */
  relation: z.string().min(1).optional(),
  /** By heading, a value that every row gets. */
  constants: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  /** By heading of the file: the heading that is meant, a relation through which its rows are linked, or null for a column to ignore. */
  columns: z.record(z.string(), z.union([z.string(), z.null(), z.strictObject({ through: z.string() })])).optional(),
  delimiter: z.string().length(1).optional(),
})

const manifestSchema = z.strictObject({
  files: z.record(z.string(), fileSchema.nullable()).optional(),
})

export type FileSettings = z.infer<typeof fileSchema>

/** One file of a fileset and the relation that it fills. */
export interface FilesetFile {
  readonly name: string
  readonly path: string
  readonly format: 'csv' | 'json'
  readonly relation: ContentRelation
  readonly settings: FileSettings
}

/** Whether a path is a fileset rather than an archive: a folder with a manifest, or with CSV or JSON files. */
export async function isFileset(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => undefined)
  return facts?.isDirectory() === true && (await dataFiles(path)).length > 0
}

/** The files of a fileset, in order of their names. What fits no relation is a finding. */
export async function readFileset(
  folder: string,
  catalog: Catalog,
  model: ContentModel,
  findings: Findings,
): Promise<FilesetFile[]> {
  const { files: configured = {} } = await readManifest(folder)
  const names = await dataFiles(folder)
  for (const name of Object.keys(configured).filter((each) => !names.includes(each)))
    findings.add(`${MANIFEST}: there is no file ${name}`)
  return names.flatMap((name): FilesetFile[] => {
    const settings = Object.hasOwn(configured, name) ? configured[name] : {}
    if (settings === null || settings === undefined) return []
    const relation = findTarget(catalog, model, settings.relation ?? name.slice(0, -extname(name).length))
    if (typeof relation === 'string') {
      findings.add(`${name}: ${relation}; \`${MANIFEST}\` may name another, or null for a file to leave out`)
      return []
    }
    const format = extname(name) === '.csv' ? 'csv' : 'json'
    return [{ name, path: join(folder, name), format, relation, settings }]
  })
}

/** The content relation of a name, or what is wrong with it. */
export function findTarget(catalog: Catalog, model: ContentModel, name: string): ContentRelation | string {
  const found = findConfiguredRelation(catalog, name)
  if (typeof found !== 'string') return findRelation(model, found) ?? `${name} is not content`
  const guess = didYouMean(name, model.relations.map(relationLabel))
  return guess === undefined ? found : `${found}, perhaps ${guess}`
}

async function readManifest(folder: string): Promise<z.infer<typeof manifestSchema>> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}'
    throw error
  })
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw invalidManifest(folder, [cause instanceof Error ? cause.message : String(cause)])
  }
  const parsed = manifestSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalidManifest(
    folder,
    parsed.error.issues.map((issue) => `${issue.path.map(String).join('.') || MANIFEST}: ${issue.message}`),
  )
}

function invalidManifest(folder: string, problems: readonly string[]): UnderstudyError {
  return new UnderstudyError('FILESET_INVALID', `${join(folder, MANIFEST)} cannot be read`, {
    detail: problems.join('\n'),
  })
}

async function dataFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && /\.(csv|json)$/.test(entry.name) && entry.name !== MANIFEST)
    .map(({ name }) => name)
    .sort()
}
