import { strictEqual } from 'node:assert/strict'
import { readCatalog } from '../../src/catalog/read-catalog.js'
import type { Settings } from '../../src/config/settings.js'
import type { Database, Lookups, Session } from '../../src/database/port.js'
import { pinSettings } from '../../src/database/settings.js'
import { type LookupRules, ReferenceLookups } from '../../src/export/reference-lookups.js'
import { readSnapshot } from '../../src/export/snapshot.js'
import { requireModel } from '../../src/model/build-model.js'
import { type ContentRelation, relationLabel } from '../../src/model/model.js'
import { createSqlContext, type SqlContext } from '../../src/model/sql-context.js'
import { readInstance } from '../../src/registry/registry.js'
import { bytesOf } from './marked-lines.js'

const ALWAYS: LookupRules = {
  fewestRows: 0,
  share: Number.POSITIVE_INFINITY,
  mostTargetRows: 100_000,
  mostBytes: 1024 * 1024,
}

/**
 * Reads every relation twice, its references looked up here and joined by the server, and throws where a byte differs. Returns the columns that
 * were looked up, `relation.column`.
 */
export async function compareLookups(
  database: Database,
  settings: Settings,
  rules = ALWAYS,
  bytesInAll = 32 * 1024 * 1024,
): Promise<string[]> {
  return await database.withSession(async (session) => {
    const instance = await readInstance(session)
    return await session.transaction({ isolation: 'repeatable read', isReadOnly: true }, async () => {
      await pinSettings(session)
      const catalog = await readCatalog(session)
      const { model } = requireModel(catalog, settings)
      const context = createSqlContext(catalog, model, instance?.id ?? null)
      const references = new ReferenceLookups(context, rules, bytesInAll)
      const lookedUp: string[] = []
      for (const relation of model.relations) {
        const lookups = await references.of(session, relation, { rows: rules.fewestRows, isInOrder: false })
        const joined = await readAll(session, context, relation, new Map())
        strictEqual(await readAll(session, context, relation, lookups), joined, relationLabel(relation))
        lookedUp.push(...[...lookups.keys()].map((column) => `${relationLabel(relation)}.${column}`))
      }
      return lookedUp
    })
  })
}

async function readAll(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
  lookups: Lookups,
): Promise<string> {
  const parts: Buffer[] = []
  for await (const chunk of readSnapshot(session, context, relation, { lookups, signal: undefined })) {
    parts.push(bytesOf(chunk))
  }
  return Buffer.concat(parts).toString()
}
