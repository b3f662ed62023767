import { run } from './run.js'

// The exit code is set, not exited with: what is still on its way to a pipe arrives.
process.exitCode = await run(process.argv.slice(2))
