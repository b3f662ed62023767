import type { Catalog } from '../catalog/catalog.js'
import type { RelationConfig } from '../config/define-config.js'
import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { requireModel } from '../model/build-model.js'
import { surrogateColumns } from '../model/choose-identity.js'
import { findConfiguredRelation } from '../model/content-relations.js'
import type { Finding } from '../model/finding.js'
import { fitSettings } from '../model/fit-settings.js'
import { relationLabel } from '../model/model.js'
import { findIdentityProblems } from '../model/preflight.js'
import type { ModelSettings } from '../model/settings.js'
import { createSqlContext } from '../model/sql-context.js'

/** Giving up one identity can lay bare another; each time at least one is given up. */
const MAX_ROUNDS = 10

/**
 * Settings under which every row of a database travels, whatever is wrong with it: nothing is left out or masked, rows that share an identity or lack
 * one are known by their origin, and where a reference points nowhere, be it declared or a foreign key that is not valid, the column's values travel
 * bare, as do those of foreign keys that promise nothing.
 */
export async function backupSettings(
  session: Session,
  catalog: Catalog,
  settings: Settings,
  instance: string | null,
): Promise<BackupSettings> {
  let fitted: BackupSettings = {
    ...fitSettings(catalog, { ...settings, ...withoutLimits(settings) }),
    bareKeys: keysWithoutPromise(catalog),
  }
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { model } = requireModel(catalog, fitted)
    const findings = await findIdentityProblems(session, createSqlContext(catalog, model, instance), model.relations)
    if (findings.length === 0) return fitted
    fitted = giveUp(catalog, fitted, findings)
  }
  return fitted
}

export type BackupSettings = Settings & ModelSettings

/** Foreign keys that no other export can carry over: not enforced, over a period, or on a partition alone. A restore gives every row its own keys back. */
function keysWithoutPromise(catalog: Catalog): Set<number> {
  const keys = catalog.relations.flatMap(({ isPartition, foreignKeys }) =>
    foreignKeys.filter((key) => !key.isEnforced || key.isPeriod || (isPartition && !key.isInherited)),
  )
  return new Set(keys.map(({ oid }) => oid))
}

function withoutLimits(settings: Settings): Pick<Settings, 'schemas' | 'exclude' | 'relations'> {
  const relations = Object.entries(settings.relations).map(
    ([name, { exclude: _, mask: __, keep: ___, ...own }]) => [name, own] as const,
  )
  return { schemas: [], exclude: [], relations: Object.fromEntries(relations) }
}

function giveUp(catalog: Catalog, settings: BackupSettings, findings: readonly Finding[]): BackupSettings {
  const relations: Record<string, RelationConfig> = { ...settings.relations }
  const references = { ...settings.references }
  const bareKeys = new Set(settings.bareKeys)
  const isOf = (name: string, label: string) => {
    const relation = findConfiguredRelation(catalog, name)
    return typeof relation !== 'string' && relationLabel(relation) === label
  }
  const makeBare = (label: string, column: string) => {
    for (const path of Object.keys(references)) {
      // `column`, or `column.field`.
      const table = path.slice(0, -column.length - 1)
      if (path.endsWith(`.${column}`) && isOf(table, label)) delete references[path]
    }
    const relation = catalog.relations.find((each) => relationLabel(each) === label)
    for (const key of relation?.foreignKeys ?? []) if (key.columns.includes(column)) bareKeys.add(key.oid)
  }
  for (const { kind, relation: label, columns } of findings) {
    const name = Object.keys(relations).find((each) => isOf(each, label)) ?? label
    const { owner, ...own } = relations[name] ?? {}
    if (kind === 'dangling reference' || kind === 'no plain list') {
      makeBare(label, columns)
      // What was the row's owner is no row any more.
      if (owner === columns) relations[name] = { ...own, owner: null }
      continue
    }
    relations[name] = { ...own, identity: hasOrigin(catalog, label) ? 'origin' : 'content' }
  }
  return { ...settings, relations, references, bareKeys }
}

function hasOrigin(catalog: Catalog, label: string): boolean {
  const relation = catalog.relations.find((each) => relationLabel(each) === label)
  return relation !== undefined && surrogateColumns(relation, [], null).length > 0
}
