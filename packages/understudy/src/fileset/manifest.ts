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
  return (await isFolder(path)) && (await readEntries(path)).taken.length > 0
}

/** @throws UnderstudyError `FILESET_INVALID` for a folder, which is no archive, that holds nothing of what makes a fileset */
export async function refuseOtherFolder(path: string): Promise<void> {
  if (!(await isFolder(path))) return
  const { untaken } = await readEntries(path)
  throw new UnderstudyError('FILESET_INVALID', `the folder is no fileset: ${path}`, {
    detail: ['no CSV or JSON file is in it', ...untaken.map(({ name, reason }) => `${name}: ${reason}`)].join('\n'),
    hint: 'A fileset is a folder of CSV or JSON files that are called like their relations: users.csv, shop.orders.json.',
  })
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}

/** The files of a fileset, in order of their names. What fits no relation is a finding. */
export async function readFileset(
  folder: string,
  catalog: Catalog,
  model: ContentModel,
  findings: Findings,
): Promise<FilesetFile[]> {
  const { files: configured = {} } = await readManifest(folder)
  const { taken, untaken } = await readEntries(folder)
  const names = [...taken, ...untaken.map(({ name }) => name)]
  for (const name of Object.keys(configured).filter((each) => !names.includes(each)))
    findings.add(`${MANIFEST}: there is no file ${name}`)
  for (const { name, reason } of untaken) {
    if (!Object.hasOwn(configured, name) || configured[name] !== null)
      findings.add(`${name}: ${reason}; \`${MANIFEST}\` may say null for what to leave out`)
  }
  return taken.flatMap((name): FilesetFile[] => {
    const settings = Object.hasOwn(configured, name) ? configured[name] : {}
    if (settings === null || settings === undefined) return []
    const relation = findTarget(catalog, model, settings.relation ?? name.slice(0, -extname(name).length))
    if (typeof relation === 'string') {
      findings.add(`${name}: ${relation}; \`${MANIFEST}\` may name another, or null for a file to leave out`)
      return []
    }
    const format = extname(name).toLowerCase() === '.csv' ? 'csv' : 'json'
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

interface Entries {
  /** CSV and JSON files, in order of their names. */
  readonly taken: readonly string[]
  /** What somebody may have meant as a file of the fileset, and why it is none. */
  readonly untaken: readonly { readonly name: string; readonly reason: string }[]
}

async function readEntries(folder: string): Promise<Entries> {
  const taken: string[] = []
  const untaken: { name: string; reason: string }[] = []
  for (const name of (await readdir(folder)).sort()) {
    if (name === MANIFEST || BESIDE.test(name)) continue
    const isData = /\.(csv|json)$/i.test(name)
    const facts = await stat(join(folder, name)).catch(() => undefined)
    if (isData && facts?.isFile()) taken.push(name)
    else if (isData) untaken.push({ name, reason: facts === undefined ? 'a link to nothing' : 'not a file' })
    else if (facts?.isFile()) untaken.push({ name, reason: 'neither a CSV nor a JSON file' })
  }
  return { taken, untaken }
}

/** Files that stand beside data everywhere: hidden ones, what describes it, an editor's copies. */
const BESIDE = /^\.|^(readme|license|licence|changelog|makefile|thumbs\.db|desktop\.ini)\b|\.md$|~$/i
