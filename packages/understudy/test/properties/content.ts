import type { Reference, Table } from './schema.js'
import type { RowSpec, World } from './world.js'

/** A row of a world, by whatever ids it goes in either database. */
export interface Row {
  /** Its number in the whole world. */
  readonly number: number
  readonly table: Table
  readonly where: RowSpec['where']
}

/** What a row says in one of the two contents. */
export interface Version {
  readonly row: Row
  /** By column, an SQL expression, or null. Not the id, not what refers. */
  readonly values: ReadonlyMap<string, string | null>
  readonly targets: ReadonlyMap<Reference, Row | 'half' | null>
}

export type Content = ReadonlyMap<Row, Version>
export type Side = 'source' | 'target'

/** The source's content, and the content that the target has, or once got from the source. */
export interface Contents {
  readonly source: Content
  readonly target: Content
}

interface Draft extends Row {
  readonly spec: RowSpec
  within: Draft | null
  classes: (number | null)[]
  references: Record<Side, Map<Reference, Draft | 'half' | null>>
}

/** The classes of unique values of rows that stay in the target and are not in the source begin here: they never collide for good. */
const LOCAL = 100

/** Decides what every row says. Rows that cannot be (their identity is taken, what they must refer to is not there) are left out. */
export function resolveContents(world: World, tables: readonly Table[]): Contents {
  const drafts = draftRows(world, tables)
  let alive = drafts
  for (let before = -1; before !== alive.length; ) {
    before = alive.length
    alive = settleIdentities(alive)
    alive = settleReferences(alive)
  }
  // A row that nothing but its content tells apart is another one when a value in it is written otherwise.
  const haveLooks = tables.every(
    (table) => table.identity.kind !== 'content' || table.references.every((each) => refersToId(each, tables)),
  )
  return { source: versions(alive, 'source', haveLooks), target: versions(alive, 'target', haveLooks) }
}

function refersToId({ target, targetColumns }: Reference, tables: readonly Table[]): boolean {
  return targetColumns.every((name) => name === tables[target]?.id?.name)
}

function draftRows(world: World, tables: readonly Table[]): Draft[] {
  let number = 0
  return tables.flatMap((table) =>
    table.spec.rows.flatMap((spec): Draft[] => {
      const where = settleWhere(world, table, spec)
      if (where === null) return []
      number++
      return [
        { number, table, where, spec, within: null, classes: [], references: { source: new Map(), target: new Map() } },
      ]
    }),
  )
}

/** Rows without a natural key cannot be on both sides unless they came there together. */
function settleWhere(world: World, table: Table, spec: RowSpec): RowSpec['where'] | null {
  if (table.identity.kind !== 'origin' || world.history === 'shared') return spec.where
  return spec.where === 'target' ? null : 'source'
}

function isIn(draft: Row, side: Side): boolean {
  return draft.where === 'both' || draft.where === side
}

function cell(draft: Draft, side: Side, position: number): number {
  const cells = side === 'target' ? (draft.spec.otherCells ?? draft.spec.cells) : draft.spec.cells
  return cells[position] ?? 0
}

const CELL = { within: 0, parts: 1, unique: 3, region: 4, references: 5, columns: 8 }

/** Gives rows their identity, which is the same on both sides; in order of tables, because a row may be within one of an earlier table. */
function settleIdentities(drafts: readonly Draft[]): Draft[] {
  const kept: Draft[] = []
  const taken = new Set<string>()
  for (const draft of drafts) {
    const [reference] = draft.table.references.filter((each) => each.isIdentity)
    if (reference !== undefined) {
      const sides = (['source', 'target'] as const).filter((side) => isIn(draft, side))
      const fit = kept.filter(
        (each) => each.table.position === reference.target && sides.every((side) => isIn(each, side)),
      )
      draft.within = fit[cell(draft, 'source', CELL.within) % Math.max(fit.length, 1)] ?? null
      if (draft.within === null) continue
    }
    if (draft.table.identity.kind !== 'key' || claimIdentity(draft, taken)) kept.push(draft)
  }
  return kept
}

