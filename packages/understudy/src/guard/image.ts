import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteQualified } from '../database/quoting.js'
import { columnExpressions } from '../model/identity-sql.js'
import { type ContentColumn, findRelation } from '../model/model.js'
import type { ShapeColumn, ShapeRelation } from './shape.js'
import { catalogOf, modelOf, type Side } from './side.js'
import { columnAfter, successorOf } from './traces.js'

/** What is kept of a relation's rows while the migration runs again, and how rows and values are found afterwards. */
export interface Image {
  /** Its temporary table: `(key, n, part, c<number>…)`. */
  readonly table: string
  readonly relation: ShapeRelation
  readonly columns: readonly ImageColumn[]
  /** Numbers of the columns that make a row the same row. */
  readonly key: readonly number[]
  readonly isKeyUnique: boolean
}

export interface ImageColumn {
  readonly column: ShapeColumn
  /**
   * `text`: the value as text; `identity`: the identity of the row that it points to, whatever number that has; `presence`: only whether there
   * is one, because the parts of its type changed.
   */
  readonly as: 'text' | 'identity' | 'presence'
  readonly isRetyped: boolean
}

/**
 * Decides how a relation's rows are kept, from the side before the migration and the one after its first run. A value that points to a row, and
 * changes its type, is kept as that row's identity: a text key may become a number and still point to the same row.
 */
export function planImage(
  relation: ShapeRelation,
  number: number,
  sides: { readonly before: Side; readonly after: Side; readonly changedComposites: ReadonlySet<number> },
): Image {
  const { before, after } = sides
  const successor = successorOf(relation, before.shape, after.shape) ?? relation
  const keyNumbers = new Set(candidateKeys(before, relation).flat())
  const columns: ImageColumn[] = []
  for (const column of relation.columns.values()) {
    const now = columnAfter(relation, successor, column)
    if (column.isGenerated || now === undefined || now.isGenerated) continue
    const isRetyped = now.typeOid !== column.typeOid || now.modifier !== column.modifier
    const pointsBoth = hasIdentity(before, relation, column.name) && hasIdentity(after, successor, now.name)
    if (consistsOf(before, column.typeOid, sides.changedComposites))
      columns.push({ column, as: 'presence', isRetyped: false })
    else if (pointsBoth && (isRetyped || keyNumbers.has(column.number)))
      columns.push({ column, as: 'identity', isRetyped: false })
    else columns.push({ column, as: 'text', isRetyped })
  }
  const isStable = (wanted: number) =>
    columns.some(({ column, as, isRetyped }) => column.number === wanted && as !== 'presence' && !isRetyped)
  const key = candidateKeys(before, relation).find((numbers) => numbers.length > 0 && numbers.every(isStable))
  return {
    table: `pg_temp.understudy_image_${number}`,
    relation,
    columns,
    key: key ?? columns.map(({ column }) => column.number),
    isKeyUnique: key !== undefined && isUnique(before, relation, key),
  }
}

/** Writes the image into its temporary table, before the migration runs again. Texts are not compressed: that costs more than the disk. */
export async function takeImage(session: Session, side: Side, image: Image): Promise<void> {
  const names = image.columns.map(({ column }) => `c${column.number}`)
  const bare = image.table.replace('pg_temp.', '')
  const definitions = names.map((name) => `, ${name} text`).join('')
  await session.script(
    `create temporary table ${bare} (key text[], n bigint, part bigint${definitions}) on commit drop;
     ${names.length === 0 ? '' : `alter table ${image.table} ${names.map((name) => `alter column ${name} set storage external`).join(', ')};`}
     insert into ${image.table} ${imageSelect(side, image, image.relation)};
     analyze ${image.table} (key)`,
  )
}

/** The rows of a relation as its image has them, on either side: `(key, n, part, c<number>…)`. */
export function imageSelect(side: Side, image: Image, relation: ShapeRelation): string {
  const names = image.columns.map(({ column }) => `c${column.number}`)
  const key = `array[${image.key.map((number) => `q.c${number}`).join(', ')}]::text[]`
  const order = names.map((name) => `q.${name}`).join(', ')
  const n = image.isKeyUnique || names.length === 0 ? '1' : `row_number() over (partition by ${key} order by ${order})`
  return `select ${[key, n, 'q.part', ...names.map((name) => `q.${name}`)].join(', ')} from (${valueSelect(side, image, relation)}) q`
}

