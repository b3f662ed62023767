import { mkdir, open, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Installation } from './installation.js'
import type { BenchServer } from './server.js'

const MIN_STATEMENT_MS = 100
const PREFIX = 'bench|'

export interface SlowStatement {
  readonly durationMs: number
  /** On one line. */
  readonly statement: string
}

/** Takes the server's log apart, run by run. */
export interface Profile {
  /** Holds the log of each run, with plans, and the CPU profiles of our process. */
  readonly folder: string
  /** A run begins. */
  mark(): Promise<void>
  /** A run is over: keeps its part of the log, and returns its slow statements, longest first. */
  take(name: string): Promise<SlowStatement[]>
}

/** Settings under which a server logs slow statements, and their plans where it has auto_explain. */
export async function profileSettings({ bin }: Installation): Promise<Readonly<Record<string, string>>> {
  const statements = { log_min_duration_statement: String(MIN_STATEMENT_MS), log_line_prefix: PREFIX }
  const libraries = ['lib', 'lib/postgresql'].map((folder) => join(bin, '..', folder, 'auto_explain.so'))
  const found = await Promise.all(libraries.map((path) => stat(path).catch(() => null)))
  if (found.every((each) => each === null)) return statements
  return {
    ...statements,
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': String(MIN_STATEMENT_MS),
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_buffers': 'on',
    'auto_explain.log_nested_statements': 'on',
  }
}

export async function beginProfile({ log }: BenchServer): Promise<Profile> {
  if (log === null) throw new Error('only a server of our own can be profiled')
  const folder = fileURLToPath(new URL('../results/profile', import.meta.url))
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  let from = 0
  return {
    folder,
    async mark() {
      from = (await stat(log)).size
    },
    async take(name) {
      const text = await readFrom(log, from)
      await writeFile(join(folder, `${name}.log`), text)
      return slowStatements(text)
    },
  }
}

async function readFrom(path: string, from: number): Promise<string> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const bytes = Buffer.alloc(size - from)
    await handle.read(bytes, 0, bytes.length, from)
    return bytes.toString()
  } finally {
    await handle.close()
  }
}

function slowStatements(log: string): SlowStatement[] {
  const records = log.split(`\n${PREFIX}`).flatMap((record) => {
    const found = /LOG: {2}duration: ([\d.]+) ms {2}(?:statement|execute [^:]*): (.*)/s.exec(record)
    if (found === null) return []
    return [{ durationMs: Number(found[1]), statement: (found[2] ?? '').replace(/\s+/g, ' ').trim() }]
  })
  return records.toSorted((a, b) => b.durationMs - a.durationMs)
}
