import type { Catalog } from '../catalog/catalog.js'
import type { RelationConfig } from '../config/define-config.js'
import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { requireModel } from '../model/build-model.js'
import { surrogateColumns } from '../model/choose-identity.js'
import { findConfiguredRelation } from '../model/content-relations.js'
import { fitSettings } from '../model/fit-settings.js'
import { relationLabel } from '../model/model.js'
import { type Finding, findIdentityProblems } from '../model/preflight.js'
import { createSqlContext } from '../model/sql-context.js'

/** Giving up one identity can lay bare another; each time at least one is given up. */
const MAX_ROUNDS = 10

/**
 * Settings under which every row of a database travels, whatever is wrong with it: nothing is left out or masked, rows that share an identity or lack
 * one are known by their origin, and a declared reference that points nowhere travels as the bare value that it is.
 */
export async function backupSettings(
  session: Session,
  catalog: Catalog,
  settings: Settings,
  instance: string | null,
): Promise<Settings> {
  let fitted = fitSettings(catalog, { ...settings, ...withoutLimits(settings) })
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { model } = requireModel(catalog, fitted)
    const findings = await findIdentityProblems(session, createSqlContext(catalog, model, instance), model.relations)
    if (findings.length === 0) return fitted
    fitted = giveUp(catalog, fitted, findings)
  }
  return fitted
}

function withoutLimits(settings: Settings): Pick<Settings, 'schemas' | 'exclude' | 'relations'> {
  const relations = Object.entries(settings.relations).map(
    ([name, { exclude: _, mask: __, keep: ___, ...own }]) => [name, own] as const,
  )
  return { schemas: [], exclude: [], relations: Object.fromEntries(relations) }
}

function giveUp(catalog: Catalog, settings: Settings, findings: readonly Finding[]): Settings {
  const relations: Record<string, RelationConfig> = { ...settings.relations }
  const references = { ...settings.references }
  const isOf = (name: string, label: string) => {
    const relation = findConfiguredRelation(catalog, name)
    return typeof relation !== 'string' && relationLabel(relation) === label
  }
  for (const { kind, relation: label, columns } of findings) {
    if (kind === 'dangling reference' || kind === 'no plain list') {
      for (const path of Object.keys(references)) {
        const [table, column] = splitPath(path)
        if (column === columns && isOf(table, label)) delete references[path]
      }
      continue
    }
    const name = Object.keys(relations).find((each) => isOf(each, label)) ?? label
    const { owner: _, ...own } = relations[name] ?? {}
    relations[name] = { ...own, identity: hasOrigin(catalog, label) ? 'origin' : 'content' }
  }
  return { ...settings, relations, references }
}

function hasOrigin(catalog: Catalog, label: string): boolean {
  const relation = catalog.relations.find((each) => relationLabel(each) === label)
  return relation !== undefined && surrogateColumns(relation, [], null).length > 0
}

/** `table.column` and `schema.table.column`, without a field behind. */
function splitPath(path: string): [string, string] {
  const parts = path.split('.')
  return [parts.slice(0, -1).join('.'), parts.at(-1) ?? '']
}
