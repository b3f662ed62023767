import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import { exportContent } from '../../src/export/export-content.js'
import { engines } from '../support/engines.js'
import { settingsFor } from '../support/scenario.js'
import { CONFIG, content, fingerprint, points, SCHEMA, scratchFolder } from './support.js'

const BIN = fileURLToPath(new URL('../../bin/understudy.js', import.meta.url))
const COUNT = fileURLToPath(new URL('./count-statements.mjs', import.meta.url))

/** Runs the program on a folder and kills it when it begins its statement number `at`. */
async function runAndKill(args: readonly string[], cwd: string, folder: string, at?: number) {
  const child = spawn(process.execPath, ['--import', COUNT, BIN, ...args, '--database', `pglite:${folder}`], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  let statements = 0
  ;(child.stdio[3] as Readable).on('data', (data: Buffer) => {
    if (at !== undefined && statements < at && statements + data.length >= at) child.kill('SIGKILL')
    statements += data.length
  })
  let said = ''
  child.stderr?.on('data', (data) => {
    said += data
  })
  const [exitCode, signal] = await once(child, 'close')
  return { exitCode, signal, statements, said }
}

describe.each(engines.slice(0, 1))('on $name', (engine) => {
  test('an import that is killed at any of four points leaves a folder that opens, as it was or as it should be', {
    timeout: 300_000,
  }, async () => {
    const source = await engine.createDatabase()
    await source.database.withSession((session) => session.script(`${SCHEMA}; ${content(1000, 'new')}`))
    const cwd = scratchFolder()
    await writeFile(join(cwd, 'understudy.config.json'), JSON.stringify(CONFIG))
    const { path } = await exportContent(settingsFor(source.url, cwd, CONFIG), { database: source.database })
    const args = ['import', path, '--yes']
    const target = await engine.createDatabase()
    await target.database.withSession((session) => session.script(`${SCHEMA}; ${content(5000, 'old')}`))
    const before = await fingerprint(target.database)
    await target.database.close()
    const original = target.url.slice('pglite:'.length)
    const copies = scratchFolder()
    const copy = async (name: string) => {
      await cp(original, join(copies, name), { recursive: true })
      return join(copies, name)
    }
    const read = async (folder: string) => {
      const database = await openDatabase(`pglite:${folder}`)
      const state = await fingerprint(database)
      await database.close()
      return state
    }
    const whole = await copy('whole')
    const { exitCode, statements, said } = await runAndKill(args, cwd, whole)
    expect(exitCode, said).toBe(0)
    const after = await read(whole)
    // The same folder again and again: what a kill leaves is where the next one begins.
    const killed = await copy('killed')
    for (const at of points(4, statements - 4)) {
      const end = await runAndKill(args, cwd, killed, at)
      expect(end.signal, `statement ${at} of ${statements}: ${end.said}`).toBe('SIGKILL')
      const now = await read(killed)
      if (JSON.stringify(now) === JSON.stringify(after)) break
      expect(now, `statement ${at} of ${statements}`).toEqual(before)
    }
    await source.dispose()
    await target.dispose()
  })
})
