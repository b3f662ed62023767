import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import { engines, type TestDatabase } from '../support/engines.js'

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url))
const SCRIPT = fileURLToPath(new URL('../support/hold-folder.ts', import.meta.url))
const [pglite] = engines

describe('the lock on a database folder', () => {
  const children: ChildProcess[] = []
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child)
  })

  /** A second process with the folder open. */
  async function holdInProcess(folder: string, ...more: readonly string[]): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--import', 'jiti/register', SCRIPT, folder, ...more], {
      cwd: PACKAGE,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    children.push(child)
    const said: string[] = []
    // `close`, not `exit`: only then has all of its standard error arrived.
    child.stderr?.on('data', (data) => said.push(String(data)))
    const [word] = await Promise.race([once(child.stdout ?? child, 'data'), once(child, 'close').then(() => said)])
    if (String(word) !== 'open\n') throw new Error(`the second process said: ${said.join('')}`)
    return child
  }

  test('refuses a second process and names the first, without its password', async () => {
    await withClosedFolder(async ({ url, folder }) => {
      const holder = await holdInProcess(folder, 'postgres://role:s3cret@host/db')
      const error = await openDatabase(url).catch((error) => error)
      expect(error).toMatchObject({
        code: 'DATABASE_LOCKED',
        message: `the database folder is in use by process ${holder.pid}: ${folder}`,
        detail: expect.stringMatching(
          new RegExp(
            `^process ${holder.pid} on ${hostname()}, since \\d{4}-.*Z\ncommand: hold-folder.ts .*role:\\*\\*\\*@host`,
          ),
        ),
      })
    })
  })

  test('is let go at the close', async () => {
    await withClosedFolder(async ({ url, folder }) => {
      const holder = await holdInProcess(folder)
      const exited = once(holder, 'exit')
      holder.stdin?.end()
      expect(await exited).toEqual([0, null])
      const database = await openDatabase(url)
      expect(await pidsIn(database)).toEqual([holder.pid])
      await database.close()
    })
  })

  test('is let go by the system when its holder is killed, and nothing that was written is lost', async () => {
    await withClosedFolder(async ({ url, folder }) => {
      const first = await holdInProcess(folder)
      await kill(first)
      const second = await holdInProcess(folder)
      await kill(second)
      const database = await openDatabase(url)
      expect(await pidsIn(database)).toEqual([first.pid, second.pid])
      await database.close()
    })
  })

  test('works the other way round: this process is named to another', async () => {
    await withClosedFolder(async ({ url, folder }) => {
      const database = await openDatabase(url)
      expect(JSON.parse(await readFile(join(folder, 'understudy.lock'), 'utf8'))).toMatchObject({ pid: process.pid })
      await expect(holdInProcess(folder)).rejects.toThrow(`in use by process ${process.pid}`)
      await database.close()
      expect(await readFile(join(folder, 'understudy.lock'), 'utf8')).toBe('')
    })
  })
})

async function withClosedFolder(use: (closed: { url: string; folder: string }) => Promise<void>): Promise<void> {
  const created = (await pglite?.createDatabase()) as TestDatabase
  try {
    await created.database.close()
    await use({ url: created.url, folder: created.url.slice('pglite:'.length) })
  } finally {
    await created.dispose()
  }
}

async function pidsIn(database: TestDatabase['database']): Promise<unknown[]> {
  const rows = await database.withSession((session) => session.query('select pid from held'))
  return rows.map((row) => row.pid)
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
