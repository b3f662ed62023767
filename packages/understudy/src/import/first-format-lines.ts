import type { FirstFormatDocument } from '../archive/first-format.js'
import type { Catalog } from '../catalog/catalog.js'
import { decidingReference } from '../model/discriminator.js'
import {
  type Alternative,
  type ContentColumn,
  type ContentModel,
  type ContentRelation,
  canBeBare,
  type Encoding,
  isVarying,
  type RelationName,
  relationLabel,
  relationOf,
  type Translation,
} from '../model/model.js'
import { VALUE_KEY } from '../model/record-keys.js'
import type { LoadedDocument } from './first-format.js'

type Row = Readonly<Record<string, unknown>>

const LATE_PREFIX = '_late_'
const PARENT_KEY = '_parent_xmlid'
const PARENT_IDENTITY = 'xmlid'

/** Makes lines of today's format of the records of format 1.0.0. What cannot be carried over is added to the problems. */
export class FirstFormatLines {
  readonly #catalog: Catalog
  readonly #model: ContentModel
  readonly #problems: string[]
  readonly #documents: ReadonlyMap<string, readonly Row[]>
  /** The rows of a relation by the values of some of its columns. */
  readonly #indexes = new Map<string, Map<string, Row>>()

  constructor(catalog: Catalog, model: ContentModel, loaded: readonly LoadedDocument[], problems: string[]) {
    this.#catalog = catalog
    this.#model = model
    this.#problems = problems
    this.#documents = new Map(
      loaded.map(({ relation, document }) => [relationLabel(relation), document.records.map(plainRow)]),
    )
    for (const { relation, document } of loaded) this.#resolveParents(relation, document)
  }

  /** The lines of a document, and its relation with the columns that the document has. */
  convert(relation: ContentRelation, document: FirstFormatDocument): { relation: ContentRelation; text: string } {
    const label = relationLabel(relation)
    const rows = this.#documents.get(label) ?? []
    const present = new Set(rows.flatMap((row) => Object.keys(row)))
    const columns = relation.columns.filter(({ name }) => document.records.length === 0 || present.has(name))
    this.#refuseUnknown(relation, present)
    const missing = relation.identity.kind === 'key' ? relation.identity.columns : []
    for (const name of missing) {
      if (!columns.some((column) => column.name === name))
        this.#problem(`${label}.${name}: is the identity, and the archive has no such column`)
    }
    const identities = new Set<string>()
    const lines = rows.map((row) => {
      this.#checkPlainReferences(relation, row)
      if (relation.identity.kind === 'key') {
        const identity = this.#leaves(relation, row).join(', ')
        if (identities.has(identity)) this.#problem(`${label}: two rows have the identity ${identity}`)
        identities.add(identity)
      }
      const fields = columns.map((column) => `${JSON.stringify(column.key)}:${this.#field(relation, column, row)}`)
      return `{${[`"master_id":${masterOf(relation, row)}`, ...fields].join(',')}}\n`
    })
    return { relation: { ...relation, columns }, text: lines.join('') }
  }

  /** In a document of children the parent's column is missing, and `_parent_xmlid` names the parent: its key comes from its own record. */
  #resolveParents(relation: ContentRelation, { parent_table: table, parent_key: key }: FirstFormatDocument): void {
    if (table === undefined || key === undefined) return
    const target = relation.references.find(({ columns }) => columns.length === 1 && columns[0] === key)
    const label = relationLabel(relation)
    if (target === undefined) {
      this.#problem(`${label}.${key}: names its parent, but is no reference in the target`)
      return
    }
    for (const row of this.#documents.get(label) ?? []) {
      const name = row[PARENT_KEY]
      const found =
        name === null || name === undefined ? undefined : this.#find(target.target, [PARENT_IDENTITY], [name])
      if (name !== null && name !== undefined && found === undefined) this.#missing(relation, key, target.target, name)
      Object.assign(row, { [key]: found?.[target.targetColumns[0] ?? ''] ?? null })
    }
  }

  #refuseUnknown(relation: ContentRelation, present: ReadonlySet<string>): void {
    const there = this.#catalog.relations.find((each) => each.schema === relation.schema && each.name === relation.name)
    const known = new Set([...(there?.columns ?? []).map(({ name }) => name), 'id', PARENT_KEY])
    for (const name of present) {
      if (!known.has(name)) this.#problem(`${relationLabel(relation)}.${name}: the target has no such column`)
    }
  }

  /** References whose values travel as they are: what they name must be there all the same. */
  #checkPlainReferences(relation: ContentRelation, row: Row): void {
    for (const reference of relation.references) {
      const isPlain = reference.columns.every(
        (name) => relation.columns.find((each) => each.name === name)?.translation === undefined,
      )
      if (!isPlain || reference.kind !== 'foreign key') continue
      const values = reference.columns.map((name) => row[name])
      if (values.some((value) => value === null || value === undefined)) continue
      if (this.#find(reference.target, reference.targetColumns, values) === undefined)
        this.#missing(relation, reference.columns.join(', '), reference.target, values.join(', '))
    }
  }

  #field(relation: ContentRelation, column: ContentColumn, row: Row): string {
    const value = row[column.name]
    if (value === null || value === undefined) return 'null'
    if (column.fields !== undefined) return this.#unreadable(relation, column.name, 'a composite that refers to rows')
    if (column.translation !== undefined) return this.#identities(relation, column, column.translation, row, value)
    return encodeValue(column.encoding, column.type, value) ?? this.#unreadable(relation, column.name, column.type)
  }

  #identities(
    relation: ContentRelation,
    column: ContentColumn,
    translation: Translation,
    row: Row,
    value: unknown,
  ): string {
    const { discriminator } = translation
    if (translation.none?.includes(String(value)) === true) return JSON.stringify({ [VALUE_KEY]: String(value) })
    if (discriminator !== null && decidingReference(this.#model, relation, discriminator) !== null)
      return this.#unreadable(relation, column.name, `a reference that ${discriminator}, itself one, decides about`)
    const alternative =
      discriminator === null
        ? translation.alternatives[0]
        : translation.alternatives.find(({ when }) => when === String(row[discriminator]))
    if (alternative === undefined) return JSON.stringify({ [VALUE_KEY]: String(value) })
    if (translation.shape === 'value') {
      const values = alternative.join.map((pair) => row[pair.column])
      if (canBeBare(translation) && values.some((each) => each === null || each === undefined))
        return JSON.stringify({ [VALUE_KEY]: String(value) })
      return this.#identity(relation, column.name, alternative, values)
    }
    if (!Array.isArray(value)) return this.#unreadable(relation, column.name, column.type)
    return `[${value.map((each) => (each === null ? 'null' : this.#identity(relation, column.name, alternative, [each]))).join(',')}]`
  }

  #identity(
    relation: ContentRelation,
    column: string,
    { target, join }: Alternative,
    values: readonly unknown[],
  ): string {
    const found = this.#find(
      target,
      join.map((pair) => pair.targetColumn),
      values,
    )
    if (found === undefined) {
      this.#missing(relation, column, target, values.join(', '))
      return 'null'
    }
    const leaves = this.#leaves(relationOf(this.#model, target), found)
    return leaves.length === 1 ? (leaves[0] ?? 'null') : `[${leaves.join(',')}]`
  }

  /** A row's identity, references in it followed down to plain values, each as JSON. */
  #leaves(relation: ContentRelation, row: Row): string[] {
    if (relation.identity.kind !== 'key') return []
    return relation.identity.columns.flatMap((name) => {
      const column = relation.columns.find((each) => each.name === name)
      const [alternative] = column?.translation?.alternatives ?? []
      if (alternative === undefined) {
        const value = row[name]
        if (value === null || value === undefined || column === undefined) return ['null']
        const isText = ['array', 'jsonb', 'document'].includes(column.encoding)
        const encoded = isText ? undefined : encodeValue(column.encoding, column.type, value)
        return [encoded ?? this.#unreadable(relation, name, `${column.type} in an identity`)]
      }
      if (column?.translation === undefined || isVarying(column.translation))
        return [this.#unreadable(relation, name, 'a reference with several targets in an identity')]
      const values = alternative.join.map((pair) => row[pair.column])
      const found = this.#find(
        alternative.target,
        alternative.join.map((pair) => pair.targetColumn),
        values,
      )
      if (found !== undefined) return this.#leaves(relationOf(this.#model, alternative.target), found)
      this.#missing(relation, name, alternative.target, values.join(', '))
      return ['null']
    })
  }

  #find(target: RelationName, columns: readonly string[], values: readonly unknown[]): Row | undefined {
    const rows = this.#documents.get(relationLabel(target))
    if (rows === undefined) return undefined
    const key = JSON.stringify([relationLabel(target), columns])
    let index = this.#indexes.get(key)
    if (index === undefined) {
      index = new Map(rows.map((row) => [keyOf(columns.map((name) => row[name])), row]))
      this.#indexes.set(key, index)
    }
    return index.get(keyOf(values))
  }

  #missing(relation: ContentRelation, column: string, target: RelationName, value: unknown): void {
    const place = `${relationLabel(relation)}.${column}`
    this.#problem(
      this.#documents.has(relationLabel(target))
        ? `${place}: ${value} is none of the ${relationLabel(target)} of the archive`
        : `${place}: refers to ${relationLabel(target)}, which is not in the archive`,
    )
  }

  #unreadable(relation: ContentRelation, column: string, type: string): string {
    this.#problem(`${relationLabel(relation)}.${column}: format 1.0.0 wrote ${type} in a form that cannot be read back`)
    return 'null'
  }

  /** Each once: a relation that is missing would be told for every row. */
  #problem(text: string): void {
    if (!this.#problems.includes(text)) this.#problems.push(text)
  }
}

