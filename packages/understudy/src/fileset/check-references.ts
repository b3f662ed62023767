import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { relationLabel } from '../model/model.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'
import { typedRows } from './cell-sql.js'
import { cellsOf, type FilledFile } from './filled-file.js'
import type { Findings } from './findings.js'

const MAX_PER_HEADING = 5

/**
 * Finds cells under headings such as `event_id/id` whose row is neither in the database nor in the fileset, where the column holds the identity
 * itself and no foreign key watches it. Whatever is translated or has a foreign key is looked at by the import, which knows more policies than to refuse.
 */
export async function checkReferences(
  session: Session,
  context: SqlContext,
  files: readonly FilledFile[],
  findings: Findings,
): Promise<void> {
  for (const file of files) {
    for (const { cell, name, text } of cellsOf(file)) {
      const reference = cell.kind === 'value' ? cell.reference : undefined
      const [targetColumn, ...others] = reference?.targetColumns ?? []
      if (reference === undefined || targetColumn === undefined || others.length > 0) continue
      const known = [
        `select t.${quoteIdentifier(targetColumn)}::text as value from ${fromRelation(context, reference.target)} t`,
        ...bring(files, relationLabel(reference.target), targetColumn),
      ]
      const rows = await session.query<{ line: string; value: string }>(
        `select s.line, x.${name}::text as value
           from ${typedRows(file)}
          where x.${name} is not null
            and not exists (select from (${known.join(' union all ')}) k where k.value = x.${name}::text)
          order by s.line
          limit ${MAX_PER_HEADING}`,
      )
      const what = `names no row of ${relationLabel(reference.target)}, neither here nor in the database`
      for (const { line, value } of rows) findings.addValue({ file: file.name, line, heading: text }, value, what)
    }
  }
}

/** The values that the files of a relation have in a column. */
function bring(files: readonly FilledFile[], label: string, column: string): string[] {
  return files
    .filter(({ relation }) => relationLabel(relation) === label)
    .flatMap((file) =>
      cellsOf(file).flatMap(({ cell, name }) =>
        cell.kind === 'value' && cell.column.name === column ? [`select x.${name}::text from ${typedRows(file)}`] : [],
      ),
    )
}
