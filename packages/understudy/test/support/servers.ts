import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import {
  type Account,
  findInstallations,
  type Installation,
  program,
  reachableInstallation,
  serverAccount,
} from './installations.js'

const run = promisify(execFile)
const START_TIMEOUT_MS = 60_000

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '100',
  max_locks_per_transaction: '1024',
  lc_messages: 'C',
}

/** A running server, as tests see it. */
export interface TestServer {
  readonly major: number
  readonly host: string
  readonly port: number
  /** The superuser. */
  readonly role: string
  readonly password: string
}

export interface TestServers {
  readonly servers: readonly TestServer[]
  /** Removed with everything in it when the servers stop. */
  readonly scratch: string
  stop(): Promise<void>
}

interface PreparedServer extends TestServer {
  readonly installation: Installation
  readonly data: string
  readonly log: string
}

/**
 * Starts one server of each installation on a free port of 127.0.0.1, with passwords checked by SCRAM and an ICU
 * collation as the default: text then sorts unlike `collate "C"`, as it does in most real databases.
 */
export async function startServers(): Promise<TestServers> {
  const scratch = await makeScratchRoot()
  try {
    const account = await serverAccount()
    const installations = await findInstallations()
    const ports = await freePorts(installations.length)
    const prepared = await Promise.all(
      installations.map(async (installation, at) => {
        const reachable = await reachableInstallation(installation, account, scratch)
        return await initialise(reachable, { scratch, account, port: ports[at] ?? 0 })
      }),
    )
    const runner = spawnRunner(prepared, account, { scratch })
    await Promise.all(prepared.map(waitUntilReady))
    return { servers: prepared.map(factsOf), scratch, stop: () => stopRunner(runner) }
  } catch (error) {
    await rm(scratch, { recursive: true, force: true })
    throw error
  }
}

/** A server of a test's own, which may be hurt. */
export interface OwnServer {
  readonly server: TestServer
  /** Ends it as a fault would: no checkpoint, nobody is told. */
  crash(): Promise<void>
  /** Starts it again on what it left. */
  restart(): Promise<void>
  /** Starts it again as a replica, which waits for what a primary would send and lets nobody write. */
  restartAsReplica(): Promise<void>
  stop(): Promise<void>
}

/**
 * The newest PostgreSQL, or the one of a major version that the machine has. With `maxFileBytes` its disk is full for every file that would
 * grow longer; WAL needs 16 MiB.
 */
