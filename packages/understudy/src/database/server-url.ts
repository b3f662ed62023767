import { userInfo } from 'node:os'
import { UnderstudyError } from '../errors.js'

/** A URL of a server, taken apart as far as pg leaves it to us: several hosts, and what libpq's parameters say that pg reads otherwise. */
export interface ServerUrl {
  /** One URL for each host, without the parameters below. */
  readonly urls: readonly string[]
  /** Parameters that we heed ourselves, decoded; one that is not in the URL comes from the variable that libpq has for it. */
  readonly settings: Readonly<Partial<Record<OwnParameter, string>>>
}

/** Parameters of libpq and their variables (manual, "Parameter Key Words" and "Environment Variables"); `ssl` is pg's own. */
const OWN_PARAMETERS = {
  sslmode: 'PGSSLMODE',
  ssl: null,
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslnegotiation: 'PGSSLNEGOTIATION',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
} as const

type OwnParameter = keyof typeof OWN_PARAMETERS

const HOST = /^(?:\[[^\]]*\]|[^:[\]]*)(?::\d*)?$/

/**
 * Reads `postgres://role:password@a:5432,b:5433/database?…`, its hosts also from `?host=a,b&port=5432,5433` or PGHOST and PGPORT.
 *
 * @throws UnderstudyError `DATABASE_URL_INVALID`
 */
export function parseServerUrl(url: string): ServerUrl {
  const [, scheme = '', authority = '', path = '', query = ''] =
    /^(postgres(?:ql)?:\/\/)([^/?#]*)([^?]*)(?:\?(.*))?$/is.exec(url) ?? []
  const pairs = query.split('&').map((pair) => [pair.split('=', 1)[0] ?? '', pair] as const)
  const parameter = (name: string) => {
    const pair = pairs.findLast(([key]) => key === name)?.[1]
    return pair === undefined ? undefined : decoded(pair.slice(name.length + 1))
  }
  // Else what follows the password's own / or ? would be taken for a host or a database, and printed as one.
  if (path.includes('@') || pairs.some(([key]) => key.includes('@'))) throw new Error('an @ behind the host')
  const at = authority.lastIndexOf('@') + 1
  const [role, given] = [authority.slice(0, at), authority.slice(at)]
  refuseService(parameter('service'), given || parameter('host'))
  const list = hostsOf(given, parameter('host'), parameter('port'))
  const dropped = ['uselibpqcompat', ...Object.keys(OWN_PARAMETERS), ...(list === null ? [] : ['host', 'port'])]
  const rest = pairs.flatMap(([key, pair]) => (pair === '' || dropped.includes(key) ? [] : [pair]))
  const account = /^[^:]/.test(role) || parameter('user') ? [] : defaultRole()
  const urlOf = (host: string, more: readonly string[] = []) => {
    const parameters = [...rest, ...account, ...more].join('&')
    return `${scheme}${role}${host}${path}${parameters === '' ? '' : `?${parameters}`}`
  }
  const settings = Object.entries(OWN_PARAMETERS).map(([name, variable]) => [
    name,
    parameter(name) || (variable === null ? undefined : process.env[variable]) || undefined,
  ])
  return {
    urls: list?.map((each) => urlOf('', hostParameters(each))) ?? [urlOf(given)],
    settings: Object.fromEntries(settings),
  }
}

interface HostAndPort {
  readonly host: string
  readonly port: string
}

/** The hosts of a list; null where there is none, so that pg reads the one that there is. */
function hostsOf(given: string, host: string | undefined, port: string | undefined): HostAndPort[] | null {
  if (given.includes(',')) {
    const parts = given.split(',')
    // Else it is no list but a password with characters that must be encoded.
    if (!parts.every((part) => HOST.test(part))) return null
    return parts.map((part) => {
      const [, name = '', number = ''] = /^(.*?)(?::(\d*))?$/.exec(part) ?? []
      return { host: decoded(name.replace(/^\[(.*)\]$/, '$1')), port: number }
    })
  }
  const hosts = host ?? (given === '' ? process.env.PGHOST : undefined)
  if (hosts?.includes(',') !== true) return null
  const names = hosts.split(',')
  const ports = (port ?? process.env.PGPORT ?? '').split(',')
  if (ports.length > 1 && ports.length !== names.length) {
    throw new UnderstudyError('DATABASE_URL_INVALID', `${names.length} hosts have ${ports.length} ports`, {
      hint: 'Give one port for all hosts, or one for each.',
    })
  }
  return names.map((name, index) => ({ host: name, port: ports[ports.length === 1 ? 0 : index] ?? '' }))
}

function hostParameters({ host, port }: HostAndPort): string[] {
  return [`host=${encodeURIComponent(host || 'localhost')}`, ...(port === '' ? [] : [`port=${port}`])]
}

/** pg knows the account by USER alone, which a container or cron may not set. */
function defaultRole(): string[] {
  if (process.env.PGUSER || process.env.USER || process.env.USERNAME) return []
  try {
    return [`user=${encodeURIComponent(userInfo().username)}`]
  } catch {
    return []
  }
}

/** Passed over, it would lead to another server than the one that is meant. */
function refuseService(named: string | undefined, host: string | undefined): void {
  const variable = host ? undefined : process.env.PGSERVICE
  const service = named ?? variable
  if (!service) return
  throw new UnderstudyError('DATABASE_URL_INVALID', 'services of pg_service.conf are not read', {
    detail: named === undefined ? `PGSERVICE is ${service}, and the URL names no host.` : `service=${service}`,
    hint: 'Write host, port and database of the service into the URL.',
  })
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
