/**
 * Every code of an error that Understudy raises itself, with its one-line meaning.
 * `docs/errors.md` is generated from this table.
 */
export const ERROR_CODES = {
  CONFIG_NOT_FOUND: 'a configuration file that was named does not exist',
  CONFIG_INVALID: 'the configuration does not fit its own rules or the catalog; every problem is listed',
} as const

export type ErrorCode = keyof typeof ERROR_CODES

export interface ErrorFacts {
  /** The facts behind the message, one a line: relations, identities, files. */
  readonly detail?: string | undefined
  /** What to do about it, as a sentence. */
  readonly hint?: string | undefined
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
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    this.detail = facts.detail
    this.hint = facts.hint
  }
}