/** A record under its columns' own names: `master_id` is `id`, and `_late_` marks what is a column like the others. */
function plainRow(record: Row): Row {
  const entries = Object.entries(record).map(([key, value]): [string, unknown] => {
    if (key === 'master_id') return ['id', value]
    return [key.startsWith(LATE_PREFIX) ? key.slice(LATE_PREFIX.length) : key, value]
  })
  return Object.fromEntries(entries)
}

function masterOf(relation: ContentRelation, row: Row): string {
  const values = relation.surrogate.map((name) => row[name] ?? null)
  return JSON.stringify(values.length === 1 ? values[0] : values.length === 0 ? null : values)
}

function keyOf(values: readonly unknown[]): string {
  return JSON.stringify(values.map(String))
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/
const NUMERIC_TYPES = /^(?:smallint|integer|bigint|numeric|real|double precision)/
const DAY_MS = 86_400_000

/**
 * A value as JavaScript's JSON has it, the way it travels today; undefined where it cannot be told what it was. bigint and numeric were
 * written as strings. A `date` was midnight where the exporting program ran, written in UTC: the nearest midnight is its day.
 */
function encodeValue(encoding: Encoding, type: string, value: unknown): string | undefined {
  const text = typeof value === 'string' ? value : undefined
  switch (encoding) {
    case 'json':
      if (text !== undefined && type === 'date' && text.includes('T')) return dayOf(text)
      if (text !== undefined && NUMERIC_TYPES.test(type) && NUMBER.test(text)) return text
      return typeof value === 'object' ? undefined : JSON.stringify(value)
    case 'array':
      return Array.isArray(value) || text !== undefined ? JSON.stringify(value) : undefined
    case 'jsonb':
      return JSON.stringify(isObject(value) && '$json' in value ? { $json: value } : value)
    case 'document':
      return JSON.stringify(JSON.stringify(value))
    case 'money':
      return undefined
    default:
      if (text !== undefined) return JSON.stringify(text)
      return bytesText(value)
  }
}

function dayOf(text: string): string | undefined {
  const time = Date.parse(text)
  return Number.isNaN(time)
    ? undefined
    : JSON.stringify(new Date(Math.round(time / DAY_MS) * DAY_MS).toISOString().slice(0, 10))
}

/** `{"type":"Buffer","data":[…]}`, the JSON of Node's buffers. */
function bytesText(value: unknown): string | undefined {
  if (!isObject(value) || value.type !== 'Buffer' || !Array.isArray(value.data)) return undefined
  return JSON.stringify(`\\x${Buffer.from(value.data as number[]).toString('hex')}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
