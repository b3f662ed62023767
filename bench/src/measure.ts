import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import type { Databases } from './databases.js'
import { type Outcome, summary } from './outcome.js'
import type { BenchServer } from './server.js'

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Default: that of the bench. */
  readonly folder?: string
}

/** One run of one contender. */
export interface Run {
  /** From the start of the process to its end. */
  readonly durationMs: number
  /** CPU time of the process and of the server's sessions; null where the system does not tell. Other work on the machine does not change it. */
  readonly clientCpuMs: number | null
  readonly serverCpuMs: number | null
  /** Of our own process only. */
  readonly outcome: Outcome | null
}

/** Runs a command to its end; throws with what it said where it fails. */
export async function measure(command: Command, server: BenchServer, databases: Databases): Promise<Run> {
  await databases.waitForQuiet()
  await databases.settle()
  const before = { client: reapedCpuMs(process.pid), server: server.pid === null ? null : reapedCpuMs(server.pid) }
  const startedAt = performance.now()
  const { output, report } = await runCommand(command)
  const durationMs = performance.now() - startedAt
  await databases.waitForQuiet()
  return {
    durationMs,
    clientCpuMs: since(before.client, reapedCpuMs(process.pid)),
    serverCpuMs: server.pid === null ? null : since(before.server, reapedCpuMs(server.pid)),
    outcome: report === '' ? null : { peakBytes: Number(report), ...summary(JSON.parse(output)) },
  }
}

/** Returns what the command printed, and what `report-memory` says of it; throws with its complaints where it fails. */
export async function runCommand(command: Command): Promise<{ output: string; report: string }> {
  const child = spawn(command.command, command.args, {
    cwd: command.folder,
    env: { ...process.env, ...command.environment },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const texts = child.stdio.slice(1).map((stream) => textOf(stream as Readable))
  const [code] = await once(child, 'close')
  const [output = '', errors = '', report = ''] = await Promise.all(texts)
  if (code !== 0) throw new Error(`${command.command} ended with ${code}:\n${errors}`)
  return { output, report }
}

/** Linux counts in hundredths of a second, on every platform that Node runs on. */
const TICK_MS = 10

/** CPU time of a process's children that have ended (proc(5), `/proc/<pid>/stat`: cutime and cstime). Null elsewhere than on Linux. */
function reapedCpuMs(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name, which may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [user, system] = [Number(fields[13]), Number(fields[14])]
    return Number.isFinite(user + system) ? (user + system) * TICK_MS : null
  } catch {
    return null
  }
}

function since(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : after - before
}
