import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import type { Problem } from '../errors.js'
import { decidingLiteral, decidingReference, decidingText } from '../model/discriminator.js'
import { identitySelect } from '../model/identity-sql.js'
import { leavesOf } from '../model/leaves.js'
import {
  type Alternative,
  type ContentRelation,
  canBeBare,
  type Reference,
  type RelationName,
  relationLabel,
  relationOf,
} from '../model/model.js'
import { VALUE_KEY } from '../model/record-keys.js'
import { fromRelation, type SqlContext, sameValue } from '../model/sql-context.js'
import { plainReferences } from './bound-columns.js'
import { comingValues, computedColumns, generatedValues } from './generated-values.js'
import { analyzeTemporary, type Load, type Slot } from './load.js'
import { leafColumns, sameLeaf, slotLeafExpressions } from './match.js'
import { bare } from './parse.js'
import { plural, readProblem } from './problems.js'

/**
 * Finds for every reference of the parsed records the row that it names, among the target's rows and the new ones: `bound (n, b…, m…)`, where
 * `b<slot>` is the value in this database and `m<slot>` tells that the row is missing. `m_<index>` tells the same of a plain foreign key.
 */
export async function bindReferences(
  session: Session,
  context: SqlContext,
  load: Load,
  loads: ReadonlyMap<string, Load>,
): Promise<void> {
  const binding = new Binding(context, load, loads)
  for (const slot of load.slots) binding.addSlot(slot)
  for (const [index, reference] of plainReferences(load).entries()) binding.addPlain(reference, index)
  await session.execute(`drop table if exists ${load.bound}`)
  await session.execute(`create temporary table ${bare(load.bound)} on commit drop as ${binding.select()}`)
  await analyzeTemporary(session, load, load.bound)
}

/** Builds the one select that binds all references of a relation. */
class Binding {
  readonly #columns: string[]
  readonly #joins: string[] = []

  constructor(
    private readonly context: SqlContext,
    private readonly load: Load,
    private readonly loads: ReadonlyMap<string, Load>,
  ) {
    const handles = load.handle.map((_, index) => `p.h${index + 1}`)
    const keys = load.relation.surrogate.map((_, index) => `p.k${index + 1}`)
    this.#columns = load.isAllNew ? ['p.n', 'p.is_new', ...handles, ...keys] : ['p.n']
  }

  select(): string {
    const records = this.load.isAllNew ? this.load.rows : this.load.parsed
    return `select ${this.#columns.join(', ')} from ${records} p ${this.#joins.join('\n')}`
  }

  addSlot(slot: Slot): void {
    if (slot.translation.shape === 'value') this.#addValue(slot)
    else this.#addElements(slot)
  }

  addPlain(reference: Reference, index: number): void {
    const columns = reference.columns.map(
      (name) => `p.c${this.load.relation.columns.findIndex((each) => each.name === name) + 1}`,
    )
    const alias = `f${index}`
    const conditions = columns.map((column, position) => {
      const name = reference.targetColumns[position] ?? ''
      return sameValue(this.context, reference.target, name, `${alias}.t${position + 1}`, column)
    })
    this.#joins.push(`left join (${this.#existing(reference)}) ${alias} on ${conditions.join(' and ')}`)
    const given = columns.map((column) => `${column} is not null`).join(' and ')
    this.#columns.push(`(${given} and ${alias}.t1 is null) as m_${index}`)
  }

