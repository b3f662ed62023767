import { join } from 'node:path'
import { resolveSettings } from '../../src/config/resolve-settings.js'
import type { Database, Session } from '../../src/database/port.js'
import { TYPES } from '../hard/value-table.js'
import { type Engine, engines } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'
import { EMPTY, sharedObjects } from './sql.js'

/** One database of a pair, emptied before each world. */
export interface Place {
  readonly engine: Engine
  readonly database: Database
  /** For the test's own statements. On a server it is one connection for all worlds: a new one reads its catalog anew, which takes most of the time. */
  ask<T>(use: (session: Session) => Promise<T>): Promise<T>
}

export interface Pair {
  readonly name: string
  readonly source: Place
  readonly target: Place
  readonly folder: string
}

/** Of twenty worlds, how many go between which engines: servers are quick, embedded databases are not. */
const [embedded, ...servers] = engines
const newest = servers[0]
const oldest = servers.at(-1)

function enginesOf(seed: number): [Engine, Engine] {
  if (embedded === undefined || newest === undefined || oldest === undefined)
    throw new Error('there is no server to test on')
  const turn = ((seed % 20) + 20) % 20
  if (turn === 3) return [newest, embedded]
  if (turn === 8) return [embedded, newest]
  if (turn === 13) return [embedded, embedded]
  if (turn === 17 || turn === 18) return [oldest, newest]
  if (turn === 12) return [newest, oldest]
  return [newest, newest]
}

/** Makes databases when they are first needed and keeps them: emptying one is much quicker than making one. */
export class Pairs {
  readonly #places = new Map<string, Place>()
  readonly #disposals: (() => Promise<void>)[] = []
  #folder: string | undefined

  /** The pair that a seed stands for. */
  async pairOf(seed: number): Promise<Pair> {
    const [source, target] = enginesOf(seed)
    this.#folder ??= await createScratchFolder()
    return {
      name: `${source.name} -> ${target.name}`,
      source: await this.#place('source', source),
      target: await this.#place('target', target),
      folder: this.#folder,
    }
  }

  async dispose(): Promise<void> {
    for (const dispose of this.#disposals) await dispose()
  }

  async #open(engine: Engine, database: Database): Promise<Place> {
    if (database.driver === 'pglite') return { engine, database, ask: (use) => database.withSession(use) }
    const { session, letGo } = await holdSession(database)
    this.#disposals.unshift(letGo)
    return { engine, database, ask: (use) => use(session) }
  }

  async #place(role: string, engine: Engine): Promise<Place> {
    const key = `${role} ${engine.name}`
    const known = this.#places.get(key)
    if (known !== undefined) return known
    const created = await engine.createDatabase()
    this.#disposals.push(created.dispose)
    const place = await this.#open(engine, created.database)
    await place.ask((session) => session.script(sharedObjects(TYPES)))
    this.#places.set(key, place)
    return place
  }
}

/** A session that stays open until it is let go. */
async function holdSession(database: Database): Promise<{ session: Session; letGo: () => Promise<void> }> {
  return await new Promise((resolve, reject) => {
    let end = () => {}
    const held = new Promise<void>((release) => {
      end = release
    })
    const whole = database.withSession(async (session) => {
      const letGo = async () => {
        end()
        await whole
      }
      resolve({ session, letGo })
      await held
    })
    whole.catch(reject)
  })
}

export async function empty(pair: Pair): Promise<void> {
  for (const place of [pair.source, pair.target]) await place.ask((session) => session.script(EMPTY))
}

export function settingsFor(folder: string, relations: object) {
  return resolveSettings({ relations } as never, {
    root: folder,
    configFile: null,
    environment: {},
    database: 'pglite:memory',
  })
}

export function archivePath(folder: string, name: string): string {
  return join(folder, `${name}.backup.tar.gz`)
}
