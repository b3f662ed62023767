import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { identitySelect } from '../model/identity-sql.js'
import { leavesOf } from '../model/leaves.js'
import { type ContentRelation, relationLabel } from '../model/model.js'
import { catalogRelation, fromRelation, type SqlContext } from '../model/sql-context.js'

/** A relation some of whose rows have no identity. */
export interface NullIdentities {
  readonly relation: ContentRelation
  readonly label: string
  /** Temporary, for the values that its rows will get. */
  readonly fillTable: string
  readonly column: string
  /** The column's type, as the catalog writes it. */
  readonly type: string
  /** Whether the column holds a plain value of its own, which can be filled; false for a reference to another row. */
  readonly canBeFilled: boolean
  readonly rows: number
  readonly rowsWithout: number
  /** Up to five of the rows without, by their key: `id 7`. */
  readonly samples: readonly string[]
}

const MAX_SAMPLES = 5

/** The relations whose identity is one column that may be null, and is, in order of schema and name. */
export async function findNullIdentities(session: Session, context: SqlContext): Promise<NullIdentities[]> {
  const found: NullIdentities[] = []
  for (const relation of context.model.relations) {
    const leaves = leavesOf(context.model, relation)
    const [column] = relation.identity.kind === 'key' ? relation.identity.columns : []
    if (column === undefined || leaves.length !== 1 || leaves[0]?.isNullable !== true) continue
    const counts = await countNulls(session, context, relation)
    if (counts.rowsWithout === 0) continue
    const type = catalogRelation(context, relation).columns.find((each) => each.name === column)?.type ?? 'text'
    const isPlain = relation.columns.find((each) => each.name === column)?.translation === undefined
    const fillTable = `understudy_identify_${found.length}`
    found.push({ relation, label: relationLabel(relation), fillTable, column, type, canBeFilled: isPlain, ...counts })
  }
  return found
}

async function countNulls(
  session: Session,
  context: SqlContext,
  relation: ContentRelation,
): Promise<{ rows: number; rowsWithout: number; samples: string[] }> {
  const handle = handleOf(context, relation)
  const sample = handle.map((name, index) => `${quoteText(`${name} `)} || i.t${index + 1}::text`).join(` || ', ' || `)
  const rows = await session.query<{ sample: string; without: number; rows: number }>(
    `select ${sample} as sample, count(*) over () as without,
            (select count(*) from ${fromRelation(context, relation)}) as rows
       from (${identitySelect(context, relation, handle)}) i
      where i.l1 is null
      order by ${handle.map((_, index) => `i.t${index + 1}`).join(', ')}
      limit ${MAX_SAMPLES}`,
  )
  return {
    rows: rows[0]?.rows ?? 0,
    rowsWithout: rows[0]?.without ?? 0,
    samples: rows.map((row) => row.sample),
  }
}

/** The columns that tell a row to a person: its key, or where it stands in the table. */
export function handleOf(context: SqlContext, relation: ContentRelation): readonly string[] {
  if (relation.surrogate.length > 0) return relation.surrogate
  const primary = catalogRelation(context, relation).uniqueKeys.find((key) => key.isPrimary)
  return primary?.columns ?? ['ctid']
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** `"t"."column"`, for statements about one relation under the alias `t`. */
export function ownColumn(name: string): string {
  return `t.${quoteIdentifier(name)}`
}
