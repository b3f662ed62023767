import type { Catalog } from '../catalog/catalog.js'
import { type ContentColumn, relationLabel } from '../model/model.js'
import type { SqlContext } from '../model/sql-context.js'
import type { Findings } from './findings.js'
import { type Cell, readHeading, type Through, takenKey, targetLeaves } from './headings.js'
import { type FilesetFile, findTarget } from './manifest.js'

/** A heading of a file and what its cells are; `name` is the column's in the staging record. */
export interface Heading {
  readonly text: string
  readonly name: string
  readonly cell: Cell
}

/** A file whose headings are understood. */
export interface FilledFile extends FilesetFile {
  /** The headings of the file in its order; null for a column to ignore. */
  readonly headings: readonly (Heading | null)[]
  /** What `constants` adds to every row, and its value as text. */
  readonly constants: readonly { readonly heading: Heading; readonly value: string | null }[]
  /** Temporary, `(line, cells)`. */
  readonly stage: string
}

export interface HeadingSource {
  readonly catalog: Catalog
  readonly context: SqlContext
  readonly findings: Findings
}

/** Understands the headings of a file; null where something is wrong with them, which is a finding then. */
export function fillFile(
  source: HeadingSource,
  file: FilesetFile,
  texts: readonly string[],
  number: number,
): FilledFile | null {
  const { findings } = source
  const before = findings.count
  const complain = (text: string, what: string) => findings.add(`${file.name}:1, ${text}: ${what}`)
  const { columns = {}, constants = {} } = file.settings
  const understand = (text: string, name: string): Heading | null => {
    const mapped = Object.hasOwn(columns, text) ? columns[text] : text
    if (mapped === null || mapped === undefined) return null
    const cell = cellOf(source, file, text, mapped)
    if (typeof cell !== 'string') return { text, name, cell }
    complain(text, cell)
    return null
  }
  const headings = texts.map((text, index) => understand(text, `c${index + 1}`))
  const added = Object.entries(constants).flatMap(([text, value], index) => {
    const heading = understand(text, `k${index + 1}`)
    return heading === null ? [] : [{ heading, value: value === null ? null : String(value) }]
  })
  for (const text of Object.keys(columns).filter((each) => !texts.includes(each) && !Object.hasOwn(constants, each)))
    complain(text, 'fileset.json speaks of this heading, and the file has none')
  const filled: FilledFile = { ...file, headings, constants: added, stage: `pg_temp.understudy_fileset_${number}` }
  for (const problem of wholeProblems(source.context, filled)) findings.add(`${file.name}:1, ${problem}`)
  return findings.count === before ? filled : null
}

function cellOf(
  { catalog, context }: HeadingSource,
  file: FilesetFile,
  text: string,
  mapped: string | { readonly through: string },
): Cell | string {
  const isJson = file.format === 'json'
  if (typeof mapped === 'string') return readHeading(context, file.relation, mapped, { isJson })
  const through = findTarget(catalog, context.model, mapped.through)
  return typeof through === 'string' ? through : readHeading(context, file.relation, text, { through })
}

/** All cells of a row, constants too. */
export function cellsOf({ headings, constants }: FilledFile): Heading[] {
  return [...headings.filter((each) => each !== null), ...constants.map(({ heading }) => heading)]
}

/** The columns of the relation that the file holds, in the order of the model. */
export function heldColumns(file: FilledFile): ContentColumn[] {
  const held = new Set(cellsOf(file).flatMap(({ cell }) => ('column' in cell ? [cell.column.name] : [])))
  return file.relation.columns.filter((column) => held.has(column.name))
}

/** The columns that the rows of a linking relation get. */
export function linkedColumns({ relation, owner, column }: Through): ContentColumn[] {
  return relation.columns.filter((each) => each.name === owner.name || each.name === column.name)
}

/** What must stand together: the whole identity, all parts of a reference, a discriminator beside what it decides. */
function wholeProblems(context: SqlContext, file: FilledFile): string[] {
  const { relation } = file
  const cells = cellsOf(file).map(({ cell }) => cell)
  const held = heldColumns(file)
  const has = (name: string) => held.some((column) => column.name === name)
  const targets = cells.map(targetOf)
  const problems = targets
    .filter((target, index) => targets.indexOf(target) !== index)
    .map((target) => `${target}: two headings mean it`)
  const { identity } = relation
  if (identity.kind === 'key') {
    const missing = identity.columns.filter((name) => !has(name))
    if (missing.length > 0)
      problems.push(`${missing.join(', ')}: no heading, but rows of ${relationLabel(relation)} are known by it`)
  }
  const own = identity.kind === 'origin' && !cells.some(({ kind }) => kind === 'own')
  if (own)
    problems.push(
      `$origin: no heading, and rows of ${relationLabel(relation)} have no natural key; configure one (relations.….identity)`,
    )
  const master = takenKey(context, relation)
  if (master !== null && !cells.some(({ kind }) => kind === 'master'))
    problems.push(`${master}: no heading, and nothing else fills this key`)
  for (const column of held) {
    const parts = cells.flatMap((cell) => (cell.kind === 'leaf' && cell.column === column ? [cell] : []))
    const wanted = parts.length === 0 ? 0 : (targetLeaves(context.model, column)?.length ?? 0)
    if (parts.length < wanted)
      problems.push(`${column.name}: ${wanted} headings together name a row, and there are ${parts.length}`)
    const discriminator = column.translation?.discriminator
    if (typeof discriminator === 'string' && !has(discriminator))
      problems.push(`${discriminator}: no heading, but it decides what ${column.name} points to`)
  }
  return problems
}

function targetOf(cell: Cell): string {
  switch (cell.kind) {
    case 'own':
      return cell.key
    case 'master':
      return 'the key'
    case 'leaf':
      return `${cell.column.name}/${cell.leaf.path}`
    case 'links':
      return `${relationLabel(cell.through.relation)}.${cell.through.column.name}`
    default:
      return cell.column.name
  }
}
