import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import { UnderstudyError } from '../../src/errors.js'
import { administer, servers, urlOf, withTestDatabase } from '../support/engines.js'
import { startMuteServer, startServerOfVersion, type WireServer } from '../support/wire-servers.js'

const PASSWORD = 's3cret/p@ss:wörd'

async function failureOf(url: string): Promise<UnderstudyError> {
  const error = await openDatabase(url)
    .then((database) => database.withSession(async () => undefined))
    .catch((error) => error)
  expect(error).toBeInstanceOf(UnderstudyError)
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD)]) {
    expect(inspect(error, { depth: 9 }), 'no password in any part of the error').not.toContain(secret)
  }
  expect(error.hint).toMatch(/^[A-Z].*\.$/s)
  return error
}

describe.each(servers)('connecting to $name', ({ server }) => {
  const role = `role_${randomBytes(4).toString('hex')}`
  const url = (parts: object = {}) => urlOf(server, { role, password: PASSWORD, ...parts })

  beforeAll(async () => {
    await administer(server, `create role ${role} login password '${PASSWORD}'`)
    return () => administer(server, `drop role ${role}`)
  })

  test('works with a password that must be encoded', async () => {
    const database = await openDatabase(url())
    expect(database.label).toBe(`postgres://${role}@127.0.0.1:${server.port}/postgres`)
    expect(await database.withSession((session) => session.query('select current_user as role'))).toEqual([{ role }])
  })

  test('takes the password from the query as well', async () => {
    const withQuery = `postgres://127.0.0.1:${server.port}/postgres?user=${role}&password=${encodeURIComponent(PASSWORD)}`
    const database = await openDatabase(withQuery)
    expect(database.label).not.toContain('s3cret')
    await database.withSession((session) => session.query('select 1'))
  })

  test('names itself to the server, and lets the server notice a client that is gone', async () => {
    const shown = `select current_setting('application_name') as name, current_setting('client_connection_check_interval') as interval`
    const ask = async (database: ReturnType<typeof openDatabase>) =>
      (await database).withSession((session) => session.query(shown))
    expect(await ask(openDatabase(url()))).toEqual([{ name: 'understudy', interval: '2s' }])
    expect(await ask(openDatabase(url(), { applicationName: 'other' }))).toMatchObject([{ name: 'other' }])
    expect(await ask(openDatabase(`${url()}?application_name=mine`))).toMatchObject([{ name: 'mine' }])
  })

  test('passes on notices to who wants them', async () => {
    const notices: string[] = []
    const database = await openDatabase(url(), { onNotice: (notice) => notices.push(notice) })
    await database.withSession((session) => session.script("do $$ begin raise notice 'heard'; end $$"))
    expect(notices).toEqual(['heard'])
  })

  test('says that the password is wrong', async () => {
    const error = await failureOf(url({ password: 'wrong-one' }))
    expect(error).toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      message: `wrong password for postgres://${role}@127.0.0.1:${server.port}/postgres`,
    })
    expect(inspect(error)).not.toContain('wrong-one')
  })

  test('says that a password is missing', async () => {
    const error = await failureOf(`postgres://${role}@127.0.0.1:${server.port}/postgres`)
    expect(error).toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      message: expect.stringContaining('asks for a password'),
      detail: 'None was given.',
    })
  })

  test('says that a role may not log in', async () => {
    await administer(server, `alter role ${role} nologin`)
    const error = await failureOf(url())
    await administer(server, `alter role ${role} login`)
    expect(error).toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      detail: expect.stringContaining('not permitted to log in'),
    })
  })

  test('says that the database does not exist', async () => {
    expect(await failureOf(url({ database: 'missing' }))).toMatchObject({
      code: 'DATABASE_NOT_FOUND',
      message: `the database does not exist: postgres://${role}@127.0.0.1:${server.port}/missing`,
    })
  })

  test('says that the role may not connect to the database', async () => {
    const engine = servers.find((candidate) => candidate.server === server)
    if (engine === undefined) throw new Error('unreachable')
    await withTestDatabase(engine, async (created) => {
      const name = new URL(created.url).pathname.slice(1)
      await administer(server, `revoke connect on database ${name} from public`)
      expect(await failureOf(url({ database: name }))).toMatchObject({
        code: 'PRIVILEGE_MISSING',
        detail: expect.stringContaining('CONNECT privilege'),
      })
    })
  })

  test('says that no connection is left', async () => {
    await administer(server, `alter role ${role} connection limit 0`)
    const error = await failureOf(url())
    await administer(server, `alter role ${role} connection limit -1`)
    expect(error.code).toBe('TOO_MANY_CONNECTIONS')
  })

  test('says that the server has no encryption', async () => {
    expect(await failureOf(`${url()}?sslmode=require`)).toMatchObject({
      code: 'TLS_FAILED',
      hint: expect.stringContaining('sslmode=disable'),
    })
  })
})

