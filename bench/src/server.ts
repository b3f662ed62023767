import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, chown, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openDatabase } from 'understudy'
import { findDumper, findServer, type Installation, program } from './installation.js'
import { profileSettings } from './profile.js'

const run = promisify(execFile)
const START_TIMEOUT_MS = 60_000

/**
 * A small machine's server, the same for both sides. Without fsync, because CPU work is compared and not the disk; without autovacuum,
 * because it would run beside one side and not the other; with room for the log of a whole import, so that no checkpoint falls into a run.
 */
export const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  shared_buffers: '512MB',
  maintenance_work_mem: '128MB',
  max_wal_size: '16GB',
  checkpoint_timeout: '1h',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
}

/** The server that is measured on. */
export interface BenchServer {
  /** To its maintenance database, with the password. */
  readonly url: string
  readonly version: string
  /** What has pg_dump and pg_restore for it; undefined where nothing has. */
  readonly dumper: Installation | undefined
  /** The postmaster, where the server is our own. */
  readonly pid: number | null
  readonly log: string | null
  readonly settings: Readonly<Record<string, string>>
  stop(): Promise<void>
}

export async function connectServer(url: string): Promise<BenchServer> {
  const database = await openDatabase(url)
  const names = Object.keys(SERVER_SETTINGS)
  const [facts] = await database.withSession((session) =>
    session.query<{ version: string; number: number; settings: Record<string, string> }>(
      `select current_setting('server_version') as version, current_setting('server_version_num')::integer as number,
              (select json_object_agg(name, current_setting(name)) from unnest($1::text[]) name) as settings`,
      [names],
    ),
  )
  if (facts === undefined) throw new Error('the server gave no answer')
  const dumper = await findDumper(Math.floor(facts.number / 10_000))
  return {
    url,
    version: facts.version,
    dumper,
    pid: null,
    log: null,
    settings: facts.settings,
    stop: async () => undefined,
  }
}

export interface StartOptions {
  /** True: slow statements, and their plans where there is auto_explain, go into the server's log. */
  readonly isProfile: boolean
}

/** Starts a server in a scratch folder, which is removed with it. Its role is a superuser with a random password. */
export async function startServer({ isProfile }: StartOptions): Promise<BenchServer> {
  const scratch = await mkdtemp(join(await realpath(tmpdir()), 'understudy-bench-'))
  try {
    await chmod(scratch, 0o711)
    const account = await serverAccount()
    const found = await findServer()
    const installation = await reachable(found, account, scratch)
    const { data, password } = await initialise(installation, account, scratch)
    const port = await freePort()
    const log = join(scratch, 'server.log')
    const settings = {
      ...SERVER_SETTINGS,
      ...(isProfile ? await profileSettings(installation) : {}),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      lc_messages: 'C',
    }
    const args = [
      '-D',
      data,
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]
    const order = { ...account, command: program(installation, 'postgres'), args, log, scratch }
    const keeper = spawn(
      process.execPath,
      [fileURLToPath(new URL('./keep-server.js', import.meta.url)), JSON.stringify(order)],
      {
        detached: true,
        stdio: ['pipe', 'ignore', 'inherit'],
      },
    )
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
    await waitUntilReady(url, log)
    return {
      url,
      version: installation.version,
      dumper: found.canDump ? found : undefined,
      pid: Number.parseInt(await readFile(join(data, 'postmaster.pid'), 'utf8'), 10),
      log,
      settings: SERVER_SETTINGS,
      async stop() {
        const exited = once(keeper, 'exit')
        keeper.stdin?.end()
        await exited
      },
    }
  } catch (error) {
    await rm(scratch, { recursive: true, force: true })
    throw error
  }
}

interface Account {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL refuses to run as root. */
async function serverAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
    } catch {
      // No such account: the next one.
    }
  }
  throw new Error('as root the bench needs an account called postgres or nobody to run PostgreSQL')
}

/** A checkout under /root is closed to every other account: then the server runs from a copy. */
async function reachable(installation: Installation, account: Account, scratch: string): Promise<Installation> {
  try {
    await run(program(installation, 'initdb'), ['--version'], { ...account, cwd: scratch })
    return installation
  } catch {
    const copy = join(scratch, 'postgresql')
    await cp(dirname(installation.bin), copy, { recursive: true, verbatimSymlinks: true })
    return { ...installation, bin: join(copy, 'bin') }
  }
}

async function initialise(
  installation: Installation,
  account: Account,
  scratch: string,
): Promise<{ data: string; password: string }> {
  const home = join(scratch, 'server')
  const passwordFile = join(home, 'password')
  const password = randomBytes(12).toString('hex')
  await mkdir(home)
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  const { uid, gid } = account
  if (uid !== undefined && gid !== undefined)
    await Promise.all([home, passwordFile].map((path) => chown(path, uid, gid)))
  const data = join(home, 'data')
  const options = ['--no-sync', '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  await run(program(installation, 'initdb'), [`--pgdata=${data}`, '--encoding=UTF8', '--locale=C', ...options], {
    ...account,
    cwd: home,
  })
  return { data, password }
}

async function waitUntilReady(url: string, log: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  const database = await openDatabase(url)
  while (true) {
    try {
      return await database.withSession(async () => undefined)
    } catch (cause) {
      if (Date.now() > deadline)
        throw new Error(`the server does not start:\n${await readFile(log, 'utf8')}`, { cause })
      await sleep(50)
    }
  }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  listener.close()
  await once(listener, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
