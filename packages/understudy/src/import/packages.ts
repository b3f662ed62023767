import type { DataPackage, Settings } from '../config/settings.js'
import { UnderstudyError } from '../errors.js'
import { toPattern } from '../model/content-relations.js'
import { type RelationName, relationLabel } from '../model/model.js'
import type { ImportMode } from './plan.js'

export interface PackageRange {
  /** The first package and the last, by name or the beginning of one, in either case. Default: all. */
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/** The packages that take part in an import, in their order, and what each of them loads. */
export interface PackageSelection {
  /** Empty where none is configured: then every relation is loaded. */
  readonly packages: readonly DataPackage[]
  /** Whether a relation of the archive is loaded. */
  includes(relation: RelationName): boolean
  /** The package of a relation, by its label. */
  readonly packageOf: ReadonlyMap<string, DataPackage>
}

/**
 * Gives every relation of an archive to its package, and chooses the packages of a range.
 *
 * @throws UnderstudyError `DATA_PACKAGES_INVALID` where a relation is in none or in several, `SELECTION_UNKNOWN` for a name that no package has
 */
export function selectPackages(
  { dataPackages }: Pick<Settings, 'dataPackages'>,
  relations: readonly RelationName[],
  mode: ImportMode,
  range: PackageRange = {},
): PackageSelection {
  const chosen = chooseRange(dataPackages, range).filter(({ modes }) => modes.includes(mode))
  if (dataPackages.length === 0) return { packages: [], packageOf: new Map(), includes: () => true }
  const packageOf = assign(dataPackages, relations)
  return {
    packages: chosen,
    packageOf,
    includes: (relation) => chosen.some((each) => each === packageOf.get(relationLabel(relation))),
  }
}

function assign(packages: readonly DataPackage[], relations: readonly RelationName[]): Map<string, DataPackage> {
  const packageOf = new Map<string, DataPackage>()
  const problems: string[] = []
  const patterns = packages.map((each) => ({ each, regexes: each.relations.map(toPattern) }))
  for (const relation of relations) {
    const label = relationLabel(relation)
    const names = [relation.name, `${relation.schema}.${relation.name}`]
    const own = patterns.filter(({ regexes }) => regexes.some((regex) => names.some((name) => regex.test(name))))
    const [first] = own
    if (first === undefined) problems.push(`${label}: in no package`)
    else if (own.length > 1) problems.push(`${label}: in ${own.map(({ each }) => each.name).join(' and ')}`)
    else packageOf.set(label, first.each)
  }
  if (problems.length === 0) return packageOf
  throw new UnderstudyError('DATA_PACKAGES_INVALID', 'the data packages do not share out the archive’s relations', {
    detail: problems.join('\n'),
    hint: 'Name each relation in exactly one package (`dataPackages.<name>.relations`), or exclude it from the export.',
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
