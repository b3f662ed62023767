import type pg from 'pg'
import { UnderstudyError } from '../errors.js'
import { type ConnectionTarget, describeSqlError } from './failures.js'
import type { Session } from './port.js'
import { PostgresSession } from './postgres-session.js'

/** One way to reach a database: a host, and whether the connection is encrypted. */
export interface Way {
  readonly config: pg.ClientConfig
  readonly target: ConnectionTarget
  /** Ways with the same number lead to the same host. */
  readonly host: number
}

const SESSION_ATTRIBUTES = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const
type SessionAttributes = (typeof SESSION_ATTRIBUTES)[number]

export interface ConnectorOptions {
  /** The database, for messages. */
  readonly label: string
  readonly wanted: SessionAttributes
  /** Looks at a new session before anybody gets it. */
  readonly prepare: (session: Session, target: ConnectionTarget) => Promise<void>
  readonly onNotice: ((message: string) => void) | undefined
}

export interface Connector {
  connect(signal: AbortSignal | undefined): Promise<PostgresSession>
}

/**
 * Connects by the first way that works, as libpq does: the next kind of encryption where a server has none of the first or does not want it, the next
 * host where one does not answer, is not ready, or is not what `target_session_attrs` asks for. Sessions that follow go where the first one went, so
 * that all of them see the same server.
 */
export function createConnector(ways: readonly Way[], options: ConnectorOptions): Connector {
  let known: Way | undefined
  return {
    async connect(signal) {
      const found = await connectFirst(known === undefined ? ways : [known], options, signal).catch((error) => {
        if (known === undefined || ways.length === 1 || !isOfHost(error)) throw error
        return connectFirst(ways, options, signal)
      })
      known = found.way
      return found.session
    },
  }
}

interface Connected {
  readonly session: PostgresSession
  readonly way: Way
}

async function connectFirst(
  ways: readonly Way[],
  options: ConnectorOptions,
  signal: AbortSignal | undefined,
): Promise<Connected> {
  const rounds = options.wanted === 'prefer-standby' ? (['standby', 'any'] as const) : [options.wanted]
  const failures: UnderstudyError[] = []
  for (const wanted of rounds) {
    failures.length = 0
    for (const host of new Set(ways.map((way) => way.host))) {
      const ofHost = ways.filter((way) => way.host === host)
      try {
        return await connectToHost(ofHost, { ...options, wanted }, signal)
      } catch (error) {
        if (!isOfHost(error)) throw error
        failures.push(error)
      }
    }
  }
  throw summaryOf(failures, options.label)
}

async function connectToHost(
  ways: readonly Way[],
  options: ConnectorOptions,
  signal: AbortSignal | undefined,
): Promise<Connected> {
  let first: unknown
  for (const [index, way] of ways.entries()) {
    try {
      return { session: await connectBy(way, options, signal), way }
    } catch (error) {
      first ??= error
      const isOfWay = isOfEncryption(error, way)
      if (isOfWay && index < ways.length - 1) continue
      // What the second way says is beside the point where it is refused as well.
      throw isOfWay ? first : error
    }
  }
  throw first
}

async function connectBy(way: Way, options: ConnectorOptions, signal: AbortSignal | undefined) {
  signal?.throwIfAborted()
  const session = new PostgresSession(way.config, way.target)
  if (options.onNotice !== undefined) session.onNotice(options.onNotice)
  try {
    await session.connect(signal)
    await session.abortable(signal, async () => {
      await options.prepare(session, way.target)
      await requireAttributes(session, options.wanted, way.target)
    })
    return session
  } catch (error) {
    await session.end()
    throw error
  }
}

/** The server has no encryption, or cannot agree on any, or pg_hba.conf has no line for this kind of connection. */
function isOfEncryption(error: unknown, { config }: Way): boolean {
  if (!(error instanceof UnderstudyError)) return false
  if (error.code === 'CONNECTION_FAILED') return Boolean(config.ssl)
  return error.code === 'TLS_FAILED' || describeSqlError(error.cause)?.sqlstate === '28000'
}

const ANOTHER_HOST_MAY_DO = ['SERVER_UNREACHABLE', 'SERVER_NOT_READY', 'SERVER_UNFIT']

function isOfHost(error: unknown): error is UnderstudyError {
  return error instanceof UnderstudyError && ANOTHER_HOST_MAY_DO.includes(error.code)
}

function summaryOf(failures: readonly UnderstudyError[], label: string): UnderstudyError {
  const [first, ...others] = failures
  if (first === undefined) throw new Error('there is no host to connect to')
  if (others.length === 0) return first
  const lines = failures.map(({ message, detail }) =>
    [message, detail?.replaceAll('\n', '; ')].filter(Boolean).join(': '),
  )
  return new UnderstudyError(first.code, `none of the hosts will do: ${label}`, {
    detail: lines.join('\n'),
    hint: [...new Set(failures.map(({ hint }) => hint))].join(' '),
    cause: first,
  })
}

/** @throws UnderstudyError `DATABASE_URL_INVALID` */
export function parseSessionAttributes(text = 'any'): SessionAttributes {
  const known = SESSION_ATTRIBUTES.find((each) => each === text)
  if (known !== undefined) return known
  throw new UnderstudyError('DATABASE_URL_INVALID', `there is no target_session_attrs ${text}`, {
    hint: `It is one of ${SESSION_ATTRIBUTES.join(', ')}.`,
  })
}

async function requireAttributes(
  session: Session,
  wanted: SessionAttributes,
  { label }: ConnectionTarget,
): Promise<void> {
  if (wanted === 'any') return
  const [server] = await session.query<{ is_standby: boolean; is_read_only: boolean }>(
    `select pg_catalog.pg_is_in_recovery() as is_standby,
            pg_catalog.pg_is_in_recovery() or pg_catalog.current_setting('default_transaction_read_only') = 'on' as is_read_only`,
  )
  const fits = {
    'read-write': server?.is_read_only === false,
    'read-only': server?.is_read_only === true,
    primary: server?.is_standby === false,
    standby: server?.is_standby === true,
    'prefer-standby': true,
  }[wanted]
  if (fits) return
  throw new UnderstudyError('SERVER_UNFIT', `the server is not ${wanted}: ${label}`)
}
