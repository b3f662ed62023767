import { Socket } from 'node:net'
import pg from 'pg'
import { UnderstudyError } from '../errors.js'
import { createConnector, parseSessionAttributes, type Way } from './connector.js'
import { type ConnectionTarget, describeConnectFailure, describeSqlError } from './failures.js'
import type { OpenOptions } from './open.js'
import type { Database, Session } from './port.js'
import { ReadingSocket } from './reading-socket.js'
import { redact } from './redact.js'
import { parseServerUrl, type ServerUrl } from './server-url.js'
import { misuse } from './session-guard.js'
import { waysToEncrypt } from './ssl-modes.js'
import { decoderFor } from './values.js'

const OLDEST_VERSION = 140000
const CONNECT_TIMEOUT_MS = 15_000
/** After this long a server notices that its client is gone, even in the middle of a statement. */
const CLIENT_CHECK_INTERVAL_MS = 2000
/** The same for a network that is gone: after 10 s of silence the server asks three times, 5 s apart. */
const KEEPALIVES = { idle: 10, interval: 5, count: 3 }

/** A database on a server. Connects at the first session. */
export function openPostgres(url: string, options: OpenOptions): Database {
  const { urls, settings } = understand(url, () => parseServerUrl(url))
  const ways = urls.flatMap((each, host) => waysTo(each, settings, options).map((way) => ({ ...way, host })))
  const label = [...new Set(ways.map((way) => way.target.label))].reduce(joinLabels)
  const wanted = understand(url, () => parseSessionAttributes(settings.target_session_attrs))
  const connector = createConnector(ways, { label, wanted, prepare, onNotice: options.onNotice })
  let isClosed = false
  return {
    driver: 'postgres',
    label,
    maxSessions: Number.POSITIVE_INFINITY,
    async withSession(use) {
      if (isClosed) throw misuse('a database was used after it was closed')
      // What is done after an abort, such as a note of it, still gets its session.
      const signal = options.signal?.aborted ? undefined : options.signal
      const session = await connector.connect(signal)
      try {
        return await use(session)
      } finally {
        await session.end()
      }
    },
    async close() {
      isClosed = true
    },
  }
}

/** The ways to one host: one for each kind of encryption that may be tried. */
function waysTo(url: string, settings: ServerUrl['settings'], options: OpenOptions): Omit<Way, 'host'>[] {
  const config = clientConfig(url, options)
  return understand(url, () => {
    const client = new pg.Client({ ...config, ssl: false })
    const target = { url, label: labelOf(client) }
    return waysToEncrypt(settings, client.host).map((ssl) => {
      const sslnegotiation = ssl === false ? 'postgres' : (settings.sslnegotiation ?? 'postgres')
      return { config: { ...config, ssl, sslnegotiation } as pg.ClientConfig, target }
    })
  })
}

function clientConfig(url: string, options: OpenOptions): pg.ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs(url),
    fallback_application_name: options.applicationName ?? 'understudy',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // TLS has sockets of its own.
    stream: ({ ssl }: { readonly ssl?: unknown }) => (ssl ? new Socket() : new ReadingSocket()),
    types: { getTypeParser: (oid: number) => decoderFor(oid) },
  } as unknown as pg.ClientConfig
}

function connectTimeoutMs(url: string): number {
  const seconds = Number(/[?&]connect_timeout=(\d+)/.exec(url)?.[1] ?? process.env.PGCONNECT_TIMEOUT ?? Number.NaN)
  return Number.isNaN(seconds) ? CONNECT_TIMEOUT_MS : seconds * 1000
}

/** Runs what reads a URL. Its error holds the URL, so it is not passed on as the cause. */
function understand<T>(url: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnderstudyError) throw error
    throw new UnderstudyError('DATABASE_URL_INVALID', 'the database URL cannot be understood', {
      detail: error instanceof Error ? redact(error.message, url) : undefined,
      hint: 'Write postgres://role:password@host:5432/database; characters such as @ : / # % in a password must be percent-encoded (@ is %40).',
    })
  }
}

function labelOf(client: pg.Client): string {
  const host = client.host.includes(':') ? `[${client.host}]` : encodeURIComponent(client.host)
  const role = client.user === undefined ? '' : `${encodeURIComponent(client.user)}@`
  return `postgres://${role}${host}:${client.port}/${encodeURIComponent(client.database ?? '')}`
}

/** `postgres://role@a:5432/shop` and `postgres://role@b:5432/shop` are `postgres://role@a:5432,b:5432/shop`. */
function joinLabels(first: string, other: string): string {
  const host = /^postgres:\/\/(?:[^@]*@)?(.*)\/[^/]*$/.exec(other)?.[1] ?? ''
  return first.replace(/\/([^/]*)$/, `,${host}/$1`)
}

async function prepare(session: Session, target: ConnectionTarget): Promise<void> {
  const [server] = await session
    .query<{ version: number; name: string }>(
      `select current_setting('server_version_num')::integer as version, current_setting('server_version') as name`,
    )
    .catch((error) => {
      throw describeConnectFailure(error, target)
    })
  if (server === undefined || server.version < OLDEST_VERSION) {
    throw new UnderstudyError('SERVER_TOO_OLD', `the server at ${target.label} is too old`, {
      detail: `It is PostgreSQL ${server?.name ?? 'of an unknown version'}.`,
      hint: 'PostgreSQL 14 or newer is needed.',
    })
  }
  await noticeLostClients(session)
}

async function noticeLostClients(session: Session): Promise<void> {
  try {
    await session.query(`select set_config('client_connection_check_interval', $1::text, false)`, [
      CLIENT_CHECK_INTERVAL_MS,
    ])
  } catch (error) {
    // Refused where the server's operating system cannot tell, such as Windows; the lock is then held a little longer.
    if (describeSqlError(error)?.sqlstate !== '22023' /* invalid_parameter_value */) throw error
  }
  // A client whose network is gone says nothing at all; by default a server keeps its locks for two hours more.
  await session.script(`set tcp_keepalives_idle = ${KEEPALIVES.idle}; set tcp_keepalives_interval = ${KEEPALIVES.interval};
    set tcp_keepalives_count = ${KEEPALIVES.count}`)
}
