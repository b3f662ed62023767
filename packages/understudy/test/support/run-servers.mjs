// Runs PostgreSQL servers for as long as its standard input is open, then stops them and removes the scratch folder.
// It is a process of its own, outside the terminal's group, because it must outlive the test run by a moment: however
// that ends, with an exception, Ctrl-C or kill -9, the pipe closes, and no server survives.
//
// usage: node run-servers.mjs '{"servers":[{"command","args","uid","gid","log"}],"scratch":"folder"}'
import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { rm } from 'node:fs/promises'

const STOP_TIMEOUT_MS = 10_000

let isStopping = false

const { servers, scratch } = JSON.parse(process.argv[2])

const children = servers.map(({ command, args, uid, gid, log }) => {
  const output = openSync(log, 'a')
  return spawn(command, args, { uid, gid, cwd: scratch, stdio: ['ignore', output, output] })
})

// A test that hurts its own server wants to start it again on what it left: then there is nothing more to do here.
for (const child of children) child.on('exit', () => children.every(hasEnded) && !isStopping && process.exit(0))

// An interrupt at the terminal is the test run's affair.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', stop)
process.stdin.on('end', stop).on('error', stop).resume()

async function stop() {
  if (isStopping) return
  isStopping = true
  await Promise.all(children.map(stopServer))
  // A worker of a killed run may go on writing for a moment.
  await rm(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  process.exit(0)
}

function hasEnded(child) {
  return child.exitCode !== null || child.signalCode !== null
}

async function stopServer(child) {
  if (hasEnded(child)) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGINT') // PostgreSQL's fast shutdown
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}