  /** The values that a plain foreign key may take: those of the target and those that the archive brings. */
  #existing(reference: Reference): string {
    const names = reference.targetColumns
    const live = names.map((name, index) => `${quoteIdentifier(name)} as t${index + 1}`).join(', ')
    const here = `select ${live} from ${fromRelation(this.context, reference.target)}`
    const load = this.loads.get(relationLabel(reference.target))
    if (load === undefined) return here
    const coming = comingValues(this.context, load, names)
    return coming === null ? here : `${here} union ${coming}`
  }

  #addValue(slot: Slot): void {
    const value = `p.r${slot.id}`
    const cases: string[] = []
    const found: string[] = []
    for (const [index, alternative] of slot.translation.alternatives.entries()) {
      const alias = `b${slot.id}_${index}`
      const when = discriminates(this.context, this.load, slot, alternative)
      const target = relationOf(this.context.model, alternative.target)
      // Identities of another target may be of a type that this one's cannot be read as.
      const meant = when === 'true' ? value : `(case when ${when} then ${value} end)`
      const leaves = slotLeafExpressions(this.context, meant, target, slot.isTyped)
      this.#joins.push(this.#join(alternative, leaves, alias, when))
      cases.push(`when ${when} then ${castTo(slot, alternative, `${alias}.t1`)}`)
      found.push(`${alias}.found`)
    }
    const isBare = canBeBare(slot.translation) ? `coalesce(json_typeof(${value}) = 'object', false)` : 'false'
    if (isBare !== 'false') cases.unshift(`when ${isBare} then (${value} ->> '${VALUE_KEY}')::${slot.type}`)
    this.#columns.push(`case ${cases.join(' ')} end as b${slot.id}`)
    this.#columns.push(
      `(${value} is not null and not ${isBare} and coalesce(${found.join(', ')}) is null) as m${slot.id}`,
    )
  }

  /** Explodes the elements of all rows, binds them in one join, and puts each row's back together in order. */
  #addElements(slot: Slot): void {
    const [alternative] = slot.translation.alternatives
    if (alternative === undefined) return
    const alias = `b${slot.id}_0`
    const isArray = slot.translation.shape === 'array'
    const target = relationOf(this.context.model, alternative.target)
    const leaves = slotLeafExpressions(this.context, 'u.element', target, false)
    const bound = isArray ? castTo(slot, alternative, `${alias}.t1`, elementOf(slot.type)) : `to_jsonb(${alias}.t1)`
    const source = `select q.n, e.position, e.element
        from ${this.load.parsed} q
       cross join lateral json_array_elements(case when json_typeof(q.r${slot.id}) = 'array' then q.r${slot.id} end)
                  with ordinality e(element, position)`
    this.#joins.push(
      `left join (
         select u.n,
                ${isArray ? 'array_agg' : 'jsonb_agg'}(${bound} order by u.position) as bound,
                bool_or(json_typeof(u.element) <> 'null' and ${alias}.found is null) as is_missing
           from (${source}) u
           ${this.#join(alternative, leaves, alias, 'true')}
          group by u.n) a${slot.id} on a${slot.id}.n = p.n`,
    )
    const empty = isArray ? `'{}'` : `'[]'`
    const raw = isArray ? 'null' : `(p.r${slot.id} -> '$json')::jsonb`
    this.#columns.push(
      `(case when p.r${slot.id} is null then null
             when json_typeof(p.r${slot.id}) <> 'array' then ${raw}
             else coalesce(a${slot.id}.bound, ${empty}) end)::${slot.type} as b${slot.id}`,
      `coalesce(a${slot.id}.is_missing, false) as m${slot.id}`,
    )
  }

  #join(alternative: Alternative, expressions: readonly string[], alias: string, condition: string): string {
    const target = relationOf(this.context.model, alternative.target)
    const leaves = leavesOf(this.context.model, target)
    const pairs = leaves.map((leaf, index) =>
      sameLeaf(this.context, leaf, `${alias}.l${index + 1}`, expressions[index] ?? 'null'),
    )
    return `left join (${rowsNamed(this.context, this.loads, target, alternative.targetColumn)}) ${alias} on ${[...pairs, condition].join(' and ')}`
  }
}

