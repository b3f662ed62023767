import type { Catalog } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { type ContentModel, type ContentRelation, relationLabel } from '../model/model.js'
import { createSqlContext, fromRelation, type SqlContext } from '../model/sql-context.js'

/** Columns whose values tell the rows of a relation apart today. No promise for tomorrow's rows. */
export interface KeyProposal {
  readonly relation: string
  readonly columns: readonly string[]
  /** Rows looked at. */
  readonly rows: number
}

const MAX_ROWS = 200_000
const MAX_COLUMNS = 8
const MAX_PROPOSALS = 3

/** Looks at the rows of relations without a natural key, at most 200,000 each, for single columns and pairs without nulls or doubles. */
export async function proposeKeys(session: Session, catalog: Catalog, model: ContentModel): Promise<KeyProposal[]> {
  const context = createSqlContext(catalog, model, null)
  const proposals: KeyProposal[] = []
  for (const relation of model.relations) {
    if (relation.identity.kind === 'key') continue
    proposals.push(...(await profileRelation(session, context, relation)))
  }
  return proposals
}

async function profileRelation(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
): Promise<KeyProposal[]> {
  const candidates = candidateColumns(relation)
  if (candidates.length === 0) return []
  const sets = [...candidates.map((name) => [name]), ...pairsOf(candidates)]
  const counts = sets.map((columns, index) => {
    const list = columns.map(quoteIdentifier)
    const given = list.map((column) => `${column} is not null`).join(' and ')
    return `count(distinct (${list.join(', ')})) filter (where ${given}) as d${index}`
  })
  const [row] = await session.query<Record<string, number>>(
    `select count(*) as rows, ${counts.join(', ')} from (select * from ${fromRelation(context, relation)} limit ${MAX_ROWS}) s`,
  )
  const rows = row?.rows ?? 0
  if (rows < 2) return []
  const unique = sets.filter((_, index) => row?.[`d${index}`] === rows)
  const minimal = unique.filter(
    (set) => !unique.some((other) => other.length < set.length && other.every((name) => set.includes(name))),
  )
  return minimal.slice(0, MAX_PROPOSALS).map((columns) => ({ relation: relationLabel(relation), columns, rows }))
}

/** Short values that people use to tell things apart: texts, numbers, references; not documents, times of writing, or measures. */
function candidateColumns(relation: ContentRelation): string[] {
  const types = /^(text|character varying|character|integer|bigint|smallint|uuid|date|public\.citext)/
  return relation.columns
    .filter((column) => types.test(column.type) && column.mask === undefined)
    .map((column) => column.name)
    .slice(0, MAX_COLUMNS)
}

function pairsOf(names: readonly string[]): string[][] {
  return names.flatMap((first, index) => names.slice(index + 1).map((second) => [first, second]))
}
