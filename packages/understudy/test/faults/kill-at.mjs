// Loaded before the program in tests of an embedded database. Counts its steps: every statement, and everything that it does to a file from
// the first byte of the recovery to the name of the archive. Before the step KILL_AT the process kills itself.
// The number of steps goes to file descriptor 3 at the end; before the first one, with STATE, a query, so does what that finds.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { PGlite } from '@electric-sql/pglite'

const { KILL_AT, STATE } = process.env
// See support/engines.ts.
PGlite.defaultStartParams.push('-c', 'shared_buffers=16MB')

let steps = 0
let isCounting = true

function countCalls(of, names) {
  for (const name of names) {
    const original = of[name]
    of[name] = function (...args) {
      if (isCounting && ++steps === Number(KILL_AT)) process.kill(process.pid, 'SIGKILL')
      return original.apply(this, args)
    }
  }
}

const report = (value) => fs.writeFileSync(3, `${JSON.stringify(value)}\n`)

const handle = await fs.promises.open('/dev/null')
countCalls(handle.constructor.prototype, ['write', 'sync'])
await handle.close()
countCalls(fs, ['writeSync', 'ftruncateSync', 'unlinkSync', 'renameSync', 'mkdirSync', 'rmdirSync', 'write', 'writev'])
countCalls(fs.promises, ['open', 'rename', 'rm', 'mkdir', 'writeFile'])
syncBuiltinESMExports()

const { create } = PGlite
PGlite.create = async (...args) => {
  const pglite = await create.apply(PGlite, args)
  isCounting = false
  if (STATE !== undefined) report({ state: (await pglite.query(STATE)).rows })
  isCounting = true
  return pglite
}
countCalls(PGlite.prototype, ['exec', 'query'])
process.on('exit', () => {
  isCounting = false
  report({ steps })
})