/** Every row that a reference may name: `found`, the value of `column` as `t1`, its leaves; those of the target, and those that this import makes. */
export function rowsNamed(
  context: SqlContext,
  loads: ReadonlyMap<string, Load>,
  target: ContentRelation,
  column: string,
): string {
  const load = loads.get(relationLabel(target))
  const here = `select true as found, i.* from (${identitySelect(context, target, [column])}) i`
  if (load === undefined || load.counts.inserts === 0) return here
  const key = target.surrogate.indexOf(column) + 1
  const computed = computedColumns(context, target).indexOf(column) + 1
  const value =
    key > 0
      ? `w.k${key}`
      : computed > 0
        ? `g.g${computed}`
        : `q.c${target.columns.findIndex(({ name }) => name === column) + 1}`
  const isInRows = load.isAllNew && key > 0
  const leaves = isInRows
    ? leavesOf(context.model, target).map((_, index) => `w.l${index + 1}`)
    : leafColumns(context, load.relation, 'q')
  const beside = computed > 0 ? ` join ${generatedValues(load)} g on g.n = q.n` : ''
  const from = isInRows ? `${load.rows} w` : `${load.parsed} q join ${load.rows} w on w.n = q.n${beside}`
  const coming = `select true as found, ${value} as t1, ${leaves.join(', ')} from ${from} where w.is_new`
  return load.rowsBefore === 0 ? coming : `${here} union all ${coming}`
}

/** The condition under which a record's reference goes to this alternative; `p` is the parsed table. */
export function discriminates(context: SqlContext, load: Load, slot: Slot, alternative: Alternative): string {
  const { discriminator } = slot.translation
  if (discriminator === null || alternative.when === null) return 'true'
  const position = load.relation.columns.findIndex((column) => column.name === discriminator) + 1
  const reference = decidingReference(context.model, load.relation, discriminator)
  const text = decidingText(reference, `p.${reference === null ? 'c' : 'r'}${position}`)
  return `${text} = ${decidingLiteral(reference, alternative.when)}`
}

function castTo(slot: Slot, alternative: Alternative, value: string, type = slot.type): string {
  return alternative.isTextual ? `${value}::text::${type}` : `${value}::${type}`
}

function elementOf(arrayType: string): string {
  return arrayType.replace(/\[\]$/, '')
}

/** A reference of a relation some of whose rows are nowhere to be found. */
export interface MissingTarget {
  readonly load: Load
  /** The place in the record, or null for a foreign key whose values travel as they are. */
  readonly slot: Slot | null
  /** That foreign key, and its number among those of the relation. */
  readonly plain: { readonly reference: Reference; readonly index: number } | null
  readonly columns: readonly string[]
  readonly problem: Problem
}

/** Lists the references of a relation whose rows are nowhere to be found. */
export async function findMissing(session: Session, load: Load): Promise<MissingTarget[]> {
  const flags = [
    ...load.slots.map((slot) => ({
      flag: `m${slot.id}`,
      value: `to_json(p.r${slot.id})`,
      slot,
      plain: null,
      label: [slot.path],
      columns: [slot.column.name],
      targets: slot.translation.alternatives.map((each): RelationName => each.target),
    })),
    ...plainReferences(load).map((reference, index) => ({
      flag: `m_${index}`,
      value: plainValue(load, reference),
      slot: null,
      plain: { reference, index },
      label: reference.columns,
      columns: reference.columns,
      targets: [reference.target],
    })),
  ]
  if (flags.length === 0) return []
  const [any] = await session.query<Record<string, boolean | null>>(
    `select ${flags.map(({ flag }) => `bool_or(${flag}) as ${flag}`).join(', ')} from ${load.bound}`,
  )
  const missing: MissingTarget[] = []
  for (const { flag, value, slot, plain, label, columns, targets } of flags.filter(
    (each) => any?.[each.flag] === true,
  )) {
    const names = targets.map(relationLabel).join(' or ')
    const [problem] = await readProblem(
      session,
      load,
      {
        kind: 'missing target',
        columns: label,
        message: (rows) =>
          `${plural(rows, 'row refers', 'rows refer')} to ${names} that are neither in the archive nor in the target`,
      },
      `select p.n, (${value})::text as value, null as other, null::bigint as other_n
         from ${load.bound} b
         join ${load.parsed} p on p.n = b.n
        where b.${flag}`,
    )
    if (problem !== undefined) missing.push({ load, slot, plain, columns, problem })
  }
  return missing
}

function plainValue(load: Load, reference: Reference): string {
  const columns = reference.columns.map(
    (name) => `p.c${load.relation.columns.findIndex((each) => each.name === name) + 1}`,
  )
  return columns.length === 1 ? `to_json(${columns[0]})` : `json_build_array(${columns.join(', ')})`
}
