#!/usr/bin/env node
// Runs the property tests on seeds of one's choice:
//   pnpm test:properties --runs 10000          seeds from a random one on
//   pnpm test:properties --runs 100 --seed 7   seeds 7 to 106
//   pnpm test:seed 7                           one seed, with more time to shrink
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  // pnpm passes a separating `--` on.
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  allowPositionals: true,
  options: { runs: { type: 'string' }, seed: { type: 'string' } },
})

const seed = wholeNumber('seed', positionals[0] ?? values.seed ?? String(randomInt(1_000_000_000)))
const runs = wholeNumber('runs', values.runs ?? (positionals[0] === undefined ? '500' : '1'))
console.log(`seeds ${seed} to ${seed + runs - 1}`)
const { status } = spawnSync('vitest', ['run', 'packages/understudy/test/properties'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: {
    ...process.env,
    UNDERSTUDY_SEED: String(seed),
    UNDERSTUDY_RUNS: String(runs),
    UNDERSTUDY_SHRINK_MS: runs === 1 ? '300000' : '60000',
  },
})
process.exit(status ?? 1)

function wholeNumber(name, text) {
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number
  console.error(`${name}: expected a whole number, found ${text}`)
  process.exit(2)
}
