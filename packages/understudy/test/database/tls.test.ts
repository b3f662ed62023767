import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import { servers, urlOf } from '../support/engines.js'
import { type OwnServer, startOwnServer } from '../support/servers.js'

const file = (name: string) => fileURLToPath(new URL(`./tls/${name}`, import.meta.url))
const text = (name: string) => readFileSync(file(name), 'utf8')
const [plain] = servers.map(({ server }) => server)
const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']

/** Whether the connection by a URL is encrypted, or the code of the error. */
async function encryptionOf(url: string): Promise<boolean | string> {
  try {
    const database = await openDatabase(url)
    return await database.withSession(async (session) => {
      const [row] = await session.query<{ ssl: boolean }>('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
      return row?.ssl ?? 'unknown'
    })
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('a server with TLS', () => {
  let own: OwnServer
  const url = (query: string, { host = '127.0.0.1', database = 'postgres' } = {}) =>
    `${urlOf({ ...own.server, host }, { database })}?${query}`

  beforeAll(async () => {
    const hba = [
      'hostssl only_tls all 127.0.0.1/32 scram-sha-256',
      'hostnossl only_plain all 127.0.0.1/32 scram-sha-256',
      'host only_tls,only_plain all 127.0.0.1/32 reject',
      'host all all 127.0.0.1/32 scram-sha-256',
    ]
    const certificate = { 'server.crt': text('server.crt'), 'server.key': text('server.key') }
    own = await startOwnServer({
      settings: { ssl: 'on' },
      files: { ...certificate, 'pg_hba.conf': hba.join('\n') },
    })
    const database = await openDatabase(urlOf(own.server))
    for (const name of ['only_tls', 'only_plain'])
      await database.withSession((session) => session.script(`create database ${name}`))
  })
  afterAll(() => own.stop())

  test('is asked for it as sslmode says, and without one where it demands it', async () => {
    const root = `&sslrootcert=${encodeURIComponent(file('root.crt'))}`
    const seen = await Promise.all(
      MODES.map((mode) => encryptionOf(url(`sslmode=${mode}${root}`, { host: 'localhost' }))),
    )
    expect(seen).toEqual([false, false, true, true, true, true])
    expect(await encryptionOf(url(''))).toBe(false)
    expect(await encryptionOf(url('', { database: 'only_tls' }))).toBe(true)
    expect(await encryptionOf(url('sslmode=prefer', { database: 'only_plain' }))).toBe(false)
    expect(await encryptionOf(url('sslmode=disable', { database: 'only_tls' }))).toBe('AUTHENTICATION_FAILED')
  })

  test('is verified where that is asked for: its authority, and with verify-full its name', async () => {
    const by = (mode: string, authority: string) => `sslmode=${mode}&sslrootcert=${encodeURIComponent(file(authority))}`
    expect(await encryptionOf(url(by('verify-ca', 'root.crt')))).toBe(true)
    expect(await encryptionOf(url(by('verify-full', 'root.crt')))).toBe('TLS_FAILED')
    for (const mode of ['require', 'verify-ca', 'verify-full'])
      expect(await encryptionOf(url(by(mode, 'other.crt'), { host: 'localhost' }))).toBe('TLS_FAILED')
    expect(await encryptionOf(url('sslmode=require'))).toBe(true)
    expect(await encryptionOf(url('sslmode=verify-full', { host: 'localhost' }))).toBe('TLS_FAILED')
  })
})

test('a server without TLS is reached plainly where sslmode leaves it open, and nothing is said', async () => {
  if (plain === undefined) throw new Error('there is no server')
  const seen = await Promise.all(MODES.slice(0, 4).map((mode) => encryptionOf(`${urlOf(plain)}?sslmode=${mode}`)))
  expect(seen).toEqual([false, false, false, 'TLS_FAILED'])
})
