import { execFileSync } from 'node:child_process'
import { getPriority } from 'node:os'
import { expect, test } from 'vitest'

const MODULE = new URL('../../dist/cli/thread-priority.js', import.meta.url).href

/** Prints the priorities of the main thread and of all others, behind some work of zlib. */
const PROGRAM = `
  import { readdirSync } from 'node:fs'
  import { getPriority } from 'node:os'
  import { promisify } from 'node:util'
  import { gzip } from 'node:zlib'
  import { favourMainThread } from ${JSON.stringify(MODULE)}
  await favourMainThread()
  await Promise.all(Array.from({ length: 8 }, () => promisify(gzip)(Buffer.alloc(1e6))))
  const others = readdirSync('/proc/self/task').map(Number).filter((thread) => thread !== process.pid)
  console.log(JSON.stringify({ main: getPriority(process.pid), others: others.map((thread) => getPriority(thread)) }))`

test.runIf(process.platform === 'linux')('the threads that compress give way to the main thread', () => {
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], { encoding: 'utf8' })
  const { main, others } = JSON.parse(printed) as { main: number; others: number[] }
  expect(main).toBe(getPriority())
  expect(others.length).toBeGreaterThanOrEqual(4)
  expect(new Set(others)).toEqual(new Set([10]))
})
