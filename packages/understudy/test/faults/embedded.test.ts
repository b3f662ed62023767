import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyArchive } from '../../src/archive/reader.js'
import { exportContent } from '../../src/export/export-content.js'
import { engines, type TestDatabase } from '../support/engines.js'
import { settingsFor } from '../support/scenario.js'
import {
  CONFIG,
  content,
  fingerprint,
  openDatabase,
  points,
  SCHEMA,
  STATE,
  scratchFolder,
  withoutSequences,
} from './support.js'

const BIN = fileURLToPath(new URL('../../bin/understudy.js', import.meta.url))
const PRELOAD = fileURLToPath(new URL('./kill-at.mjs', import.meta.url))
const POINTS = 50
/** Side by side, each with a folder of its own. */
const LANES = 2

interface Run {
  readonly isKilled: boolean
  /** What the run found in the folder when it had opened it; undefined where it was killed before that. */
  readonly found: unknown
  /** How many steps it took, where it came to its end. */
  readonly steps: number | undefined
}

/** Runs the program on a folder; it is killed before its step number `at`, which is any statement or any touch of a file. */
async function run(args: readonly string[], cwd: string, folder: string, at?: number): Promise<Run> {
  // Without the optimizing compiler, which is not through before the kill comes, a run takes half the time.
  const flags = ['--liftoff-only', '--import', PRELOAD]
  const child = spawn(process.execPath, [...flags, BIN, ...args, '--database', `pglite:${folder}`], {
    cwd,
    env: { ...process.env, STATE, KILL_AT: String(at) },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let told = ''
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  ;(child.stdio[3] as Readable).setEncoding('utf8').on('data', (text) => {
    told += text
  })
  const [exitCode, signal] = await once(child, 'close')
  expect(signal ?? exitCode, `step ${at}: ${said}`).toBe(signal === null ? 0 : 'SIGKILL')
  const { state, steps } = Object.assign(
    {},
    ...told
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  )
  return { isKilled: signal !== null, found: state, steps }
}

describe.each(engines.slice(0, 1))('on $name', (engine) => {
  const cwd = scratchFolder()
  const databases: TestDatabase[] = []
  let source: string
  let target: string
  let before: unknown

  async function createFolder(script: string): Promise<string> {
    const created = await engine.createDatabase()
    databases.push(created)
    await created.database.withSession((session) => session.script(`${SCHEMA}; ${script}`))
    return created.url.slice('pglite:'.length)
  }

  beforeAll(async () => {
    await writeFile(join(cwd, 'understudy.config.json'), JSON.stringify(CONFIG))
    source = await createFolder(content(1000, 'new'))
    target = await createFolder(content(5000, 'old'))
    const [from, to] = databases as [TestDatabase, TestDatabase]
    await exportContent(settingsFor(from.url, cwd, CONFIG), {
      database: from.database,
      out: join(cwd, 'content.tar.gz'),
    })
    before = await fingerprint(to.database)
    await Promise.all(databases.map(({ database }) => database.close()))
  })
  afterAll(() => Promise.all(databases.map((created) => created.dispose())))

  async function copyOf(folder: string, name: string): Promise<string> {
    const path = join(cwd, name)
    await rm(path, { recursive: true, force: true })
    await cp(folder, path, { recursive: true })
    return path
  }

  async function read(folder: string): Promise<unknown> {
    const database = await openDatabase(`pglite:${folder}`)
    const state = await fingerprint(database)
    await database.close()
    return state
  }

  /** Does the work for each point, the lanes taking turns. */
  async function atEach(last: number, work: (lane: number, at: number) => Promise<void>): Promise<void> {
    const waiting = points(POINTS, last)
    await Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) await work(lane, at)
      }),
    )
  }

  test(`an import that is killed at any of ${POINTS} points leaves a folder that opens, as it was or as it should be`, {
    timeout: 300_000,
  }, async () => {
    const args = ['import', 'content.tar.gz', '--yes']
    const whole = await copyOf(target, 'whole')
    const { steps = 0, found } = await run(args, cwd, whole)
    expect(found).toEqual(before)
    const after = await read(whole)
    expect(after).not.toEqual(before)

    const folders = await Promise.all(
      Array.from({ length: LANES }, async (_, lane) => await copyOf(target, `lane${lane}`)),
    )
    const isAfter = (state: unknown) =>
      state !== undefined && JSON.stringify(withoutSequences(state)) === JSON.stringify(withoutSequences(after))
    let kills = 0
    let committed = 0
    await atEach(steps, async (lane, at) => {
      // The same folder again and again: what a kill leaves, if need be in the middle of a recovery, is where the next run begins.
      const { isKilled, found } = await run(args, cwd, folders[lane] ?? '', at)
      if (isKilled) kills++
      if (found !== undefined && !isAfter(found)) expect(found, `before step ${at} of ${steps}`).toEqual(before)
      if (!isKilled || isAfter(found)) {
        committed++
        await copyOf(target, `lane${lane}`)
      }
    })
    expect(kills).toBeGreaterThan(POINTS - 5)
    expect(committed).toBeLessThan(POINTS / 2)
    for (const folder of folders) {
      const last = await read(folder)
      if (isAfter(last)) continue
      expect(last).toEqual(before)
      expect(await run(args, cwd, folder)).toMatchObject({ isKilled: false })
      expect(isAfter(await read(folder))).toBe(true)
    }
  })

  test(`an export that is killed at any of ${POINTS} points leaves no archive that is not whole, and the next one sweeps`, {
    timeout: 300_000,
  }, async () => {
    const lanes = Array.from({ length: LANES }, (_, lane) => ({ folder: '', out: join(cwd, `exports${lane}`) }))
    const as = (out: string) => ['export', '--out', `${out}/`]
    // A copied folder would have to be adopted first.
    const [first, second] = lanes as [(typeof lanes)[0], (typeof lanes)[0]]
    first.folder = source
    second.folder = await createFolder(content(1000, 'new'))
    await databases.at(-1)?.database.close()
    const state = await read(source)
    await run(as(second.out), cwd, second.folder)
    await run(as(first.out), cwd, first.folder)
    const { steps = 0 } = await run(as(first.out), cwd, first.folder)
    let leftovers = 0
    await atEach(steps, async (lane, at) => {
      const { folder = '', out = '' } = lanes[lane] ?? {}
      const { found } = await run(as(out), cwd, folder, at)
      if (found !== undefined) expect(found, `before step ${at} of ${steps}`).toEqual(state)
      const left = (await readdir(out)).filter((name) => name.startsWith('.'))
      // Each run sweeps what the one before it has left.
      expect(left.length).toBeLessThanOrEqual(2)
      leftovers += left.length
    })
    expect(leftovers).toBeGreaterThan(0)
    for (const { folder, out } of lanes) {
      expect(await run(as(out), cwd, folder)).toMatchObject({ isKilled: false })
      expect(await read(folder)).toEqual(state)
      const names = await readdir(out)
      expect(names.filter((name) => name.startsWith('.'))).toEqual([])
      for (const name of names) await verifyArchive(join(out, name))
    }
  })
})
