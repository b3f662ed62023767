import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MigrationPackage, Settings } from '../config/settings.js'
import { UnderstudyError } from '../errors.js'
import { type MigrationFile, readMigrations } from './migration-files.js'
import { assignPackages, packagesOf, selectPackages } from './packages.js'

export interface NewMigrationOptions {
  /** Words or a slug: `add event tags`. */
  readonly name: string
  /** The package, in either case. Default: that of the last file. */
  readonly package?: string | undefined
  /** Default `sql`. */
  readonly kind?: 'sql' | 'ts' | undefined
}

export interface NewMigration {
  readonly id: string
  readonly path: string
  readonly package: string
  /** Files that it comes before: where one of them is applied, this one counts as inserted. */
  readonly before: readonly string[]
}

/**
 * Writes a new migration file with the next free number of its package.
 *
 * Errors: MIGRATION_RANGE_INVALID for an unknown or full package; USAGE for a name without letters; MIGRATION_FILES_INVALID.
 */
export async function newMigration(settings: Settings, options: NewMigrationOptions): Promise<NewMigration> {
  const { folder } = settings.migrations
  await mkdir(folder, { recursive: true })
  const files = await readMigrations(folder)
  const chosen = choosePackage(packagesOf(settings.migrations.packages), files, options.package)
  const number = nextNumber(chosen, files)
  const id = `${String(number).padStart(3, '0')}_${slugOf(options.name)}`
  const kind = options.kind ?? 'sql'
  const path = join(folder, `${id}.${kind}`)
  // Never over a file that somebody else has made meanwhile.
  await writeFile(path, kind === 'sql' ? sqlTemplate(options.name) : moduleTemplate(options.name), { flag: 'wx' })
  return { id, path, package: chosen.name, before: files.filter((file) => file.number > number).map((file) => file.id) }
}

function choosePackage(
  packages: readonly MigrationPackage[],
  files: readonly MigrationFile[],
  name: string | undefined,
): MigrationPackage {
  if (name !== undefined) return selectPackages(packages, { from: name, to: name })[0] as MigrationPackage
  const last = files.at(-1)
  return (last && assignPackages(files, packages).get(last.id)) ?? (packages[0] as MigrationPackage)
}

function nextNumber({ name, from, to }: MigrationPackage, files: readonly MigrationFile[]): number {
  const taken = files.map(({ number }) => number).filter((number) => from <= number && number <= to)
  const next = taken.length === 0 ? from : Math.max(...taken) + 1
  if (next <= to) return next
  throw new UnderstudyError('MIGRATION_RANGE_INVALID', `package ${name} is full: its range ends with ${to}`, {
    hint: 'Choose another package, or widen its range in the configuration.',
  })
}

function slugOf(name: string): string {
  const plain = name
    .normalize('NFD')
    .replaceAll(/\p{Mark}/gu, '')
    .replaceAll('ß', 'ss')
    .toLowerCase()
  const slug = plain.replaceAll(/[^a-z0-9-]+/g, '_').replaceAll(/^[_-]+|_+$/g, '')
  if (slug !== '') return slug
  throw new UnderstudyError('USAGE', 'a migration wants a name with letters', {
    hint: 'Say what it does: `understudy migrate new add_event_tags`',
  })
}

function sqlTemplate(name: string): string {
  return `-- migrate: description ${name}

`
}

function moduleTemplate(name: string): string {
  return `import { defineMigration } from 'understudy'

export default defineMigration({
  description: ${JSON.stringify(name)},
  async up(db) {
    await db.execute(\`
    \`)
  },
})
`
}
