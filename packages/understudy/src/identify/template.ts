import { quoteLiteral } from '../database/quoting.js'
import { UnderstudyError } from '../errors.js'
import type { RelationName } from '../model/model.js'

export interface TemplateWords {
  /** The database's instance id, or null where it has no registry. */
  readonly instance: string | null
}

/**
 * The SQL expression of a template: text, and in braces what differs from row to row. `{table}`, `{schema}`, `{uuid}` (always new) and
 * `{instance}` (the first eight digits of this database's id) are words of the template; anything else is an SQL expression over the row, most
 * often a column. `{{` and `}}` are braces.
 *
 * @throws UnderstudyError `USAGE` where a brace is not closed, or is empty
 */
export function templateExpression(template: string, relation: RelationName, words: TemplateWords): string {
  const parts = [...template.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[^{}]+|[{}]/gs)].map(([text, inner]) => {
    if (inner !== undefined) return partExpression(inner.trim(), relation, words)
    if (text === '{{' || text === '}}') return quoteLiteral(text.slice(1))
    if (text === '{' || text === '}') throw badTemplate(template, `the brace ${text} has no partner`)
    return quoteLiteral(text)
  })
  if (parts.length === 0 || parts.includes('')) throw badTemplate(template, 'nothing stands between two braces')
  return parts.join(' || ')
}

function partExpression(inner: string, { schema, name }: RelationName, { instance }: TemplateWords): string {
  switch (inner) {
    case 'table':
      return quoteLiteral(name)
    case 'schema':
      return quoteLiteral(schema)
    case 'uuid':
      return 'pg_catalog.gen_random_uuid()::text'
    case 'instance':
      if (instance !== null) return quoteLiteral(instance.slice(0, 8))
      throw new UnderstudyError('IDENTIFY_REFUSED', 'this database has no instance id yet for {instance}', {
        hint: 'An export or import makes one; or use {uuid}.',
      })
    case '':
      return ''
    default:
      return `(${inner})::text`
  }
}

function badTemplate(template: string, detail: string): UnderstudyError {
  return new UnderstudyError('USAGE', `the template ${template} cannot be understood`, {
    detail,
    hint: 'Write text, with SQL expressions in braces: `{table}.{slug}`, `{table}.{lower(name)}`, `{uuid}`. A brace itself is doubled.',
  })
}
