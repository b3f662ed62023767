import { quoteIdentifier, quoteLiteral } from '../database/quoting.js'
import { lineSelect } from '../model/line-sql.js'
import { type ContentRelation, relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import { type Load, sameHandle } from './load.js'

/** A record as messages name it: by its identity, and in a fileset by its place too. */
export function recordName(load: Load, alias: string): string {
  const name = nameOf(load, alias)
  return load.isFileset ? `concat_ws(': ', ${alias}.master::json #>> '{}', ${name})` : name
}

/** By its identity as it travels, else by its key in the source, else by its number. */
function nameOf({ relation }: Load, alias: string): string {
  const { identity, surrogate } = relation
  const byNumber = `'record ' || ${alias}.n`
  if (identity.kind !== 'key') {
    return surrogate.length === 0
      ? byNumber
      : `coalesce(${quoteLiteral(`${surrogate.join(', ')} `)} || ${alias}.master, ${byNumber})`
  }
  const name = identityInLine(relation, `${alias}.line`)
  return identity.columns.length === 1 ? `coalesce(${name}, ${byNumber})` : name
}

/** The identity that a line holds of a relation known by a key, as JSON. */
function identityInLine({ identity, columns }: ContentRelation, line: string): string {
  const names = identity.kind === 'key' ? identity.columns : []
  const keys = names.map((name) => columns.find((column) => column.name === name)?.key ?? name)
  const values = keys.map((key) => `${line}::json -> ${quoteLiteral(key)}`)
  return values.length === 1 ? `(${values[0]})::text` : `json_build_array(${values.join(', ')})::text`
}

/** `order_id "o", `: in front of the name of a row that is part of its owner's content, the owner. Null where it has none. */
export function ownerInLine({ identity, columns }: ContentRelation, line: string): string {
  const owner = identity.kind === 'content' ? columns.find(({ name }) => name === identity.owner) : undefined
  if (owner === undefined) return 'null'
  return `${quoteLiteral(`${owner.name} `)} || (${line}::json -> ${quoteLiteral(owner.key)})::text`
}

/** A row of the target as messages name it where it has no line: `id 17`. */
export function handleText(load: Load, alias: string): string {
  const values = load.handle.map((name) => `${alias}.${quoteIdentifier(name)}::text`)
  return `${quoteLiteral(`${load.handle.join(', ')} `)} || concat_ws(', ', ${values.join(', ')})`
}

/**
 * A select of the rows of the target that go, `(name, h…)`: by their identity, or by their owner and their key here. Values that the configuration
 * masks are not read.
 */
export function goingRows(context: SqlContext, load: Load): string {
  const { relation, handle } = load
  const { identity } = relation
  const masked = Object.keys(context.configured.get(relationLabel(relation))?.mask ?? {})
  const names = identity.kind === 'key' ? identity.columns : identity.kind === 'content' ? [identity.owner] : []
  const columns = relation.columns.filter(({ name }) => names.includes(name) && !masked.includes(name))
  const key = handle.includes('ctid')
    ? 'null'
    : `${quoteLiteral(`${handle.join(', ')} `)} || concat_ws(', ', ${handle.map((_, index) => `d.h${index + 1}::text`).join(', ')})`
  if (columns.length === 0) return `select coalesce(${key}, 'a row') as name, d.* from ${load.extra} d`
  const name =
    identity.kind === 'key'
      ? identityInLine(relation, 'l.line')
      : `concat_ws(', ', ${ownerInLine(relation, 'l.line')}, ${key})`
  return `select ${name} as name, d.*
            from ${load.extra} d
            join (${lineSelect(context, relation, columns, handle)}) l on ${sameHandle(context, load, 'l', 'd')}`
}
