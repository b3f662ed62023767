import { quoteLiteral } from '../database/quoting.js'
import type { Alternative, Translation } from './model.js'
import { VALUE_KEY } from './record-keys.js'

/** A value that names no row and stands there all the same: as an object, so that no identity is like it. */
export function bareExpression(value: string): string {
  return `json_build_object('${VALUE_KEY}', ${value}::text)`
}

/** A key of several columns may be null in part (`match simple`): then it points to no row, and its other values travel as they are. */
export function halfNullExpression(alternative: Alternative, json: string, value: (column: string) => string): string {
  if (alternative.join.length === 1) return json
  const own = alternative.join.find((pair) => pair.targetColumn === alternative.targetColumn)
  const some = alternative.join.map((pair) => `${value(pair.column)} is null`).join(' or ')
  const bare = value(own?.column ?? '')
  return `case when ${bare} is not null and (${some}) then ${bareExpression(bare)} else to_json(${json}) end`
}

/** `json`, or the value itself where it says that there is no row. */
export function noneExpression(translation: Pick<Translation, 'none'>, json: string, value: string): string {
  if (translation.none === undefined) return json
  return `case when ${meansNone(translation, value)} then ${bareExpression(value)} else to_json(${json}) end`
}

/** The condition that a value says that there is no row; null where the value is. */
export function meansNone({ none = [] }: Pick<Translation, 'none'>, value: string): string {
  if (none.length === 0) return 'false'
  return `(${value})::text in (${none.map(quoteLiteral).join(', ')})`
}
