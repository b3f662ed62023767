import { type FileHandle, open } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UnderstudyError } from '../errors.js'
import { redact } from './redact.js'

export const LOCK_FILE = 'understudy.lock'

/**
 * The byte that is locked lies behind the text: on Windows a locked range cannot even be read, and the text must be.
 * On macOS the whole file is locked, which does not hinder readers.
 */
const LOCKED_BYTE = 1 << 20

export interface FolderLock {
  release(): Promise<void>
}

interface Holder {
  readonly pid: number
  readonly command: string
  readonly host: string
  readonly since: string
}

/**
 * Takes the operating system's lock on a database folder, in a file inside it. The system itself lets go when the process
 * ends, however it ends, so a lock is never stale. The file stays: removing it would let two processes lock two files.
 *
 * Throws DATABASE_LOCKED naming the holder, FOLDER_UNUSABLE where the file cannot be written or locked.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, LOCK_FILE)
  let file: FileHandle | undefined
  try {
    // Not `a+`: an exclusive lock needs a writable file, and what is written must start at the front.
    file = await open(path, 'r+').catch(() => open(path, 'wx+', 0o600))
    const { tryLock } = await import('fs-native-extensions')
    if (!tryLock(file.fd, LOCKED_BYTE, 1)) throw await lockedBy(folder, file)
    await writeHolder(file, ownFacts())
  } catch (error) {
    await file?.close()
    if (error instanceof UnderstudyError) throw error
    throw new UnderstudyError('FOLDER_UNUSABLE', `the database folder cannot be locked: ${folder}`, {
      detail: error instanceof Error ? error.message : String(error),
      hint: 'The folder must be writable and on a file system with locks; some network drives have none.',
      cause: error,
    })
  }
  const held = file
  return {
    async release() {
      // Emptied first, so that nobody reads the name of a process that has let go.
      await held.truncate(0)
      await held.close()
    },
  }
}

function ownFacts(): Holder {
  return {
    pid: process.pid,
    command: redact([basename(process.argv[1] ?? 'node'), ...process.argv.slice(2)].join(' ')),
    host: hostname(),
    since: new Date().toISOString(),
  }
}

async function writeHolder(file: FileHandle, holder: Holder): Promise<void> {
  await file.truncate(0)
  await file.write(`${JSON.stringify(holder)}\n`, 0)
}

async function lockedBy(folder: string, file: FileHandle): Promise<UnderstudyError> {
  const holder = await readHolder(file)
  const who = holder === undefined ? 'another process' : `process ${holder.pid}`
  return new UnderstudyError('DATABASE_LOCKED', `the database folder is in use by ${who}: ${folder}`, {
    detail: holder && `process ${holder.pid} on ${holder.host}, since ${holder.since}\ncommand: ${holder.command}`,
    hint: 'An embedded database serves one process at a time: wait for that process, or end it.',
  })
}

/** The holder writes its facts a moment after it got the lock, so an empty file, or the facts of a dead process, are read again. */
async function readHolder(file: FileHandle): Promise<Holder | undefined> {
  let holder: Holder | undefined
  for (let attempt = 0; attempt < 5; attempt++) {
    if (attempt > 0) await sleep(20)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, 0)
    holder = parseHolder(buffer.toString('utf8', 0, bytesRead))
    if (holder !== undefined && (holder.host !== hostname() || isAlive(holder.pid))) return holder
  }
  return holder
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, command, host, since } = JSON.parse(text)
    return { pid: Number(pid), command: String(command), host: String(host), since: String(since) }
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && Reflect.get(error, 'code') === 'EPERM'
  }
}
