import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { useSearchPath } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { copyExpression } from '../model/copy-sql.js'
import type { RelationName } from '../model/model.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'
import { resumeTriggers, suspendTriggers } from './triggers.js'

/**
 * Computes the copies anew where they are not what their expressions say, in the order of the configuration. Returns how many values were
 * written.
 *
 * @throws UnderstudyError `COPY_UNCOMPUTABLE`
 */
export async function refreshCopies(
  session: Session,
  context: SqlContext,
  isSuspending: (relation: RelationName) => boolean,
): Promise<number> {
  let written = 0
  for (const [label, { copies = {} }] of context.configured) {
    const relation = context.relations.get(label)
    if (relation === undefined) continue
    for (const [name, expression] of Object.entries(copies)) {
      const column = relation.columns.find((each) => each.name === name)
      // That it is missing is for `understudy validate` to say.
      if (column === undefined) continue
      const { value, isStale } = copyExpression(relation, column, expression, 't')
      const from = fromRelation(context, relation)
      await useSearchPath(session, 'own')
      try {
        const [found] = await session.query<{ any: boolean }>(
          `select exists (select from ${from} t where ${isStale}) as any`,
        )
        if (found?.any !== true) continue
        const suspended = isSuspending(relation) ? await suspendTriggers(session, [relation]) : []
        written += await session.execute(`update ${from} t set ${quoteIdentifier(name)} = ${value} where ${isStale}`)
        await resumeTriggers(session, suspended)
      } catch (cause) {
        throw uncomputable(label, name, cause)
      } finally {
        await useSearchPath(session, 'none').catch(() => undefined)
      }
    }
  }
  return written
}

function uncomputable(label: string, column: string, cause: unknown): unknown {
  const facts = describeSqlError(cause)
  if (facts === undefined) return cause
  return new UnderstudyError('COPY_UNCOMPUTABLE', `${label}.${column} cannot be computed: ${facts.message}`, {
    detail: facts.detail,
    hint: `Nothing was written. Mend relations.${label}.copies.${column} in the configuration.`,
    cause,
  })
}
