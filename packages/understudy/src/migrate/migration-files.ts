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
}

export const CHECKSUM_ALGORITHM = 'sha256'

const MIGRATION_NAME = /^(?<id>(?<number>\d{3,})_[a-z0-9][a-z0-9_-]*)\.(?<extension>sql|ts|mts|js|mjs)$/i
const LOOKS_LIKE_ONE = /\.(sql|ts|mts|js|mjs)$/i

/**
 * The migrations of a folder in the order of their numbers. Folders, hidden files and files of other kinds are left alone.
 *
 * Error: MIGRATION_FILES_INVALID with every bad name and every number that two files share.
 */
export async function readMigrations(folder: string): Promise<MigrationFile[]> {
  if (!existsSync(folder))
    throw new UnderstudyError('MIGRATION_FILES_INVALID', 'the migrations folder does not exist', {
      detail: folder,
      hint: 'Make it, or set `migrations.folder` in the configuration.',
    })
  const names = await candidateNames(folder)
  const problems = [...badNames(names), ...sharedNumbers(names)]
  if (problems.length > 0)
    throw new UnderstudyError('MIGRATION_FILES_INVALID', `the migrations folder ${folder} has problems`, {
      detail: problems.join('\n'),
      hint: 'Call migrations NNN_name.sql or NNN_name.ts, each number once.',
    })
  const files = await Promise.all(names.map((name) => readMigration(folder, name)))
  return files.sort((a, b) => a.number - b.number)
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

function sharedNumbers(names: readonly string[]): string[] {
  const byNumber = new Map<string, string[]>()
  for (const name of names) {
    const number = MIGRATION_NAME.exec(name)?.groups?.number
    if (number !== undefined) byNumber.set(number, [...(byNumber.get(number) ?? []), name])
  }
  const shared = [...byNumber].filter(([, group]) => group.length > 1)
  return shared.map(([number, group]) => `${group.join(', ')}: share the number ${number}`)
}

async function readMigration(folder: string, name: string): Promise<MigrationFile> {
  const { id = '', number, extension } = MIGRATION_NAME.exec(name)?.groups ?? {}
  const path = join(folder, name)
  const text = normaliseText(await readFile(path, 'utf8'))
  const checksum = createHash(CHECKSUM_ALGORITHM).update(text).digest('hex')
  return {
    id,
    number: Number(number),
    path,
    kind: extension?.toLowerCase() === 'sql' ? 'sql' : 'module',
    text,
    checksum,
  }
}
