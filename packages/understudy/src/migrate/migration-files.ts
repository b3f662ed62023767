import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UnderstudyError } from '../errors.js'

export interface MigrationFile {
  /** The file's name without its extension, such as `019_serial_ids`: the key of the ledger. */
  readonly id: string
  readonly number: number
  readonly path: string
  readonly kind: 'sql' | 'module'
  /** With `\n` between lines, whatever the file has: a checkout on Windows is the same migration. */
  readonly text: string
  /** Of `text`, by CHECKSUM_ALGORITHM. */
  readonly checksum: string
  /** `NNN_name.down.sql` beside an SQL file, or null. It is not part of the checksum: it has not been run. */
  readonly downFile: { readonly path: string; readonly text: string } | null
}

export interface ReadMigrationsOptions {
  /** Overrides, such as `duplicate:005`: two files may share that number, and run in the order of their names. */
  readonly allow?: readonly string[] | undefined
}

export const CHECKSUM_ALGORITHM = 'sha256'

const MIGRATION_NAME = /^(?<id>(?<number>\d{3,})_[a-z0-9][a-z0-9_-]*)\.(?<extension>sql|ts|mts|js|mjs)$/i
const DOWN_NAME = /^(?<id>\d{3,}_[a-z0-9][a-z0-9_-]*)\.down\.sql$/i
const LOOKS_LIKE_ONE = /\.(sql|ts|mts|js|mjs)$/i

/**
 * The migrations of a folder in the order of their numbers. Folders, hidden files and files of other kinds are left alone.
 *
 * Error: MIGRATION_FILES_INVALID with every bad name and every number that two files share.
 */
export async function readMigrations(folder: string, options: ReadMigrationsOptions = {}): Promise<MigrationFile[]> {
  if (!existsSync(folder))
    throw new UnderstudyError('MIGRATION_FILES_INVALID', 'the migrations folder does not exist', {
      detail: folder,
      hint: 'Make it, or set `migrations.folder` in the configuration.',
    })
  const candidates = await candidateNames(folder)
  const downs = candidates.filter((name) => DOWN_NAME.test(name))
  const names = candidates.filter((name) => !DOWN_NAME.test(name))
  const problems = [...badNames(names), ...lonelyDowns(downs, names), ...sharedNumbers(names, options.allow ?? [])]
  if (problems.length > 0)
    throw new UnderstudyError('MIGRATION_FILES_INVALID', `the migrations folder ${folder} has problems`, {
      detail: problems.join('\n'),
      hint: 'Call migrations NNN_name.sql or NNN_name.ts, each number once.',
    })
  const files = await Promise.all(names.map((name) => readMigration(folder, name, downs)))
  return files.sort((a, b) => a.number - b.number || (a.id < b.id ? -1 : 1))
}

/** What the checksum of a migration is taken of. */
export function normaliseText(text: string): string {
  return text.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n')
}

async function candidateNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const files = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
  return files
    .map((file) => file.name)
    .filter((name) => LOOKS_LIKE_ONE.test(name) && !name.endsWith('.d.ts'))
    .sort()
}

function badNames(names: readonly string[]): string[] {
  return names.filter((name) => !MIGRATION_NAME.test(name)).map((name) => `${name}: not called NNN_name`)
}

function lonelyDowns(downs: readonly string[], names: readonly string[]): string[] {
  const scripts = new Set(names.map((name) => name.replace(/\.sql$/i, '')))
  return downs
    .filter((name) => !scripts.has(idOf(name, DOWN_NAME)))
    .map((name) => `${name}: there is no ${idOf(name, DOWN_NAME)}.sql that it could take back`)
}

function sharedNumbers(names: readonly string[], allowed: readonly string[]): string[] {
  const byNumber = new Map<number, string[]>()
  for (const name of names) {
    const number = MIGRATION_NAME.exec(name)?.groups?.number
    if (number !== undefined) byNumber.set(Number(number), [...(byNumber.get(Number(number)) ?? []), name])
  }
  return [...byNumber].flatMap(([number, group]) => {
    const digits = String(number).padStart(3, '0')
    const problem = `${group.join(', ')}: share the number ${digits}`
    // The ledger knows a migration by its id, so that no word helps here.
    if (new Set(group.map((name) => idOf(name, MIGRATION_NAME))).size < group.length) return [`${problem} and the name`]
    if (group.length === 1 || allowed.includes(`duplicate:${digits}`)) return []
    return [`${problem}; to run both: --allow-drift duplicate:${digits}`]
  })
}

function idOf(name: string, pattern: RegExp): string {
  return pattern.exec(name)?.groups?.id ?? name
}

async function readMigration(folder: string, name: string, downs: readonly string[]): Promise<MigrationFile> {
  const { id = '', number, extension } = MIGRATION_NAME.exec(name)?.groups ?? {}
  const path = join(folder, name)
  const text = normaliseText(await readFile(path, 'utf8'))
  const down = downs.find((candidate) => idOf(candidate, DOWN_NAME) === id)
  return {
    id,
    number: Number(number),
    path,
    kind: extension?.toLowerCase() === 'sql' ? 'sql' : 'module',
    text,
    checksum: createHash(CHECKSUM_ALGORITHM).update(text).digest('hex'),
    downFile: down === undefined ? null : await readDown(join(folder, down)),
  }
}

async function readDown(path: string): Promise<NonNullable<MigrationFile['downFile']>> {
  return { path, text: normaliseText(await readFile(path, 'utf8')) }
}
