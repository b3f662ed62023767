// Runs a PostgreSQL server for as long as its standard input is open, then stops it and removes the scratch folder. A process of its own:
// however the bench ends, with an exception, Ctrl-C or kill -9, the pipe closes and no server survives.
import { spawn } from 'node:child_process'
import { openSync, rmSync } from 'node:fs'

const STOP_TIMEOUT_MS = 30_000

const { command, args, uid, gid, log, scratch } = JSON.parse(process.argv[2] ?? '{}')
const output = openSync(log, 'a')
const server = spawn(command, args, { uid, gid, cwd: scratch, stdio: ['ignore', output, output] })

process.on('SIGINT', () => undefined)
process.on('SIGTERM', stop)
process.stdin.on('end', stop).on('error', stop).resume()
server.on('exit', remove)

function stop(): void {
  server.kill('SIGINT') // PostgreSQL's fast shutdown
  setTimeout(() => server.kill('SIGKILL'), STOP_TIMEOUT_MS).unref()
}

function remove(): void {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
  process.exit(0)
}
