import type { Shape, ShapeColumn, ShapeComposite, ShapeRelation } from './shape.js'

/** What a migration did that may have cost data: found in the catalog and in the counters of the transaction, without reading a row. */
export interface Traces {
  readonly droppedRelations: readonly ShapeRelation[]
  readonly droppedColumns: readonly DroppedColumn[]
  readonly droppedAttributes: readonly DroppedAttribute[]
  /** Roots whose rows were deleted, updated, written anew, or whose partitions went. */
  readonly touched: readonly ShapeRelation[]
  /** Partitions that left their root, and are there still or not. */
  readonly leftPartitions: readonly ShapeRelation[]
  /** Oids of composite types whose attributes changed in any way: their values read otherwise now. */
  readonly changedComposites: ReadonlySet<number>
}

export interface DroppedColumn {
  readonly relation: ShapeRelation
  readonly column: ShapeColumn
}

export interface DroppedAttribute {
  readonly composite: ShapeComposite
  readonly attribute: ShapeColumn
}

/**
 * Compares the shapes before and after. Names play no part, but for a table that gave way to a new one of its name. Tables that held nothing are
 * passed over: migrations that set up a fresh database then run once, and draw the same numbers everywhere.
 */
export function findTraces(before: Shape, after: Shape): Traces {
  const filled = new Set([...before.relations.values()].filter(({ hasPages }) => hasPages).map(({ root }) => root))
  const roots = [...before.relations.values()].filter(({ oid, root }) => oid === root && filled.has(oid))
  const leaves = [...before.relations.values()].filter(({ oid, root }) => oid !== root)
  const gone = roots.filter((relation) => !after.relations.has(relation.oid))
  const replaced = gone.filter((relation) => successorOf(relation, before, after) !== undefined)
  const left = leaves.filter(
    (leaf) => after.relations.has(leaf.root) && after.relations.get(leaf.oid)?.root !== leaf.root,
  )
  const concerned = new Set(
    [...before.relations.values()].filter((each) => isWritten(each, before, after)).map(({ root }) => root),
  )
  for (const { root } of left) concerned.add(root)
  return {
    droppedRelations: gone.filter((relation) => !replaced.includes(relation)),
    droppedColumns: roots.flatMap((relation) => droppedColumns(relation, before, after)),
    droppedAttributes: [...before.composites].flatMap(([oid, composite]) =>
      missingColumns(composite.columns, after.composites.get(oid)?.columns).map((attribute) => ({
        composite,
        attribute,
      })),
    ),
    touched: [...roots.filter(({ oid }) => after.relations.has(oid) && concerned.has(oid)), ...replaced],
    leftPartitions: left,
    changedComposites: changedComposites(before, after),
  }
}

export function isHarmless(traces: Traces): boolean {
  const { droppedRelations, droppedColumns, droppedAttributes, touched } = traces
  return droppedRelations.length + droppedColumns.length + droppedAttributes.length + touched.length === 0
}

/** The relation that holds the rows now: itself, under whatever name, or a new one that has taken its name. */
export function successorOf(relation: ShapeRelation, before: Shape, after: Shape): ShapeRelation | undefined {
  const same = after.relations.get(relation.oid)
  if (same !== undefined) return same
  return [...after.relations.values()].find(
    ({ oid, schema, name }) => schema === relation.schema && name === relation.name && !before.relations.has(oid),
  )
}

/** The column that holds the values now: of the same number, or, in a new relation, of the same name. */
export function columnAfter(
  relation: ShapeRelation,
  successor: ShapeRelation,
  column: ShapeColumn,
): ShapeColumn | undefined {
  if (relation.oid === successor.oid) return successor.columns.get(column.number)
  return [...successor.columns.values()].find(({ name }) => name === column.name)
}

function isWritten(relation: ShapeRelation, before: Shape, after: Shape): boolean {
  const now = after.relations.get(relation.oid)
  if (now === undefined) return false
  if (!before.isCounted || !after.isCounted) return true
  return now.deleted !== relation.deleted || now.updated !== relation.updated || now.file !== relation.file
}

/** Values of a generated column are made again whenever they are wanted. */
function droppedColumns(relation: ShapeRelation, before: Shape, after: Shape): DroppedColumn[] {
  const successor = successorOf(relation, before, after)
  if (successor === undefined) return []
  return [...relation.columns.values()]
    .filter((column) => !column.isGenerated && columnAfter(relation, successor, column) === undefined)
    .map((column) => ({ relation, column }))
}

/** Where the type itself is gone, so are the columns that were of it, and they are found as such. */
function missingColumns(
  before: ReadonlyMap<number, ShapeColumn>,
  after: ReadonlyMap<number, ShapeColumn> | undefined,
): ShapeColumn[] {
  return after === undefined ? [] : [...before.values()].filter(({ number }) => !after.has(number))
}

function changedComposites(before: Shape, after: Shape): ReadonlySet<number> {
  const text = (columns: ReadonlyMap<number, ShapeColumn> | undefined) => JSON.stringify([...(columns?.values() ?? [])])
  const changed = [...before.composites].filter(
    ([oid, { columns }]) => text(columns) !== text(after.composites.get(oid)?.columns),
  )
  return new Set(changed.map(([, { typeOid }]) => typeOid))
}