function claimIdentity(draft: Draft, taken: Set<string>): boolean {
  const { parts, position } = draft.table
  const wanted = parts.map((part, index) => {
    const choice = cell(draft, 'source', CELL.parts + index)
    return part.isNullable && choice % 7 === 6 ? null : Math.floor(choice / 3) % Math.min(8, part.type.classes ?? 8)
  })
  const last = parts.at(-1)
  const limit = last?.type.classes ?? 60
  for (let step = 0; step < limit; step++) {
    const classes = wanted.map((each, index) =>
      each === null || index < parts.length - 1 ? each : (each + step) % limit,
    )
    const claim = JSON.stringify([position, draft.within?.number ?? 0, classes])
    if (taken.has(claim)) continue
    taken.add(claim)
    draft.classes = classes
    return true
  }
  return false
}

function settleReferences(drafts: readonly Draft[]): Draft[] {
  return drafts.filter((draft) =>
    (['source', 'target'] as const)
      .filter((side) => isIn(draft, side))
      .every((side) => settleSide(draft, side, drafts)),
  )
}

function settleSide(draft: Draft, side: Side, drafts: readonly Draft[]): boolean {
  const own = draft.table.references.filter((reference) => !reference.isIdentity)
  return own.every((reference, index) => {
    const fit = drafts.filter((each) => each.table.position === reference.target && isIn(each, side))
    const choice = cell(draft, side, CELL.references + index)
    const target = fit[Math.floor(choice / 6) % Math.max(fit.length, 1)] ?? null
    const isHalf = reference.columns.length > 1 && choice % 6 === 4
    const settled = reference.isNullable && choice % 6 === 5 ? null : target
    draft.references[side].set(reference, reference.isNullable && isHalf && target !== null ? 'half' : settled)
    return settled !== null || reference.isNullable
  })
}

function versions(drafts: readonly Draft[], side: Side, haveLooks: boolean): Content {
  const content = new Map<Row, Version>()
  const taken = new Map<Table, Set<number>>()
  for (const draft of drafts.filter((each) => isIn(each, side))) {
    const claims = taken.get(draft.table) ?? new Set()
    taken.set(draft.table, claims)
    content.set(draft, {
      row: draft,
      values: valuesOf(draft, side, claims, haveLooks),
      targets: targetsOf(draft, side),
    })
  }
  return content
}

function targetsOf(draft: Draft, side: Side): Map<Reference, Row | 'half' | null> {
  const targets = new Map<Reference, Row | 'half' | null>(draft.references[side])
  for (const reference of draft.table.references) if (reference.isIdentity) targets.set(reference, draft.within)
  return targets
}

function valuesOf(draft: Draft, side: Side, claims: Set<number>, haveLooks: boolean): Map<string, string | null> {
  const { tag, region, parts, unique, columns, identity } = draft.table
  const values = new Map<string, string | null>()
  // Rows known by their content may be equal; any other row bears its number, by which it is found whatever else changes.
  if (tag !== null)
    values.set(tag, identity.kind === 'content' ? `'content ${cell(draft, side, 0) % 3}'` : `'row ${draft.number}'`)
  if (region !== null) values.set(region, String(cell(draft, side, CELL.region) % 3))
  for (const [index, part] of parts.entries()) {
    const number = draft.classes[index]
    // Without a tag rows are compared by their identity as it looks, so that it must look the same.
    const look = tag === null || !haveLooks ? 0 : cell(draft, side, CELL.parts + index)
    values.set(part.name, number === null || number === undefined ? null : part.type.value(number, look))
  }
  if (unique !== null) {
    const choice = cell(draft, side, CELL.unique)
    const isNull = unique.isNullable && choice % 9 === 8
    values.set(unique.name, isNull ? null : unique.value(claimClass(draft, choice, claims), haveLooks ? choice : 0))
  }
  for (const [index, column] of columns.entries()) {
    const choice = cell(draft, side, CELL.columns + index)
    const isNull = column.isNullable && choice % 4 === 3
    values.set(column.name, isNull ? null : column.type.value(Math.floor(choice / 4)))
  }
  return values
}

function claimClass(draft: Draft, choice: number, claims: Set<number>): number {
  const first = (draft.where === 'target' ? LOCAL : 0) + (Math.floor(choice / 3) % 6)
  for (let number = first; ; number++) {
    if (claims.has(number)) continue
    claims.add(number)
    return number
  }
}