export async function startOwnServer(
  options: {
    readonly major?: number
    readonly maxFileBytes?: number
    readonly settings?: Readonly<Record<string, string>>
    /** Files of its data folder by name, written before it starts. */
    readonly files?: Readonly<Record<string, string>>
  } = {},
): Promise<OwnServer> {
  const scratch = await makeScratchRoot()
  try {
    const account = await serverAccount()
    const { major, maxFileBytes } = options
    const installation = (await findInstallations()).find((each) => major === undefined || each.major === major)
    const [port] = await freePorts(1)
    if (installation === undefined || port === undefined) throw new Error('there is no PostgreSQL to start')
    const reachable = await reachableInstallation(installation, account, scratch)
    const prepared = await initialise(reachable, { scratch, account, port })
    for (const [name, text] of Object.entries(options.files ?? {})) {
      const file = join(prepared.data, name)
      await writeFile(file, text, { mode: 0o600 })
      if (account.uid !== undefined && account.gid !== undefined) await chown(file, account.uid, account.gid)
    }
    // What is committed must be there after a crash.
    const settings = { ...SETTINGS, synchronous_commit: 'on', ...options.settings }
    const run = () => spawnRunner([prepared], account, { scratch, settings, maxFileBytes })
    let runner = run()
    await waitUntilReady(prepared)
    return {
      server: factsOf(prepared),
      async crash() {
        const [pid] = (await readFile(join(prepared.data, 'postmaster.pid'), 'utf8')).split('\n')
        const exited = once(runner, 'exit')
        // Immediate shutdown, as `pg_ctl stop -m immediate` asks for it.
        process.kill(Number(pid), 'SIGQUIT')
        await exited
      },
      async restart() {
        runner = run()
        await waitUntilReady(prepared)
      },
      async restartAsReplica() {
        await writeFile(join(prepared.data, 'standby.signal'), '')
        runner = run()
        await waitUntilReady(prepared)
      },
      async stop() {
        await stopRunner(runner)
        await rm(scratch, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(scratch, { recursive: true, force: true })
    throw error
  }
}

async function makeScratchRoot(): Promise<string> {
  const scratch = await mkdtemp(join(await realpath(tmpdir()), 'understudy-test-'))
  // The servers' account must get through to its own folders.
  await chmod(scratch, 0o711)
  return scratch
}

async function initialise(
  installation: Installation,
  where: { readonly scratch: string; readonly account: Account; readonly port: number },
): Promise<PreparedServer> {
  const { scratch, account, port } = where
  const home = join(scratch, `server-${installation.major}`)
  const data = join(home, 'data')
  const passwordFile = join(home, 'password')
  const password = randomBytes(12).toString('hex')
  await mkdir(home)
  await writeFile(passwordFile, `${password}\n`)
  if (account.uid !== undefined && account.gid !== undefined) {
    await Promise.all([home, passwordFile].map((path) => chown(path, account.uid ?? 0, account.gid ?? 0)))
  }
  const options = ['--no-sync', '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  const collation = installation.major >= 15 ? ['--locale-provider=icu', '--icu-locale=und'] : []
  await run(
    program(installation, 'initdb'),
    [`--pgdata=${data}`, '--encoding=UTF8', '--locale=C', ...collation, ...options],
    { ...account, cwd: home },
  )
  return {
    major: installation.major,
    host: '127.0.0.1',
    port,
    role: 'postgres',
    password,
    installation,
    data,
    log: join(scratch, `server-${installation.major}.log`),
  }
}

interface RunnerOptions {
  readonly scratch: string
  readonly settings?: Readonly<Record<string, string>>
  readonly maxFileBytes?: number | undefined
}

function spawnRunner(
  prepared: readonly PreparedServer[],
  account: Account,
  { scratch, settings = SETTINGS, maxFileBytes }: RunnerOptions,
): ChildProcess {
  const limited = maxFileBytes === undefined ? [] : ['prlimit', `--fsize=${maxFileBytes}`]
  const servers = prepared.map(({ installation, data, port, log }) => ({
    ...account,
    command: limited[0] ?? program(installation, 'postgres'),
    args: [
      ...limited.slice(1),
      ...(limited.length > 0 ? [program(installation, 'postgres')] : []),
      '-D',
      data,
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    log,
  }))
  const script = fileURLToPath(new URL('./run-servers.mjs', import.meta.url))
  return spawn(process.execPath, [script, JSON.stringify({ servers, scratch })], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
}

async function stopRunner(runner: ChildProcess): Promise<void> {
  if (runner.exitCode !== null) return
  const exited = once(runner, 'exit')
  runner.stdin?.end()
  await exited
}

async function waitUntilReady(server: PreparedServer): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (true) {
    const client = new pg.Client({
      host: server.host,
      port: server.port,
      user: server.role,
      password: server.password,
      database: 'postgres',
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`PostgreSQL ${server.major} does not start:\n${await readFile(server.log, 'utf8')}`, {
          cause: error,
        })
      }
      await sleep(50)
    }
  }
}

/**
 * Ports that nobody listens on. Not those that the system would give out: it gives them to every connection of every program too, and one
 * could be taken between here and the start of the server.
 */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = randomInt(10_000, 32_000)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  const listener = createServer()
  try {
    await once(listener.listen(port, '127.0.0.1'), 'listening')
  } catch {
    return false
  }
  listener.close()
  await once(listener, 'close')
  return true
}

function factsOf({ major, host, port, role, password }: PreparedServer): TestServer {
  return { major, host, port, role, password }
}
