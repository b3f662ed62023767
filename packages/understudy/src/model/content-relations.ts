import type { Catalog, Relation } from '../catalog/catalog.js'
import type { RelationConfig } from '../config/define-config.js'
import { didYouMean } from '../config/did-you-mean.js'
import { relationLabel } from './model.js'
import type { ModelSettings } from './settings.js'

/** A relation of the catalog that is content, with what the configuration says about it. */
export interface Candidate {
  readonly relation: Relation
  readonly label: string
  readonly settings: RelationConfig
}

/** A relation that never travels, and why. */
export interface LeftOut {
  readonly label: string
  readonly reason: string
}

/** Splits the catalog into content and the rest. Unknown names in the configuration become problems. */
export function selectContentRelations(
  catalog: Catalog,
  settings: ModelSettings,
  problems: string[],
): { candidates: Candidate[]; leftOut: LeftOut[] } {
  const configured = resolveRelationSettings(catalog, settings, problems)
  problems.push(...unknownNames(catalog, settings))
  const excluded = settings.exclude.map(toPattern)
  const candidates: Candidate[] = []
  const leftOut: LeftOut[] = []
  for (const relation of catalog.relations) {
    const label = relationLabel(relation)
    const own = configured.get(relation.oid) ?? {}
    const reason = reasonToLeaveOut(relation, settings, own, excluded)
    if (reason === null) candidates.push({ relation, label, settings: own })
    else if (reason !== '') leftOut.push({ label, reason })
  }
  return { candidates, leftOut }
}

/**
 * A misspelt schema would let nothing travel, and a misspelt exclusion everything. A pattern may match nothing, and what is excluded may stand in
 * another database that the configuration serves: only what looks like a relation of this one is taken for misspelt.
 */
function unknownNames(catalog: Catalog, settings: ModelSettings): string[] {
  const labels = catalog.relations.map(relationLabel)
  const schemas = settings.schemas
    .filter((name) => !catalog.schemas.includes(name))
    .map((name) => {
      const guess = didYouMean(name, catalog.schemas)
      return `schemas: there is no schema ${name}${guess === undefined ? '' : `, perhaps ${guess}`}`
    })
  const exclude = settings.exclude
    .filter((name) => !isKnownExclusion(catalog, name))
    .flatMap((name) => {
      const guess = didYouMean(name, labels)
      return guess === undefined ? [] : [`exclude: there is no relation ${name}, perhaps ${guess}`]
    })
  return [...schemas, ...exclude]
}

/** Whether an exclusion is a pattern, or names a relation. */
export function isKnownExclusion(catalog: Catalog, name: string): boolean {
  return name.includes('*') || catalog.relations.some((relation) => namesOf(relation).includes(name))
}

/** Finds the one relation of a configured name, `table` or `schema.table`; a bare name may be in any schema, if in only one. */
export function findConfiguredRelation(catalog: Catalog, name: string): Relation | string {
  const exact = catalog.relations.filter(
    (relation) => `${relation.schema}.${relation.name}` === name || relationLabel(relation) === name,
  )
  if (exact[0] !== undefined) return exact[0]
  const bare = catalog.relations.filter((relation) => relation.name === name)
  if (bare.length === 1 && bare[0] !== undefined) return bare[0]
  if (bare.length > 1)
    return `${name} is ambiguous: ${bare.map((relation) => `${relation.schema}.${relation.name}`).join(', ')}`
  return `there is no relation ${name}`
}

export function resolveRelationSettings(
  catalog: Catalog,
  settings: ModelSettings,
  problems: string[],
): Map<number, RelationConfig> {
  const resolved = new Map<number, RelationConfig>()
  for (const [name, own] of Object.entries(settings.relations)) {
    const relation = findConfiguredRelation(catalog, name)
    if (typeof relation === 'string') problems.push(`relations.${name}: ${relation}`)
    else resolved.set(relation.oid, own)
  }
  return resolved
}

/** What the configuration says about single relations, by label. */
export function configuredRelations(catalog: Catalog, settings: ModelSettings): Map<string, RelationConfig> {
  const resolved = resolveRelationSettings(catalog, settings, [])
  return new Map(
    catalog.relations.flatMap((relation) => {
      const own = resolved.get(relation.oid)
      return own === undefined ? [] : [[relationLabel(relation), own] as const]
    }),
  )
}

/** The reason, an empty text for what nobody expects to travel, or null for content. */
function reasonToLeaveOut(
  relation: Relation,
  settings: ModelSettings,
  own: RelationConfig,
  excluded: readonly RegExp[],
): string | null {
  if (settings.schemas.length > 0 && !settings.schemas.includes(relation.schema)) return ''
  if (relation.isPartition) return ''
  if (relation.kind === 'view' || relation.kind === 'materialized view') return ''
  if (relation.isTemporary) return 'temporary'
  if (relation.isExtensionMember) return 'belongs to an extension'
  if (relation.kind === 'foreign table') return 'foreign table'
  if (own.exclude === true) return 'excluded by the configuration'
  if (excluded.some((pattern) => namesOf(relation).some((name) => pattern.test(name))))
    return 'excluded by the configuration'
  return null
}

function namesOf(relation: Relation): string[] {
  return [relation.name, `${relation.schema}.${relation.name}`]
}

export function toPattern(name: string): RegExp {
  const escaped = name.replace(/[\\^$.|?+()[\]{}]/g, '\\$&').replaceAll('*', '.*')
  return new RegExp(`^${escaped}$`)
}
