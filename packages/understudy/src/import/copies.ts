import type { Column, Relation } from '../catalog/catalog.js'
import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { useSearchPath } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { copyExpression } from '../model/copy-sql.js'
import type { RelationName } from '../model/model.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'
import { resumeTriggers, suspendTriggers } from './triggers.js'

/** A copy may depend on copies of other rows, as a path on that of the parent: each round brings the values one row further. */
const MAX_ROUNDS = 100

interface Copy {
  readonly label: string
  readonly relation: Relation
  readonly column: Column
  readonly expression: string
}

/**
 * Computes the copies anew where they are not what their expressions say, in the order of the configuration, and again until none changes any
 * more. Returns how many values were written; one that follows others counts each time.
 *
 * @throws UnderstudyError `COPY_UNCOMPUTABLE`
 */
export async function refreshCopies(
  session: Session,
  context: SqlContext,
  isSuspending: (relation: RelationName) => boolean,
): Promise<number> {
  const copies = copiesOf(context)
  let written = 0
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const changed: Copy[] = []
    for (const copy of copies) {
      const values = await refreshCopy(session, context, copy, isSuspending)
      if (values > 0) changed.push(copy)
      written += values
    }
    const [first] = changed
    if (first === undefined) return written
    if (round === MAX_ROUNDS - 1) throw unsettled(first)
  }
  return written
}

function copiesOf(context: SqlContext): Copy[] {
  return [...context.configured].flatMap(([label, { copies = {} }]) => {
    const relation = context.relations.get(label)
    if (relation === undefined) return []
    return Object.entries(copies).flatMap(([name, expression]) => {
      const column = relation.columns.find((each) => each.name === name)
      // That it is missing is for `understudy validate` to say.
      return column === undefined ? [] : [{ label, relation, column, expression }]
    })
  })
}

async function refreshCopy(
  session: Session,
  context: SqlContext,
  { label, relation, column, expression }: Copy,
  isSuspending: (relation: RelationName) => boolean,
): Promise<number> {
  const { value, isStale } = copyExpression(relation, column, expression, 't')
  const from = fromRelation(context, relation)
  await useSearchPath(session, 'own')
  try {
    const [found] = await session.query<{ any: boolean }>(
      `select exists (select from ${from} t where ${isStale}) as any`,
    )
    if (found?.any !== true) return 0
    const suspended = isSuspending(relation) ? await suspendTriggers(session, [relation]) : []
    const written = await session.execute(
      `update ${from} t set ${quoteIdentifier(column.name)} = ${value} where ${isStale}`,
    )
    await resumeTriggers(session, suspended)
    return written
  } catch (cause) {
    throw uncomputable(label, column.name, cause)
  } finally {
    await useSearchPath(session, 'none').catch(() => undefined)
  }
}

function unsettled({ label, column, expression }: Copy): UnderstudyError {
  const message = `${label}.${column.name} cannot be computed: its values still change after ${MAX_ROUNDS} rounds`
  return new UnderstudyError('COPY_UNCOMPUTABLE', message, {
    detail: expression,
    hint: `Nothing was written. Let relations.${label}.copies.${column.name} in the configuration give the same value when it is computed again.`,
  })
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
