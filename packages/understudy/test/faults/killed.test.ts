import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyArchive } from '../../src/archive/reader.js'
import { type ServerEngine, servers, type TestDatabase, urlOf } from '../support/engines.js'
import { type NetworkProxy, startProxy } from '../support/proxy.js'
import { CONFIG, content, fingerprint, points, SCHEMA, scratchFolder, startCli, untilAlone } from './support.js'

const POINTS = 50
const TIMEOUT_MS = 300_000
/** Side by side, each with a database and a proxy of its own. */
const LANES = 2

interface Lane {
  readonly created: TestDatabase
  readonly proxy: NetworkProxy
  /** Its database, through its proxy. */
  readonly url: string
}

/** Runs a command and kills it at the moment at which it sends its message number `at`; without, it runs to its end. */
async function runAndKill({ proxy, url }: Lane, args: readonly string[], at?: number) {
  const { child, ended } = startCli(args, { cwd: folder, url })
  const before = proxy.messages
  proxy.onMessage = (count) => {
    if (count - before === at) child.kill('SIGKILL')
  }
  const end = await ended
  proxy.onMessage = undefined
  return { ...end, messages: proxy.messages - before }
}

let folder: string

describe.each(servers)('on $name', (engine) => {
  const lanes: Lane[] = []
  beforeAll(async () => {
    folder = scratchFolder()
    await writeFile(join(folder, 'understudy.config.json'), JSON.stringify(CONFIG))
  })
  afterAll(async () => {
    for (const { created, proxy } of lanes) {
      await proxy.close()
      await created.dispose()
    }
  })

  async function createLane(script: string): Promise<Lane> {
    const created = await engine.createDatabase()
    await created.database.withSession((session) => session.script(`${SCHEMA}; ${script}`))
    const proxy = await startProxy((engine as ServerEngine).server)
    const lane = {
      created,
      proxy,
      url: urlOf(engine.server, { port: proxy.port, database: new URL(created.url).pathname.slice(1) }),
    }
    lanes.push(lane)
    return lane
  }

  /** Does the work for each point, the lanes taking turns. */
  async function atEach(
    targets: readonly Lane[],
    all: readonly number[],
    work: (lane: Lane, at: number) => Promise<void>,
  ) {
    const waiting = [...all]
    await Promise.all(
      targets.map(async (lane) => {
        for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) await work(lane, at)
      }),
    )
  }

  test(`an import that is killed at any of ${POINTS} points leaves all as it was, or all as it should be`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const source = await createLane(content(1000, 'new'))
    await runAndKill(source, ['export', '--out', 'content.tar.gz'])
    const args = ['import', 'content.tar.gz', '--yes']
    const twin = await createLane(content(5000, 'old'))
    const before = await fingerprint(twin.created.database)
    const whole = await runAndKill(twin, args)
    expect(whole).toMatchObject({ exitCode: 0 })
    const after = await fingerprint(twin.created.database)
    expect(after).not.toEqual(before)

    const targets = await Promise.all(Array.from({ length: LANES }, () => createLane(content(5000, 'old'))))
    let committed = 0
    // The last message says goodbye.
    await atEach(targets, points(POINTS, whole.messages - 1), async (lane, at) => {
      const { signal, said } = await runAndKill(lane, args, at)
      expect(signal, `at message ${at} of ${whole.messages}: ${said}`).toBe('SIGKILL')
      await untilAlone(lane.created.database)
      const now = await fingerprint(lane.created.database)
      const isAfter = JSON.stringify(now) === JSON.stringify(after)
      if (isAfter) committed++
      else expect(now, `at message ${at} of ${whole.messages}`).toEqual(before)
    })
    expect(committed).toBeLessThan(POINTS / 2)
    for (const lane of targets) {
      expect(await runAndKill(lane, args)).toMatchObject({ exitCode: 0 })
    }
  })

  test(`an export that is killed at any of ${POINTS} points leaves no archive that is not whole, and the next one sweeps`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const sources = await Promise.all(Array.from({ length: LANES }, () => createLane(content(1000, 'new'))))
    const out = join(folder, 'exports')
    await mkdir(out)
    const args = ['export', '--out', 'exports']
    const [first] = sources as [Lane]
    const before = await fingerprint(first.created.database)
    // The first export of a database says more: it makes the registry.
    for (const lane of sources) expect(await runAndKill(lane, args)).toMatchObject({ exitCode: 0 })
    const whole = await runAndKill(first, args)
    let leftovers = 0
    await atEach(sources, points(POINTS, whole.messages - 1), async (lane, at) => {
      const { signal, said } = await runAndKill(lane, args, at)
      expect(signal, `at message ${at} of ${whole.messages}: ${said}`).toBe('SIGKILL')
      await untilAlone(lane.created.database)
      expect(await fingerprint(lane.created.database)).toEqual(before)
      leftovers += (await readdir(out)).filter((name) => name.startsWith('.')).length
    })
    expect(leftovers).toBeGreaterThan(0)
    expect(await runAndKill(first, args)).toMatchObject({ exitCode: 0 })
    const names = await readdir(out)
    expect(names.filter((name) => name.startsWith('.'))).toEqual([])
    for (const name of names) await verifyArchive(join(out, name))
  })
})
