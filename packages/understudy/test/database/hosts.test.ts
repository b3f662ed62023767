import { writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import { servers } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'

const [server] = servers.map((engine) => engine.server)
if (server === undefined) throw new Error('there is no server')
const { role, password, port } = server
const account = `${role}:${password}`
/** Nothing listens there. */
const SILENT = '127.0.0.1:1'
const THERE = `127.0.0.1:${port}`

afterEach(() => {
  vi.unstubAllEnvs()
})

async function connectionOf(url: string) {
  const database = await openDatabase(url)
  const port = await database.withSession(async (session) => {
    const [row] = await session.query<{ port: number }>('select inet_server_port() as port')
    return row?.port
  })
  return { port, label: database.label }
}

test('hosts are tried in their order, wherever the list stands', async () => {
  const label = `postgres://${role}@${SILENT},${THERE}/postgres`
  const inQuery = `host=127.0.0.1,127.0.0.1&port=1,${port}`
  expect(await connectionOf(`postgres://${account}@${SILENT},${THERE}/postgres`)).toEqual({ port, label })
  expect(await connectionOf(`postgres://${account}@/postgres?${inQuery}`)).toEqual({ port, label })
  vi.stubEnv('PGHOST', '127.0.0.1,127.0.0.1')
  vi.stubEnv('PGPORT', `1,${port}`)
  expect(await connectionOf(`postgres://${account}@/postgres`)).toEqual({ port, label })
  expect(await connectionOf(`postgres://${account}@${THERE}/postgres`)).toMatchObject({ port })
})

test('the host that is taken is what target_session_attrs asks for', async () => {
  const url = (attributes: string) =>
    `postgres://${account}@${SILENT},${THERE}/postgres?target_session_attrs=${attributes}`
  for (const attributes of ['any', 'read-write', 'primary', 'prefer-standby'])
    expect(await connectionOf(url(attributes))).toMatchObject({ port })
  await expect(connectionOf(url('standby'))).rejects.toMatchObject({
    code: 'SERVER_UNREACHABLE',
    message: `none of the hosts will do: postgres://${role}@${SILENT},${THERE}/postgres`,
    detail: expect.stringMatching(/^no server answers at .*\nthe server is not standby: /),
  })
  await expect(
    connectionOf(`postgres://${account}@${THERE}/postgres?target_session_attrs=standby`),
  ).rejects.toMatchObject({
    code: 'SERVER_UNFIT',
  })
})

test('a wrong password at one host is not tried at the next', async () => {
  const url = `postgres://${role}:wrong@${THERE},${SILENT}/postgres`
  await expect(connectionOf(url)).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' })
})

test('what the URL leaves out comes from the variables of psql and from .pgpass', async () => {
  const passwords = join(await createScratchFolder(), 'pgpass')
  await writeFile(passwords, `127.0.0.1:${port}:postgres:${role}:${password}\n`, { mode: 0o600 })
  const variables = {
    PGHOST: '127.0.0.1',
    PGPORT: `${port}`,
    PGUSER: role,
    PGDATABASE: 'postgres',
    PGPASSFILE: passwords,
  }
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  for (const url of ['postgres://', 'postgres:///postgres', `postgresql://${role}@127.0.0.1`])
    expect(await connectionOf(url)).toEqual({ port, label: `postgres://${role}@${THERE}/postgres` })
})

test('the role is the account, also where no variable names it', async () => {
  for (const name of ['PGUSER', 'USER', 'USERNAME']) vi.stubEnv(name, '')
  const { label } = await openDatabase('postgres://127.0.0.1/')
  expect(label).toBe(`postgres://${userInfo().username}@127.0.0.1:5432/${userInfo().username}`)
})

test.each([
  ['postgres://a/db?service=shop', 'services of pg_service.conf are not read'],
  ['postgres://a/db?sslmode=on', 'there is no sslmode on'],
  ['postgres://a/db?sslmode=verify-ca', 'sslmode=verify-ca needs a file of authorities'],
  ['postgres://a/db?target_session_attrs=master', 'there is no target_session_attrs master'],
  ['postgres:///db?host=a,b,c&port=1,2', '3 hosts have 2 ports'],
])('%s is refused: %s', async (url, message) => {
  vi.stubEnv('HOME', '/nonexistent')
  await expect(openDatabase(url)).rejects.toMatchObject({ code: 'DATABASE_URL_INVALID', message })
})

test('a service that would be passed over is refused', async () => {
  vi.stubEnv('PGSERVICE', 'shop')
  await expect(openDatabase('postgres:///db')).rejects.toMatchObject({ code: 'DATABASE_URL_INVALID' })
  await openDatabase('postgres://a/db')
})
