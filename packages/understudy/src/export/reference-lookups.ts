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
}

const RULES: LookupRules = { fewestRows: 50_000, share: 1 / 4, mostTargetRows: 20_000 }
/** What fits into a processor's own memory. A look into more of it takes 0.3 µs in place of 0.05, of the one thread that everything else waits for. */
const LIMITS = { bytes: 1024 * 1024, textBytes: 1024 }

/**
 * The identities of small relations by their keys, held as long as an export runs, for the references of large ones. A join costs the server half a
 * microsecond a row, and rows that grow by an identity have to be sorted and sent.
 */
export class ReferenceLookups {
  readonly #context: SqlContext
  readonly #rules: LookupRules
  readonly #counts = new Map<string, Promise<number>>()
  readonly #lookups = new Map<string, Promise<Lookup | null>>()

  constructor(context: SqlContext, rules = RULES) {
    this.#context = context
    this.#rules = rules
  }

  /** What spares columns of a relation of so many rows a join, by their keys in a record. */
  async of(session: Session, relation: ContentRelation, rows: number): Promise<Lookups> {
    const lookups = new Map<string, Lookup>()
    if (session.driver === 'pglite' || rows < this.#rules.fewestRows) return lookups
    const mostRows = Math.min(this.#rules.mostTargetRows, rows * this.#rules.share)
    for (const column of relation.columns) {
      const target = lookupTarget(this.#context, relation, column)
      if (target === null || (await this.#count(session, target)) > mostRows) continue
      const lookup = await this.#read(session, target)
      if (lookup !== null) lookups.set(column.key, lookup)
    }
    return lookups
  }

  /** How many rows a target has, as far as it matters. */
  #count(session: Session, { target }: Alternative): Promise<number> {
    return once(this.#counts, relationLabel(target), async () => {
      const some = `select from ${fromRelation(this.#context, target)} limit ${this.#rules.mostTargetRows + 1}`
      const [counted] = await session.query<{ rows: number }>(`select count(*) as rows from (${some}) t`)
      return Number(counted?.rows)
    })
  }

  #read(session: Session, target: Alternative): Promise<Lookup | null> {
    const name = `${relationLabel(target.target)}, ${target.targetColumn}`
    return once(this.#lookups, name, () => Lookup.read(session.readLines(lookupLines(this.#context, target)), LIMITS))
  }
}

/** Sessions that ask for the same at once share one answer. */
function once<T>(answers: Map<string, Promise<T>>, name: string, ask: () => Promise<T>): Promise<T> {
  const answer = answers.get(name) ?? ask()
  answers.set(name, answer)
  return answer
}
