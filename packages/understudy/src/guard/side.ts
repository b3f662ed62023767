import type { Catalog, Relation } from '../catalog/catalog.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { buildModel } from '../model/build-model.js'
import { type ContentModel, type ContentRelation, findRelation, relationLabel } from '../model/model.js'
import type { ModelSettings } from '../model/settings.js'
import { createSqlContext, type SqlContext } from '../model/sql-context.js'
import { readInstance } from '../registry/registry.js'
import type { Shape, ShapeRelation } from './shape.js'

/** A database before or after a migration, with all that it takes to name its rows. */
export interface Side {
  readonly shape: Shape
  readonly catalog: Catalog
  readonly context: SqlContext
}

/** Reads a side. The settings must be pinned. */
export async function readSide(session: Session, shape: Shape, settings: Settings): Promise<Side> {
  const catalog = await readCatalog(session)
  const instance = await readInstance(session)
  return { shape, catalog, context: createSqlContext(catalog, guardedModel(catalog, settings), instance?.id ?? null) }
}

export function catalogOf(side: Side, { oid }: ShapeRelation): Relation | undefined {
  return side.catalog.relations.find((relation) => relation.oid === oid)
}

export function modelOf(side: Side, relation: ShapeRelation): ContentRelation | undefined {
  return findRelation(side.context.model, relation)
}

/** `events`, `stage.events`: how a word begins. */
export function labelOf(relation: { readonly schema: string; readonly name: string }): string {
  return relationLabel(relation)
}

/**
 * The model of everything: nothing is left out, because an excluded relation can lose rows too, and nothing is masked. What the configuration
 * names and this level of the schema does not have, is passed over.
 */
function guardedModel(catalog: Catalog, settings: Settings): ContentModel {
  const relations = Object.fromEntries(
    Object.entries(settings.relations).map(([name, { exclude: _, mask: __, keep: ___, ...own }]) => [name, own]),
  )
  const all: ModelSettings = { ...settings, schemas: [], exclude: [], relations }
  const built = buildModel(catalog, all)
  const isUsable = !built.problems.some((problem) => problem.includes('in a circle'))
  return (isUsable ? built : buildModel(catalog, { ...all, relations: {}, references: {} })).model
}
