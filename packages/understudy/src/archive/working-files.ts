import { randomBytes } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const LEFTOVER = /^\..+\.(\d+)-[0-9a-f]{8}\.(partial|spool)$/

/** Where an archive is made: both names are hidden, carry the process's id, and are never taken for an archive. */
export interface WorkingPaths {
  readonly partial: string
  readonly spool: string
}

export function workingPaths(archive: string, spoolFolder: string | undefined): WorkingPaths {
  const stem = `.${basename(archive)}.${process.pid}-${randomBytes(4).toString('hex')}`
  return {
    partial: join(dirname(archive), `${stem}.partial`),
    spool: join(spoolFolder ?? dirname(archive), `${stem}.spool`),
  }
}

/**
 * Removes what killed processes left in a folder: only files and folders named as the writer names them, whose process is gone and which
 * nobody has touched for a minute (a process in another container is not seen, but it keeps writing). Returns the names removed.
 */
export async function sweepLeftovers(folder: string, options: { readonly idleMs?: number } = {}): Promise<string[]> {
  const { idleMs = 60_000 } = options
  const removed: string[] = []
  for (const name of await readdir(folder)) {
    const pid = LEFTOVER.exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    const path = join(folder, name)
    if (Date.now() - (await lastTouched(path)) < idleMs) continue
    await rm(path, { recursive: true, force: true })
    removed.push(name)
  }
  return removed
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
