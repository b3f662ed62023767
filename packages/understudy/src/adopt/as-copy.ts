import { readCatalog } from '../catalog/read-catalog.js'
import { quoteLiteral } from '../database/quoting.js'
import { requireModel } from '../model/build-model.js'
import { type ContentRelation, relationLabel } from '../model/model.js'
import { createSqlContext, fromRelation, type SqlContext } from '../model/sql-context.js'
import { localKeyExpression } from '../model/surrogate-sql.js'
import { recordHistory } from '../registry/history.js'
import { createRegistry } from '../registry/registry.js'
import type { Adopted, AdoptedRelation, AdoptRun } from './adopt-database.js'

/**
 * Gives a copy an id of its own. What it holds was born in the original, under the same keys: that is recorded, so that both find their common rows
 * again. The archives that the original had exported are ancestors of the copy, as if it had imported them.
 */
export async function adoptAsCopy({ session, settings, instance }: AdoptRun): Promise<Adopted> {
  await createRegistry(session)
  const catalog = await readCatalog(session)
  const context = createSqlContext(catalog, requireModel(catalog, settings).model, instance.id)
  const relations: AdoptedRelation[] = []
  for (const relation of context.model.relations) {
    if (relation.identity.kind !== 'origin') continue
    const label = relationLabel(relation)
    const adopted = await session.execute(claimRows(context, relation, instance.id))
    await recordHistory(session, label, [instance.id])
    relations.push({ relation: label, adopted, equal: null, known: null, onlyHere: null, onlyInArchive: null })
  }
  await session.execute(
    `update understudy.transfer set direction = 'import', source_instance = $1::uuid where direction = 'export'`,
    [instance.id],
  )
  const [fresh] = await session.query<{ id: string }>(
    `update understudy.instance set id = gen_random_uuid(), fingerprint = $1::text, created_at = now() returning id::text as id`,
    [await session.readFingerprint()],
  )
  if (fresh === undefined) throw new Error('the registry names no instance')
  return { instance: fresh.id, archive: null, relations }
}

/** Rows that came from elsewhere keep the origin that they have. */
function claimRows(context: SqlContext, relation: ContentRelation, original: string): string {
  const label = quoteLiteral(relationLabel(relation))
  const key = localKeyExpression(relation, 's')
  return `insert into understudy.origin (relation, local_key, origin)
          select ${label}, ${key}, ${quoteLiteral(`${original}:`)} || ${key}
            from ${fromRelation(context, relation)} s
          on conflict do nothing`
}
