import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { checkWorld, describeWorld } from './check-world.js'
import { Pairs } from './pair.js'
import { type World, worlds } from './world.js'

/** The first seed, how many, and how long shrinking may take; `run.mjs` sets them. */
const FIRST = Number(process.env.UNDERSTUDY_SEED ?? 1)
const RUNS = Number(process.env.UNDERSTUDY_RUNS ?? 400)
const SHRINK_MS = Number(process.env.UNDERSTUDY_SHRINK_MS ?? 60_000)
const MAX_FAILURES = 5

/** Declares the test of every other seed, from `offset` on: two files share the work between two workers. */
export function testSeeds(offset: number, step: number): void {
  const pairs = new Pairs()
  afterAll(() => pairs.dispose())
  const seeds = Array.from({ length: RUNS }, (_, index) => FIRST + index).filter((_, index) => index % step === offset)

  test.skipIf(seeds.length === 0)(
    `random contents of random schemas arrive (${seeds.length} of the seeds ${FIRST} to ${FIRST + RUNS - 1})`,
    async () => {
      const failures: string[] = []
      for (const seed of seeds) {
        const failure = await failureOf(pairs, seed)
        if (failure !== null) {
          console.error(failure)
          failures.push(failure)
        }
        if (failures.length >= MAX_FAILURES) break
      }
      expect(failures.join('\n\n')).toBe('')
    },
    RUNS * 10_000 + SHRINK_MS * MAX_FAILURES + 60_000,
  )
}

/** One seed is one world: it fails alone, and is replayed alone. */
async function failureOf(pairs: Pairs, seed: number): Promise<string | null> {
  const pair = await pairs.pairOf(seed)
  const property = fc.asyncProperty(worlds, (world) => checkWorld(world, pair))
  const details = await fc.check(property, { seed, numRuns: 1, skipAllAfterTimeLimit: SHRINK_MS })
  if (!details.failed) return null
  const world: World | undefined = details.counterexample?.[0]
  return [
    `seed ${seed} fails (${pair.name}). Replay it with: pnpm test:seed ${seed}`,
    describeError(details.errorInstance),
    `shrunk ${details.numShrinks} times to: ${JSON.stringify(world)}`,
    world === undefined ? '' : describeWorld(world),
  ].join('\n')
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, detail } = error as { code?: unknown; detail?: unknown }
  return [error.message, code, detail, error.stack].filter((each) => each !== undefined).join('\n')
}
