import { readCatalog } from '../catalog/read-catalog.js'
import type { RelationConfig } from '../config/define-config.js'
import type { Settings } from '../config/settings.js'
import type { Database, Session } from '../database/port.js'
import { pinSettings } from '../database/settings.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { type BuiltModel, buildModel } from '../model/build-model.js'
import { configuredRelations, type LeftOut } from '../model/content-relations.js'
import { type ContentRelation, type Identity, type Reference, relationLabel } from '../model/model.js'
import { catalogRelation, createSqlContext, type SqlContext } from '../model/sql-context.js'
import { readInstance } from '../registry/registry.js'
import { countRows } from './count-rows.js'
import { type KeyProposal, proposeKeys } from './propose-keys.js'
import { findWarnings, type Warning } from './warnings.js'

/** What Understudy makes of a database: the model it would export with, and what is doubtful about it. */
export interface Inspection {
  readonly database: string
  /** Where it is, safe to print. */
  readonly label: string
  readonly serverVersion: number
  /** The instance's uuid, or null where the database has no registry yet. */
  readonly instance: string | null
  /** In order of schema and name. */
  readonly relations: readonly InspectedRelation[]
  readonly cycles: readonly Cycle[]
  /** Relations in the order in which an import writes them, targets first. */
  readonly order: readonly string[]
  readonly leftOut: readonly LeftOut[]
  readonly warnings: readonly Warning[]
  /** What makes an export impossible until it is mended; every one. */
  readonly problems: readonly string[]
  /** With `profile`: keys that the rows themselves suggest, for relations without a natural key. */
  readonly proposals: readonly KeyProposal[]
}

export interface InspectedRelation {
  readonly relation: string
  readonly schema: string
  readonly name: string
  /** Exact where the relation was never analyzed, else the planner's estimate. */
  readonly rows: number
  readonly identity: Identity
  readonly surrogate: readonly string[]
  readonly columns: readonly InspectedColumn[]
  readonly references: readonly InspectedReference[]
}

export interface InspectedReference extends Reference {
  /** Whether a generated column is part of it, which does not travel: the target computes it from other columns. */
  readonly isComputed: boolean
}

export interface InspectedColumn {
  readonly name: string
  readonly type: string
  readonly encoding: string
  /** The SQL expression that is exported in place of the value; null where the value is. */
  readonly mask: string | null
  /** Whether an import leaves the value of a row that is there as it is. */
  readonly isKept: boolean
}

export interface Cycle {
  readonly relations: readonly string[]
  /** How an import binds it, in words. */
  readonly binding: string
}

/** Reads the catalog and tells what the content model is. Writes nothing. With `profile` it also looks at rows. */
export async function inspectDatabase(
  settings: Settings,
  options: DatabaseOptions & { readonly profile?: boolean | undefined } = {},
): Promise<Inspection> {
  return await withDatabase(settings, options, (database) =>
    database.withSession((session) =>
      session.transaction({ isolation: 'repeatable read', isReadOnly: true }, () =>
        session.abortable(options.signal, () => inspectSession(database, session, settings, options.profile === true)),
      ),
    ),
  )
}

async function inspectSession(
  database: Database,
  session: Session,
  settings: Settings,
  withProfile: boolean,
): Promise<Inspection> {
  await pinSettings(session)
  const catalog = await readCatalog(session)
  const built = buildModel(catalog, settings)
  const rows = await countRows(session, catalog, built.model)
  const configured = configuredRelations(catalog, settings)
  const instance = await readInstance(session)
  const context = createSqlContext(catalog, built.model, null)
  return {
    database: catalog.database,
    label: database.label,
    serverVersion: catalog.serverVersion,
    instance: instance?.id ?? null,
    relations: built.model.relations.map((relation) => inspectRelation(relation, { rows, configured, context })),
    cycles: findCycles(built),
    order: built.order.flat(),
    leftOut: built.leftOut,
    warnings: await findWarnings(session, catalog, built.model, settings),
    problems: built.problems,
    proposals: withProfile ? await proposeKeys(session, catalog, built.model) : [],
  }
}

interface Facts {
  readonly rows: ReadonlyMap<string, number>
  readonly configured: ReadonlyMap<string, RelationConfig>
  readonly context: SqlContext
}

function inspectRelation(relation: ContentRelation, { rows, configured, context }: Facts): InspectedRelation {
  const { keep = [] } = configured.get(relationLabel(relation)) ?? {}
  const { columns } = catalogRelation(context, relation)
  const generated = new Set(columns.filter(({ isGenerated }) => isGenerated).map(({ name }) => name))
  return {
    relation: relationLabel(relation),
    schema: relation.schema,
    name: relation.name,
    rows: rows.get(relationLabel(relation)) ?? 0,
    identity: relation.identity,
    surrogate: relation.surrogate,
    columns: relation.columns.map(({ name, type, encoding, mask = null }) => ({
      name,
      type,
      encoding,
      mask,
      isKept: keep.includes(name),
    })),
    references: relation.references.map((reference) => ({
      ...reference,
      isComputed: reference.columns.some((name) => generated.has(name)),
    })),
  }
}

function findCycles({ model, order }: BuiltModel): Cycle[] {
  const selfReferring = new Set(
    model.relations
      .filter((relation) => relation.references.some((each) => relationLabel(each.target) === relationLabel(relation)))
      .map(relationLabel),
  )
  return order.flatMap((component): Cycle[] => {
    const [only] = component
    if (component.length > 1) {
      return [{ relations: component, binding: 'all ids are known first, and one statement writes them all' }]
    }
    if (only === undefined || !selfReferring.has(only)) return []
    return [{ relations: [only], binding: 'all ids are known first, so a row may refer to any other' }]
  })
}
