import type { DataPackage, Settings } from '../config/settings.js'
import { UnderstudyError } from '../errors.js'
import { toPattern } from '../model/content-relations.js'
import { type RelationName, relationLabel } from '../model/model.js'
import type { ImportMode } from './plan.js'
import { type LoadedSeed, loadSeeds } from './seeds.js'

export interface PackageRange {
  /** The first package and the last, by name or the beginning of one, in either case. Default: all. */
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/** The packages that take part in an import, in their order, and what each of them loads. */
export interface PackageSelection {
  /** Empty where none is configured: then every relation is loaded. */
  readonly packages: readonly LoadedPackage[]
  /** Whether a relation of the archive is loaded. */
  includes(relation: RelationName): boolean
}

/** A package with its scripts, and the labels of the archive's relations that belong to it. */
export interface LoadedPackage extends Omit<DataPackage, 'relations' | 'seeds' | 'after'> {
  readonly relations: ReadonlySet<string>
  readonly seeds: readonly LoadedSeed[]
  readonly after: readonly LoadedSeed[]
}

/**
 * Gives every relation of an archive to its package, chooses the packages of a range, and reads their scripts.
 *
 * @throws UnderstudyError `DATA_PACKAGES_INVALID` where a relation is in none or in several, `SELECTION_UNKNOWN` for a name that no package has,
 * `SEED_INVALID`
 */
export async function selectPackages(
  { dataPackages, root }: Pick<Settings, 'dataPackages' | 'root'>,
  relations: readonly RelationName[],
  mode: ImportMode,
  range: PackageRange,
): Promise<PackageSelection> {
  const chosen = chooseRange(dataPackages, range).filter(({ modes }) => modes.includes(mode))
  if (dataPackages.length === 0) return { packages: [], includes: () => true }
  const assigned = assign(dataPackages, relations)
  const packages: LoadedPackage[] = []
  for (const each of chosen) {
    packages.push({
      ...each,
      relations: assigned.get(each) ?? new Set(),
      seeds: await loadSeeds(each.seeds, mode, root),
      after: await loadSeeds(each.after, mode, root),
    })
  }
  return {
    packages,
    includes: (relation) => packages.some((each) => each.relations.has(relationLabel(relation))),
  }
}

function assign(packages: readonly DataPackage[], relations: readonly RelationName[]): Map<DataPackage, Set<string>> {
  const assigned = new Map(packages.map((each) => [each, new Set<string>()]))
  const patterns = packages.map((each) => ({ each, regexes: each.relations.map(toPattern) }))
  const problems: string[] = []
  for (const relation of relations) {
    const label = relationLabel(relation)
    const names = [relation.name, `${relation.schema}.${relation.name}`]
    const own = patterns.filter(({ regexes }) => regexes.some((regex) => names.some((name) => regex.test(name))))
    const [first] = own
    if (first === undefined) problems.push(`${label}: in no package`)
    else if (own.length > 1) problems.push(`${label}: in ${own.map(({ each }) => each.name).join(' and ')}`)
    else assigned.get(first.each)?.add(label)
  }
  if (problems.length === 0) return assigned
  throw new UnderstudyError('DATA_PACKAGES_INVALID', 'the data packages do not share out the archive’s relations', {
    detail: problems.join('\n'),
    hint: 'Name each relation in exactly one package (`dataPackages.<name>.relations`), or exclude it from the export. An archive of `export --backup` holds more than what travels: `understudy restore` puts it back.',
  })
}

function chooseRange(packages: readonly DataPackage[], { from, to }: PackageRange): readonly DataPackage[] {
  const first = from === undefined ? 0 : positionOf(packages, from)
  const last = to === undefined ? packages.length - 1 : positionOf(packages, to)
  if (first > last && packages.length > 0) {
    throw new UnderstudyError('SELECTION_UNKNOWN', `the range of packages is reversed: ${to} comes before ${from}`, {
      hint: `Their order is ${packages.map(({ name }) => name).join(', ')}.`,
    })
  }
  return packages.slice(first, last + 1)
}

function positionOf(packages: readonly DataPackage[], wanted: string): number {
  const lower = wanted.toLowerCase()
  const exact = packages.findIndex(({ name }) => name.toLowerCase() === lower)
  const beginning = packages.filter(({ name }) => name.toLowerCase().startsWith(lower))
  const [only] = beginning
  if (exact >= 0) return exact
  if (only !== undefined && beginning.length === 1) return packages.indexOf(only)
  throw new UnderstudyError(
    'SELECTION_UNKNOWN',
    beginning.length > 1 ? `several packages begin with ${wanted}` : `there is no data package ${wanted}`,
    {
      hint:
        packages.length === 0
          ? 'The configuration has no data packages (`dataPackages`).'
          : `The packages are ${packages.map(({ name }) => name).join(', ')}.`,
    },
  )
}
