import type { MigrationPackage } from '../config/settings.js'
import { UnderstudyError } from '../errors.js'
import type { MigrationFile } from './migration-files.js'

/** Where no package is configured, all migrations are in this one. */
const ONLY_PACKAGE: MigrationPackage = { name: 'all', title: 'migrations', from: 0, to: Number.POSITIVE_INFINITY }

export function packagesOf(configured: readonly MigrationPackage[]): readonly MigrationPackage[] {
  return configured.length > 0 ? configured : [ONLY_PACKAGE]
}

/**
 * The package of each file, by its id. The configuration has made sure that ranges are disjoint.
 *
 * Error: MIGRATION_FILES_INVALID with every file that is in no package.
 */
export function assignPackages(
  files: readonly MigrationFile[],
  packages: readonly MigrationPackage[],
): ReadonlyMap<string, MigrationPackage> {
  const assigned = new Map<string, MigrationPackage>()
  for (const { id, number } of files) {
    const owner = packages.find(({ from, to }) => from <= number && number <= to)
    if (owner) assigned.set(id, owner)
  }
  const homeless = files.filter(({ id }) => !assigned.has(id))
  if (homeless.length > 0)
    throw new UnderstudyError('MIGRATION_FILES_INVALID', 'migrations are in no package', {
      detail: homeless.map(({ id }) => id).join('\n'),
      hint: 'Widen a range in `migrations.packages` of the configuration, or renumber the file.',
    })
  return assigned
}

export interface PackageRange {
  /** The name of the first package and of the last, in either case; null for no limit. */
  readonly from: string | null
  readonly to: string | null
}

/**
 * The packages of a range, in order.
 *
 * Error: MIGRATION_RANGE_INVALID for a name that does not exist and for a range that runs backwards.
 */
export function selectPackages(
  packages: readonly MigrationPackage[],
  range: PackageRange,
): readonly MigrationPackage[] {
  const first = range.from === null ? 0 : indexOfPackage(packages, range.from)
  const last = range.to === null ? packages.length - 1 : indexOfPackage(packages, range.to)
  if (first > last)
    throw new UnderstudyError('MIGRATION_RANGE_INVALID', `the range from ${range.from} to ${range.to} is reversed`, {
      hint: `The order is ${namesOf(packages)}.`,
    })
  return packages.slice(first, last + 1)
}

function indexOfPackage(packages: readonly MigrationPackage[], name: string): number {
  const index = packages.findIndex((candidate) => candidate.name.toLowerCase() === name.trim().toLowerCase())
  if (index < 0)
    throw new UnderstudyError('MIGRATION_RANGE_INVALID', `no migration package is called ${name}`, {
      hint: `There are: ${namesOf(packages)}.`,
    })
  return index
}

function namesOf(packages: readonly MigrationPackage[]): string {
  return packages.map(({ name }) => name).join(', ')
}
