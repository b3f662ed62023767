import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type BenchResult, runBench } from './bench.js'
import { type BenchOptions, HELP, parseOptions } from './options.js'
import { renderMachine, renderReport } from './report.js'
import { type BenchServer, connectServer, startServer } from './server.js'
import { compareTargets } from './targets.js'

const say = (line: string) => console.log(line)

try {
  await main(parseOptions(process.argv.slice(2)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function main(options: BenchOptions): Promise<void> {
  if (options.isHelp) return say(HELP)
  const server = options.url === undefined ? await startServer(options) : await connectServer(options.url)
  try {
    say(`${renderMachine(server)}\n`)
    const result = await runBench(server, options, say)
    say(`\n${renderReport(result, server)}\n`)
    say(`written to ${await store(result, server)}`)
  } finally {
    await server.stop()
  }
}

async function store(result: BenchResult, server: BenchServer): Promise<string> {
  const folder = fileURLToPath(new URL('../results', import.meta.url))
  await mkdir(folder, { recursive: true })
  const path = `${folder}/latest.json`
  const { version, settings } = server
  const document = {
    measuredAt: new Date().toISOString(),
    server: { version, settings },
    targets: compareTargets(result),
    ...result,
  }
  await writeFile(path, `${JSON.stringify(document, null, 2)}\n`)
  return path
}
