import { type ErrorCode, UnderstudyError } from '../errors.js'

export const EXIT_CODES = {
  done: 0,
  error: 1,
  /** Migrations are waiting to be run. */
  pending: 2,
  /** Somebody else holds the database or a lock in it. */
  locked: 3,
  /** Checks failed: what is there is not what should be. */
  invalid: 4,
  /** The guard stopped a migration that would lose data. */
  loss: 5,
  /** A rehearsal failed. */
  rehearsal: 6,
} as const

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES]

const CODES_OF_ERRORS: Partial<Record<ErrorCode, ExitCode>> = {
  CHECKS_FAILED: EXIT_CODES.invalid,
  DATABASE_LOCKED: EXIT_CODES.locked,
  LOCK_NOT_AVAILABLE: EXIT_CODES.locked,
  MIGRATION_DRIFT: EXIT_CODES.invalid,
  MIGRATION_LOCK_TIMEOUT: EXIT_CODES.locked,
  MIGRATION_UNFINISHED: EXIT_CODES.invalid,
  DATA_LOSS: EXIT_CODES.loss,
  REHEARSAL_FAILED: EXIT_CODES.rehearsal,
}

export function exitCodeOf(error: unknown): ExitCode {
  return (error instanceof UnderstudyError && CODES_OF_ERRORS[error.code]) || EXIT_CODES.error
}
