import type { Catalog } from '../catalog/catalog.js'
import type { ReferenceConfig, RelationConfig } from '../config/define-config.js'
import { findConfiguredRelation, isKnownExclusion } from './content-relations.js'
import { resolveDeclared, resolveNone } from './references.js'
import type { ModelSettings } from './settings.js'

/**
 * The settings as far as this level of the schema has what they name. A configuration describes the newest level; a database before its migrations,
 * and an archive of then, have another.
 */
export function fitSettings<Given extends ModelSettings>(catalog: Catalog, settings: Given): Given {
  const relations = Object.entries(settings.relations).flatMap(([name, own]) => fitRelation(catalog, name, own))
  const references = Object.entries(settings.references).flatMap(([path, own]) => fitReference(catalog, path, own))
  return { ...settings, ...fitLimits(catalog, settings), relations: bare(relations), references: bare(references) }
}

/**
 * `schemas` and `exclude` as far as the catalog has what they name. No schemas at all would mean every schema: where none of those named is there
 * yet, nothing is content.
 */
export function fitLimits(catalog: Catalog, settings: ModelSettings): Pick<ModelSettings, 'schemas' | 'exclude'> {
  const schemas = settings.schemas.filter((name) => catalog.schemas.includes(name))
  if (settings.schemas.length > 0 && schemas.length === 0) return { schemas, exclude: ['*'] }
  return { schemas, exclude: settings.exclude.filter((name) => isKnownExclusion(catalog, name)) }
}

function fitRelation(catalog: Catalog, name: string, own: RelationConfig): [string, RelationConfig][] {
  const relation = findConfiguredRelation(catalog, name)
  if (typeof relation === 'string') return []
  const has = (column: string) => relation.columns.some((each) => each.name === column && !each.isGenerated)
  const { identity, owner, surrogate, mask, keep, ...rest } = own
  const fitted: RelationConfig = {
    ...rest,
    ...(identity === undefined || (Array.isArray(identity) && !identity.every(has)) ? {} : { identity }),
    ...(owner === undefined || (owner !== null && !has(owner)) ? {} : { owner }),
    ...(surrogate?.every(has) ? { surrogate } : {}),
    ...(mask === undefined ? {} : { mask: Object.fromEntries(Object.entries(mask).filter(([column]) => has(column))) }),
    ...(keep === undefined ? {} : { keep: keep.filter(has) }),
  }
  return [[name, fitted]]
}

function fitReference(
  catalog: Catalog,
  path: string,
  own: ReferenceConfig | false,
): [string, ReferenceConfig | false][] {
  if (own === false) return typeof resolveNone(catalog, path) === 'string' ? [] : [[path, own]]
  const exists = (reference: ReferenceConfig) => typeof resolveDeclared(catalog, path, reference) !== 'string'
  if (exists(own)) return [[path, own]]
  if (own.by === undefined) return []
  const to = Object.fromEntries(
    Object.entries(own.to).filter(([when, target]) => exists({ ...own, to: { [when]: target } })),
  )
  return Object.keys(to).length === 0 ? [] : [[path, { ...own, to }]]
}

/** A table may be called `constructor`. */
function bare<Value>(entries: readonly (readonly [string, Value])[]): Readonly<Record<string, Value>> {
  return Object.assign(Object.create(null), Object.fromEntries(entries))
}