describe('connecting', () => {
  const started: WireServer[] = []
  const keep = (server: WireServer) => {
    started.push(server)
    return server
  }
  afterEach(async () => {
    for (const server of started.splice(0)) await server.close()
  })
  const url = (port: number, query = '') =>
    `postgres://role:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/db${query}`

  test('says that nothing listens on the port', async () => {
    // Not one that was free a moment ago: anybody may have taken it since.
    const port = 1
    expect(await failureOf(url(port))).toMatchObject({
      code: 'SERVER_UNREACHABLE',
      hint: expect.stringContaining('running'),
    })
    expect(await failureOf(`postgres://role:${encodeURIComponent(PASSWORD)}@localhost:${port}/db`)).toMatchObject({
      code: 'SERVER_UNREACHABLE',
      detail: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('says that the host is unknown', async () => {
    const error = await failureOf(`postgres://role:${encodeURIComponent(PASSWORD)}@no-such-host.invalid/db`)
    expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE', hint: 'Check the host name in the URL.' })
  })

  test('gives up on a host that does not answer', async () => {
    const server = keep(await startMuteServer())
    expect((await failureOf(url(server.port, '?connect_timeout=1'))).code).toBe('SERVER_UNREACHABLE')
  })

  test('stops connecting to a host that does not answer when it is told to', async () => {
    const controller = new AbortController()
    const server = keep(
      await startMuteServer(undefined, () => controller.abort(new UnderstudyError('CANCELLED', 'told to'))),
    )
    const database = await openDatabase(url(server.port, '?connect_timeout=600'), { signal: controller.signal })
    await expect(database.withSession(async () => undefined)).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  test('refuses a server that is not PostgreSQL, or too old', async () => {
    const other = keep(await startMuteServer('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect((await failureOf(url(other.port))).code).toBe('CONNECTION_FAILED')
    const old = keep(await startServerOfVersion('130022', '13.22'))
    expect(await failureOf(url(old.port))).toMatchObject({ code: 'SERVER_TOO_OLD', detail: 'It is PostgreSQL 13.22.' })
  })

  test.each([
    `postgres://role:${PASSWORD}@host:99999/db`,
    'postgres://role:s3cret#1@host/db',
    'postgres://role:a@s3cret/1@host/db',
    'postgres://role:5432?s3cret@host/db',
    'postgres://role:5432/s3cret@host/db',
    'postgres://role:s3cret@host/db?sslmode=verify-full&sslrootcert=/no/such/file',
    'mysql://role:s3cret@host/db',
    'postgres:/role:s3cret@host/db',
    'pglite://somewhere?password=s3cret',
    'pglite:',
    '',
  ])('refuses the URL %s without repeating its password', async (bad) => {
    const error = await failureOf(bad)
    expect(error.code).toBe('DATABASE_URL_INVALID')
    expect(inspect(error)).not.toContain('s3cret')
  })
})