function valueSelect(side: Side, image: Image, relation: ShapeRelation): string {
  const content = modelOf(side, relation)
  const pointing: { number: number; column: ContentColumn }[] = []
  const inner: string[] = ['s.tableoid::bigint as understudy_part']
  const outer: string[] = ['v.understudy_part as part']
  for (const { column, as } of image.columns) {
    const here = image.relation === relation ? column : columnAfter(image.relation, relation, column)
    const name = `c${column.number}`
    const value = here === undefined ? 'null' : `s.${quoteIdentifier(here.name)}`
    const travelling = content?.columns.find((each) => each.name === here?.name)
    if (as === 'identity' && travelling?.translation !== undefined) {
      pointing.push({ number: column.number, column: travelling })
      outer.push(`to_json(v.${quoteIdentifier(travelling.key)})::text as ${name}`)
    } else {
      inner.push(`${kept(as, value)} as understudy_${name}`)
      outer.push(`v.understudy_${name} as ${name}`)
    }
  }
  if (content === undefined || pointing.length === 0)
    return `select ${outer.join(', ')} from (select ${inner.join(', ')} from ${fromShape(side, relation)} s) v`
  const { columns, joins } = columnExpressions(
    side.context,
    content,
    pointing.map(({ column }) => column),
  )
  const translated = columns.slice(columns.length - pointing.length)
  return `select ${outer.join(', ')} from (select ${[...inner, ...translated].join(', ')} from ${fromShape(side, relation)} s ${joins}) v`
}

function kept(as: ImageColumn['as'], value: string): string {
  if (as === 'presence') return `case when ${value} is not null then 'some' end`
  return as === 'identity' ? `to_json(${value})::text` : `${value}::text`
}

/** `only` keeps inheriting tables out, whose rows are their own. */
export function fromShape(side: Side, relation: ShapeRelation): string {
  const isPartitioned = catalogOf(side, relation)?.kind === 'partitioned table'
  return isPartitioned ? quoteQualified(relation) : `only ${quoteQualified(relation)}`
}

/** Keys by which a row may be known, the best first: the identity of the model, the primary key, other unique keys. */
function candidateKeys(side: Side, relation: ShapeRelation): number[][] {
  const content = modelOf(side, relation)
  const identity = content?.identity.kind === 'key' ? [content.identity.columns] : []
  const unique = usableKeys(side, relation)
  return [...identity, ...unique].map((names) =>
    names.map((name) => [...relation.columns.values()].find((column) => column.name === name)?.number ?? 0),
  )
}

function usableKeys(side: Side, relation: ShapeRelation): (readonly string[])[] {
  const found = catalogOf(side, relation)
  const isRequired = (name: string) => found?.columns.find((column) => column.name === name)?.isNullable === false
  return (found?.uniqueKeys ?? [])
    .filter((key) => key.isValid && !key.isPartial && !key.hasExpressions && key.columns.every(isRequired))
    .map((key) => key.columns)
}

function isUnique(side: Side, relation: ShapeRelation, key: readonly number[]): boolean {
  const names = key.map((number) => relation.columns.get(number)?.name)
  return usableKeys(side, relation).some((columns) => columns.every((name) => names.includes(name)))
}

/** Whether a column's value can be written as the identity of the row that it points to: translated, or because it is that identity. */
function hasIdentity(side: Side, relation: ShapeRelation, name: string): boolean {
  const column = modelOf(side, relation)?.columns.find((each) => each.name === name)
  if (column?.translation === undefined) return isIdentityItself(side, relation, name)
  const targets = column.translation.alternatives
  const isNamed = ({ target }: (typeof targets)[number]) =>
    side.context.model.relations.some(
      (each) => each.schema === target.schema && each.name === target.name && each.identity.kind !== 'content',
    )
  return targets.length > 0 && targets.every(isNamed)
}

/** Whether a column refers to the one column by which its target is known: then the plain value is the identity. */
function isIdentityItself(side: Side, relation: ShapeRelation, name: string): boolean {
  const reference = modelOf(side, relation)?.references.find(
    ({ columns, shape }) => shape === 'value' && columns.length === 1 && columns[0] === name,
  )
  const target = reference && findRelation(side.context.model, reference.target)
  if (target?.identity.kind !== 'key') return false
  const [only, ...others] = target.identity.columns
  const isPlain = target.columns.some((column) => column.name === only && column.translation === undefined)
  return others.length === 0 && isPlain && only === reference?.targetColumns[0]
}

/** Whether a type is, or holds, one of the types given. */
function consistsOf(side: Side, typeOid: number, wanted: ReadonlySet<number>, path: readonly number[] = []): boolean {
  if (wanted.size === 0 || path.includes(typeOid)) return false
  if (wanted.has(typeOid)) return true
  const type = side.catalog.types.get(typeOid)
  const parts = [type?.element, type?.base, ...(type?.attributes ?? []).map((attribute) => attribute.typeOid)]
  return parts.some((part) => part !== null && part !== undefined && consistsOf(side, part, wanted, [...path, typeOid]))
}
