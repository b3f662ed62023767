import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { UnderstudyError } from '../errors.js'
import type { ServerUrl } from './server-url.js'

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const
type SslMode = (typeof SSL_MODES)[number]

/** One way to connect: plain, or encrypted with these options. */
export type Encryption = false | ConnectionOptions

/**
 * What `sslmode` says, as ways to try in their order (manual, "SSL Mode Descriptions"). Without a mode it is `prefer`, as for psql; on this machine
 * `allow`, because nobody listens in between and encryption takes time.
 *
 * @throws UnderstudyError `DATABASE_URL_INVALID`, and what reading a certificate throws
 */
export function waysToEncrypt(settings: ServerUrl['settings'], host: string): readonly Encryption[] {
  const mode = modeOf(settings, host)
  if (mode === 'disable') return [false]
  const own = certificateOf(settings)
  const unchecked = { ...own, rejectUnauthorized: false }
  if (mode === 'allow') return [false, unchecked]
  if (mode === 'prefer') return [unchecked, false]
  if (mode === 'no-verify') return [unchecked]
  const ca = authorities(settings)
  if (mode === 'verify-full') return [{ ...own, ca }]
  if (ca !== undefined) return [{ ...own, ca, checkServerIdentity: () => undefined }]
  if (mode === 'require') return [unchecked]
  throw new UnderstudyError('DATABASE_URL_INVALID', 'sslmode=verify-ca needs a file of authorities', {
    hint: 'Name it with `sslrootcert=…`, or say sslmode=verify-full, which trusts the public authorities and compares the name of the host as well.',
  })
}

function modeOf(settings: ServerUrl['settings'], host: string): SslMode {
  const { sslmode, sslrootcert, sslnegotiation } = settings
  const mode = SSL_MODES.find((each) => each === (sslmode ?? defaultMode(settings, host)))
  if (mode === undefined) {
    throw new UnderstudyError('DATABASE_URL_INVALID', `there is no sslmode ${sslmode}`, {
      hint: `It is one of ${SSL_MODES.slice(0, -1).join(', ')}.`,
    })
  }
  if (sslnegotiation === 'direct' && ['disable', 'allow', 'prefer'].includes(mode)) {
    throw new UnderstudyError('DATABASE_URL_INVALID', `sslnegotiation=direct does not go with sslmode=${mode}`, {
      hint: 'Say sslmode=require, or more.',
    })
  }
  // Else anybody with a certificate of a public authority would do.
  if (sslrootcert === 'system' && mode !== 'verify-full') {
    throw new UnderstudyError('DATABASE_URL_INVALID', `sslrootcert=system does not go with sslmode=${mode}`, {
      hint: 'Say sslmode=verify-full, or name a file of authorities.',
    })
  }
  return mode
}

function defaultMode({ ssl, sslrootcert, sslnegotiation }: ServerUrl['settings'], host: string): string {
  if (ssl === 'false' || ssl === '0') return 'disable'
  if (ssl === 'no-verify') return ssl
  // pg verifies here, where libpq does not.
  if (ssl !== undefined || sslrootcert === 'system' || sslnegotiation === 'direct') return 'verify-full'
  return isHere(host) ? 'allow' : 'prefer'
}

function isHere(host: string): boolean {
  return /^(localhost|127\.[\d.]+|::1|\/.*)$/.test(host)
}

function authorities({ sslrootcert }: ServerUrl['settings']): string | undefined {
  return sslrootcert === 'system' ? undefined : readOrDefault(sslrootcert, 'root.crt')
}

function certificateOf({ sslcert, sslkey }: ServerUrl['settings']): ConnectionOptions {
  const cert = readOrDefault(sslcert, 'postgresql.crt')
  return cert === undefined ? {} : { cert, key: readOrDefault(sslkey, 'postgresql.key') }
}

/** The file that is named, or psql's own where it is there. */
function readOrDefault(named: string | undefined, name: string): string | undefined {
  if (named !== undefined) return readFileSync(named, 'utf8')
  const path = join(homeFolder(), '.postgresql', name)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

function homeFolder(): string {
  try {
    return homedir()
  } catch {
    // An account without an entry, as containers have it.
    return '/nonexistent'
  }
}
