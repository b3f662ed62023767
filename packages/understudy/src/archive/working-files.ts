import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'

const LEFTOVER = /^\..+\.(\d+)-([0-9a-f]{8})-[0-9a-f]{8}\.(partial|spool)$/

const IDLE_MS = 3_600_000

/** Where an archive is made: both names are hidden, say which process makes them, and are never taken for an archive. */
export interface WorkingPaths {
  readonly partial: string
  readonly spool: string
}

export function workingPaths(archive: string, spoolFolder: string | undefined): WorkingPaths {
  const stem = `.${basename(archive)}.${process.pid}-${processSpace()}-${randomBytes(4).toString('hex')}`
  return {
    partial: join(dirname(archive), `${stem}.partial`),
    spool: join(spoolFolder ?? dirname(archive), `${stem}.spool`),
  }
}

/**
 * Removes what killed processes left in a folder: only files and folders named as the writer names them, whose process is gone. Of a process
 * of another machine or container nobody can say that here; its files go when they were not touched for an hour, for it keeps writing.
 * Returns the names removed.
 */
export async function sweepLeftovers(folder: string): Promise<string[]> {
  const removed: string[] = []
  for (const name of await readdir(folder)) {
    const [, pid, space] = LEFTOVER.exec(name) ?? []
    if (pid === undefined) continue
    const path = join(folder, name)
    const isGone = space === processSpace() ? !isAlive(Number(pid)) : Date.now() - (await lastTouched(path)) > IDLE_MS
    if (!isGone) continue
    await rm(path, { recursive: true, force: true })
    removed.push(name)
  }
  return removed
}

/** Eight digits for what a process's id is unique in: this machine since its start and, where the system has such things, this container. */
function processSpace(): string {
  let namespace = ''
  try {
    namespace = readlinkSync('/proc/self/ns/pid') + readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
  } catch {
    // No Linux: the machine it is.
  }
  return createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Milliseconds since 1970; of a folder, the newest of its files. 0 where it is gone meanwhile. */
async function lastTouched(path: string): Promise<number> {
  try {
    const facts = await stat(path)
    if (!facts.isDirectory()) return facts.mtimeMs
    const files = await Promise.all((await readdir(path)).map((name) => lastTouched(join(path, name))))
    return Math.max(facts.mtimeMs, ...files)
  } catch {
    return 0
  }
}
