import { ERROR_CODES, type ErrorCode } from './error-codes.js'

export { ERROR_CODES, type ErrorCode }

/** One cause for a refusal, and the rows that it concerns. */
export interface Problem {
  readonly kind: ProblemKind
  readonly relation: string
  /** The columns concerned, with commas between them; null where it is the relation as a whole. */
  readonly column: string | null
  /** One fact, without the rows. */
  readonly message: string
  /** How many rows it concerns; 0 where it concerns none in particular. */
  readonly rows: number
  /** These rows, up to a thousand. */
  readonly cases: readonly ProblemCase[]
}

export type ProblemKind =
  /** The target lacks a relation or a column, or has it otherwise. */
  | 'incompatible'
  | 'not empty'
  | 'unrelated rows'
  /** A value is none of the column's type. */
  | 'unreadable value'
  | 'missing target'
  /** Another row has the value of a unique key. */
  | 'taken value'
  /** A check of the table or of a domain does not hold. */
  | 'refused value'
  | 'null value'
  | 'placeholder'
  /** A row that stands in for one that is there too. */
  | 'stand-in'
  /** A row that is to go, and that a foreign key does not let go. */
  | 'held row'
  /** A row of the archive that a foreign key would delete with one that goes. */
  | 'lost row'

export interface ProblemCase {
  /** The row: its identity as JSON, or its key in the source (`id 5`) where it has none. */
  readonly identity: string
  /** Shortened to 200 characters; null where there is none to show. */
  readonly value: string | null
  /** The row that it collides with, or what the database said. */
  readonly other: string | null
}

export interface ErrorFacts {
  /** The facts behind the message, one a line: relations, identities, files. */
  readonly detail?: string | undefined
  /** What to do about it, as a sentence. Default: the remedy of the code. */
  readonly hint?: string | undefined
  /** What `detail` sums up, for programs. */
  readonly problems?: readonly Problem[] | undefined
  readonly cause?: unknown
}

/**
 * The one error class. `message` is one factual line in lower case without a full stop; `detail` holds facts, `hint` advice
 * (the same three parts as a PostgreSQL error report). Never holds a password.
 */
export class UnderstudyError extends Error {
  override readonly name = 'UnderstudyError'
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly hint: string
  /** What `detail` sums up, for programs; empty where the error has one cause. */
  readonly problems: readonly Problem[]

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    this.detail = facts.detail
    this.hint = facts.hint ?? ERROR_CODES[code].remedy
    this.problems = facts.problems ?? []
  }
}
