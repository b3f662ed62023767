import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { count, isValue } from './compare-image.js'
import { fromShape } from './image.js'
import { type Loss, MAX_SAMPLES } from './loss.js'
import type { ShapeRelation } from './shape.js'
import { catalogOf, labelOf, modelOf, type Side } from './side.js'
import type { DroppedAttribute, DroppedColumn, Traces } from './traces.js'

/** What dropped relations, columns and attributes hold, asked before they are dropped again. What holds nothing is no loss. */
export async function findDropped(session: Session, side: Side, traces: Traces): Promise<Loss[]> {
  const losses: Loss[] = []
  for (const relation of traces.droppedRelations) losses.push(...(await droppedRelation(session, side, relation)))
  for (const dropped of traces.droppedColumns) losses.push(...(await droppedColumn(session, side, dropped)))
  for (const dropped of traces.droppedAttributes) losses.push(...(await droppedAttribute(session, side, dropped)))
  return losses
}

async function droppedRelation(session: Session, side: Side, relation: ShapeRelation): Promise<Loss[]> {
  const [total, samples] = await holding(session, side, relation, { condition: 'true', value: null })
  const description = `the table goes, with ${count(total, 'row')}`
  return total === 0 ? [] : [{ kind: 'relation', word: labelOf(relation), description, count: total, samples }]
}

async function droppedColumn(session: Session, side: Side, { relation, column }: DroppedColumn): Promise<Loss[]> {
  const value = `s.${quoteIdentifier(column.name)}`
  const condition = isValue(`${value}::text`)
  const [total, samples] = await holding(session, side, relation, { condition, value })
  const word = `${labelOf(relation)}.${column.name}`
  const description = `the column goes, with ${count(total, 'value')}`
  return total === 0 ? [] : [{ kind: 'column', word, description, count: total, samples }]
}

/** Looks into every column that the composite type is part of, through arrays, domains and other composites. */
async function droppedAttribute(
  session: Session,
  side: Side,
  { composite, attribute }: DroppedAttribute,
): Promise<Loss[]> {
  const word = `${labelOf(composite)}.${attribute.name}`
  const places: string[] = []
  const samples: string[] = []
  let total = 0
  for (const relation of side.shape.relations.values()) {
    if (relation.oid !== relation.root) continue
    for (const column of relation.columns.values()) {
      const held = anyAttribute(side, `s.${quoteIdentifier(column.name)}`, column.typeOid, { composite, attribute })
      if (held === null) continue
      const [rows, some] = await holding(session, side, relation, { condition: held, value: null })
      if (rows === 0) continue
      total += rows
      places.push(`${labelOf(relation)}.${column.name}`)
      samples.push(...some)
    }
  }
  if (total === 0) return []
  const description = `the attribute goes, with values in ${count(total, 'row')} of ${places.join(', ')}`
  return [{ kind: 'attribute', word, description, count: total, samples: samples.slice(0, MAX_SAMPLES) }]
}

/** A condition that holds where the attribute has a value somewhere inside; null where the type does not hold the composite. */
function anyAttribute(
  side: Side,
  expression: string,
  typeOid: number,
  dropped: DroppedAttribute,
  path: readonly number[] = [],
): string | null {
  const type = side.catalog.types.get(typeOid)
  if (type === undefined || path.includes(typeOid)) return null
  const inside = (value: string, oid: number) => anyAttribute(side, value, oid, dropped, [...path, typeOid])
  if (typeOid === dropped.composite.typeOid)
    return `(${expression}).${quoteIdentifier(dropped.attribute.name)} is not null`
  if (type.base !== null) return inside(expression, type.base)
  if (type.element !== null) {
    const element = inside('e.value', type.element)
    return element && `exists (select from (select pg_catalog.unnest(${expression}) as value) e where ${element})`
  }
  const parts = type.attributes
    .map((attribute) => inside(`(${expression}).${quoteIdentifier(attribute.name)}`, attribute.typeOid))
    .filter((part) => part !== null)
  return parts.length === 0 ? null : `(${parts.join(' or ')})`
}

/** How many rows meet a condition, and a few of them by name, with a value beside. */
async function holding(
  session: Session,
  side: Side,
  relation: ShapeRelation,
  { condition, value }: { readonly condition: string; readonly value: string | null },
): Promise<[number, string[]]> {
  const from = `from ${fromShape(side, relation)} s where ${condition}`
  const [counted] = await session.query<{ total: number }>(`select count(*) as total ${from}`)
  if ((counted?.total ?? 0) === 0) return [0, []]
  const beside = value === null ? '' : ` || ' (' || left(to_json(${value}::text)::text, 40) || ')'`
  const rows = await session.query<{ sample: string }>(
    `select left(${nameOf(side, relation)}, 80)${beside} as sample ${from} limit ${MAX_SAMPLES}`,
  )
  return [counted?.total ?? 0, rows.map(({ sample }) => sample)]
}

/** What a row is called in messages: its identity's columns, its primary key, or its place in the table. */
function nameOf(side: Side, relation: ShapeRelation): string {
  const identity = modelOf(side, relation)?.identity
  const primary = catalogOf(side, relation)?.uniqueKeys.find(({ isPrimary }) => isPrimary)
  const columns = identity?.kind === 'key' || identity?.kind === 'origin' ? identity.columns : primary?.columns
  if (columns === undefined || columns.length === 0) return `'row ' || s.ctid::text`
  const values = columns.map((name) => `s.${quoteIdentifier(name)}::text`)
  return `array_to_string(array[${values.join(', ')}], ', ', 'null')`
}
