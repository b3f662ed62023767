import { Lookup } from '../database/lookup.js'
import type { Lookups, Session } from '../database/port.js'
import { lookupLines, lookupTarget } from '../model/lookup-sql.js'
import { type Alternative, type ContentRelation, relationLabel } from '../model/model.js'
import { fromRelation, type SqlContext } from '../model/sql-context.js'

/** When references are looked up here. */
export interface LookupRules {
  /** A relation of fewer rows is joined in no time. */
  readonly fewestRows: number
  /** A target may have so many rows for each of the relation's: reading it costs something too. */
  readonly share: number
  readonly mostTargetRows: number
  readonly mostBytes: number
}

/** What all of them may hold at the same time. */
const BYTES_IN_ALL = 32 * 1024 * 1024

/** What fits into a processor's own memory. A look into more of it takes 0.3 µs in place of 0.05, of the one thread that everything else waits for. */
const RULES: LookupRules = { fewestRows: 50_000, share: 1 / 4, mostTargetRows: 20_000, mostBytes: 1024 * 1024 }
/** Where no join is left, rows come in the order of an index: they need not be sorted, which takes the server 2 µs for each. */
const RULES_FOR_ORDER: LookupRules = { ...RULES, share: 1, mostTargetRows: 500_000, mostBytes: 16 * 1024 * 1024 }
const LONGEST_TEXT_BYTES = 1024

export interface LookupNeeds {
  readonly rows: number
  /** Whether an index has the relation's rows in their order, which joins would undo. */
  readonly isInOrder: boolean
}

/**
 * The identities of small relations by their keys, held as long as an export runs, for the references of large ones. A join costs the server half a
 * microsecond a row, and rows that grow by an identity have to be sorted and sent.
 */
export class ReferenceLookups {
  readonly #context: SqlContext
  readonly #rules: LookupRules
  readonly #rulesForOrder: LookupRules
  readonly #counts = new Map<string, Promise<number>>()
  readonly #lookups = new Map<string, Promise<Lookup | null>>()

  #room: number

  constructor(context: SqlContext, rules?: LookupRules, bytesInAll = BYTES_IN_ALL) {
    this.#context = context
    this.#rules = rules ?? RULES
    this.#rulesForOrder = rules ?? RULES_FOR_ORDER
    this.#room = bytesInAll
  }

  /** What spares columns of a relation a join, by their keys in a record. */
  async of(session: Session, relation: ContentRelation, { rows, isInOrder }: LookupNeeds): Promise<Lookups> {
    if (session.driver === 'pglite') return new Map()
    if (isInOrder && this.#canBeJoinless(relation)) {
      const lookups = await this.#find(session, relation, rows, this.#rulesForOrder)
      if (isJoinless(relation, lookups)) return lookups
    }
    return await this.#find(session, relation, rows, this.#rules)
  }

  /** Told before anything is read: one reference that takes a join makes the large lookups worthless. */
  #canBeJoinless(relation: ContentRelation): boolean {
    const { columns } = relation
    return columns.every(
      (column) =>
        (column.translation === undefined && column.fields === undefined) ||
        lookupTarget(this.#context, relation, column) !== null,
    )
  }

  async #find(session: Session, relation: ContentRelation, rows: number, rules: LookupRules): Promise<Lookups> {
    const lookups = new Map<string, Lookup>()
    if (rows < rules.fewestRows) return lookups
    const mostRows = Math.min(rules.mostTargetRows, rows * rules.share)
    for (const column of relation.columns) {
      const target = lookupTarget(this.#context, relation, column)
      if (target === null || (await this.#count(session, target)) > mostRows) continue
      const lookup = await this.#read(session, target, rules)
      if (lookup !== null) lookups.set(column.key, lookup)
    }
    return lookups
  }

  /** How many rows a target has, as far as it matters. */
  #count(session: Session, { target }: Alternative): Promise<number> {
    return once(this.#counts, relationLabel(target), async () => {
      const some = `select from ${fromRelation(this.#context, target)} limit ${this.#rulesForOrder.mostTargetRows + 1}`
      const [counted] = await session.query<{ rows: number }>(`select count(*) as rows from (${some}) t`)
      return Number(counted?.rows)
    })
  }

  #read(session: Session, target: Alternative, { mostBytes }: LookupRules): Promise<Lookup | null> {
    const name = `${relationLabel(target.target)}, ${target.targetColumn}, ${mostBytes}`
    return once(this.#lookups, name, async () => {
      // Another session may be reading one too.
      const bytes = Math.min(mostBytes, this.#room)
      this.#room -= bytes
      const lines = session.readLines(lookupLines(this.#context, target))
      const lookup = await Lookup.read(lines, { bytes, textBytes: LONGEST_TEXT_BYTES })
      this.#room += bytes - (lookup?.bytes ?? 0)
      return lookup
    })
  }
}

/** Whether a relation's records are made without another one, but for what is looked up. */
export function isJoinless({ columns }: ContentRelation, lookups: Lookups): boolean {
  return columns.every(
    ({ key, translation, fields }) => (translation === undefined && fields === undefined) || lookups.has(key),
  )
}

/** Sessions that ask for the same at once share one answer. */
function once<T>(answers: Map<string, Promise<T>>, name: string, ask: () => Promise<T>): Promise<T> {
  const answer = answers.get(name) ?? ask()
  answers.set(name, answer)
  return answer
}
