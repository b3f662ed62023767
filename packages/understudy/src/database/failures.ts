import { type ErrorCode, UnderstudyError } from '../errors.js'
import { redact, redactError } from './redact.js'

/** What an SQL error says, the same for both drivers. All but `sqlstate` and `message` may be missing. */
export interface SqlErrorFacts {
  /** Five characters: PostgreSQL manual, appendix A. */
  readonly sqlstate: string
  readonly message: string
  readonly detail: string | undefined
  readonly hint: string | undefined
  /** The functions and triggers in which it happened. */
  readonly where: string | undefined
  readonly schema: string | undefined
  readonly table: string | undefined
  readonly column: string | undefined
  readonly constraint: string | undefined
}

/** Reads an error that the server reported; undefined for every other error. */
export function describeSqlError(error: unknown): SqlErrorFacts | undefined {
  const sqlstate = textOf(error, 'code')
  // EPIPE, an error of the operating system, looks like an SQLSTATE; only the server's reports have a severity.
  if (!(error instanceof Error) || sqlstate === undefined || textOf(error, 'severity') === undefined) return undefined
  return {
    sqlstate,
    message: error.message,
    detail: textOf(error, 'detail'),
    hint: textOf(error, 'hint'),
    where: textOf(error, 'where'),
    schema: textOf(error, 'schema'),
    table: textOf(error, 'table'),
    column: textOf(error, 'column'),
    constraint: textOf(error, 'constraint'),
  }
}

export interface ConnectionTarget {
  /** The URL as the user wrote it: only to know what must not be printed. */
  readonly url: string
  /** Safe to print. */
  readonly label: string
}

interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
}

/** Turns whatever went wrong while connecting into one clear error without a password. */
export function describeConnectFailure(error: unknown, target: ConnectionTarget): UnderstudyError {
  if (error instanceof UnderstudyError) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  const facts = describeSqlError(error)
  const failure = facts === undefined ? clientFailure(cause, target.label) : serverFailure(facts, target.label)
  const said = [facts?.message ?? innerMessages(cause), facts?.detail].filter(Boolean).join('\n')
  return new UnderstudyError(failure.code, failure.message, {
    detail: redact(said, target.url) || undefined,
    hint: failure.hint,
    cause: redactError(cause, target.url),
  })
}

function serverFailure(facts: SqlErrorFacts, label: string): Failure {
  switch (facts.sqlstate) {
    case '28P01': // invalid_password
      return {
        code: 'AUTHENTICATION_FAILED',
        message: `wrong password for ${label}`,
        hint: 'Check the password in the URL; characters such as @ : / # % must be percent-encoded (@ is %40).',
      }
    case '28000': // invalid_authorization_specification: no such role, no login, or no line in pg_hba.conf
      return {
        code: 'AUTHENTICATION_FAILED',
        message: `the server does not let the role in at ${label}`,
        hint: /no encryption|SSL off/i.test(facts.message)
          ? 'The server may want an encrypted connection: say sslmode=require in the URL. Else pg_hba.conf has no line for this role, database and host.'
          : 'Check that the role exists and has LOGIN, and that pg_hba.conf allows it from this host.',
      }
    case '3D000': // invalid_catalog_name
      return {
        code: 'DATABASE_NOT_FOUND',
        message: `the database does not exist: ${label}`,
        hint: 'Create it first (createdb), or correct the name at the end of the URL.',
      }
    case '42501': // insufficient_privilege
      return {
        code: 'PRIVILEGE_MISSING',
        message: `the role may not connect to ${label}`,
        hint: 'As the owner of the database: grant connect on database … to the role.',
      }
    case '53300': // too_many_connections
      return {
        code: 'TOO_MANY_CONNECTIONS',
        message: `no connection slot is left at ${label}`,
        hint: 'Wait, close other clients, lower the number of workers, or raise max_connections or the role’s connection limit.',
      }
    case '57P03': // cannot_connect_now
      return {
        code: 'SERVER_NOT_READY',
        message: `the server does not take connections at the moment: ${label}`,
        hint: 'It is starting up, shutting down or recovering; try again in a moment.',
      }
    default:
      return unknownFailure(label)
  }
}

function clientFailure(error: Error, label: string): Failure {
  const code = textOf(error, 'code') ?? ''
  if (
    /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOENT|EADDRNOTAVAIL)$/.test(code) ||
    error.message === 'timeout expired'
  ) {
    return {
      code: 'SERVER_UNREACHABLE',
      message: `no server answers at ${label}`,
      hint: unreachableHint(code),
    }
  }
  if (
    /^(ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/.test(code) ||
    /\bSSL\b|\bTLS\b|certificate/.test(error.message)
  ) {
    return {
      code: 'TLS_FAILED',
      message: `no encrypted connection to ${label}`,
      hint: /does not support SSL/.test(error.message)
        ? 'The server has no TLS: use sslmode=disable, or prefer, if the network is trusted.'
        : 'Name the authority with sslrootcert=…, or use sslmode=require, which encrypts without checking who answers.',
    }
  }
  if (/SASL|SCRAM|password/i.test(error.message)) {
    return {
      code: 'AUTHENTICATION_FAILED',
      message: `the server asks for a password: ${label}`,
      hint: 'Put it into the URL (postgres://role:password@host/database), into PGPASSWORD, or into a .pgpass file.',
    }
  }
  return unknownFailure(label)
}

function unreachableHint(code: string): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'Check the host name in the URL.'
  if (code === 'ECONNREFUSED' || code === 'ENOENT')
    return 'Check host and port in the URL, and that the server is running.'
  return 'Check host and port in the URL, and firewalls in between.'
}

function unknownFailure(label: string): Failure {
  return {
    code: 'CONNECTION_FAILED',
    message: `cannot connect to ${label}`,
    hint: 'Check that a PostgreSQL server listens there; psql with the same URL may say more.',
  }
}

/** Whether an error of a running session means that the session is gone, not that a statement failed. */
export function isConnectionLoss(error: unknown): boolean {
  const facts = describeSqlError(error)
  if (facts !== undefined) return /^(57P0[1-5]|25P0[34]|08...)$/.test(facts.sqlstate)
  const code = textOf(error, 'code') ?? ''
  if (/^(ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED|ERR_STREAM_DESTROYED|ERR_STREAM_PREMATURE_CLOSE)$/.test(code))
    return true
  return error instanceof Error && /Connection terminated|not queryable/.test(error.message)
}

export function connectionLost(error: unknown, target: ConnectionTarget): UnderstudyError {
  const cause = error instanceof Error ? error : new Error(String(error))
  return new UnderstudyError('CONNECTION_LOST', `the connection to ${target.label} was lost`, {
    detail: redact(cause.message, target.url),
    hint: 'An open transaction was rolled back by the server. Look at the server’s log, then try again.',
    cause: redactError(cause, target.url),
  })
}

/** A connection attempt to a name with several addresses fails with one error for each of them. */
function innerMessages(error: Error): string {
  if (/client password must be a string$/.test(error.message)) return 'None was given.'
  if (!(error instanceof AggregateError)) return error.message
  return error.errors.map((inner) => (inner instanceof Error ? inner.message : String(inner))).join('\n')
}

function textOf(error: unknown, property: string): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const value: unknown = Reflect.get(error, property)
  return typeof value === 'string' && value !== '' ? value : undefined
}
