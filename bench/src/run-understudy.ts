// One export or import in a process of its own, so that its peak memory is its own. Prints what came of it as one line of JSON.
// DATABASE_URL says where; the argument says what.
import { exportContent, importContent, loadConfig, UnderstudyError } from 'understudy'
import type { Order, Outcome } from './order.js'

const order: Order = JSON.parse(process.argv[2] ?? '{}')

try {
  const settings = await loadConfig({ cwd: order.folder })
  const result =
    order.action === 'export'
      ? await exportContent(settings, { out: order.archive })
      : await importContent(settings, { archive: order.archive, mode: order.mode })
  const { maxRSS } = process.resourceUsage()
  const outcome: Outcome = { maxRssBytes: maxRSS * 1024, ...summary(result) }
  console.log(JSON.stringify(outcome))
} catch (error) {
  console.error(error instanceof UnderstudyError ? `${error.code}: ${error.message}\n${error.detail ?? ''}` : error)
  process.exitCode = 1
}

function summary(
  result: Awaited<ReturnType<typeof exportContent>> | Awaited<ReturnType<typeof importContent>>,
): Omit<Outcome, 'maxRssBytes'> {
  if ('files' in result) {
    const steps = result.files.map((file) => ({ step: file.relation, durationMs: file.durationMs }))
    return { durationMs: result.durationMs, steps, counts: { records: sum(result.files.map((file) => file.records)) } }
  }
  const { relations } = result.plan
  return {
    durationMs: result.durationMs,
    steps: result.steps,
    counts: {
      records: sum(relations.map((each) => each.records)),
      inserts: sum(relations.map((each) => each.inserts)),
      updates: sum(relations.map((each) => each.updates)),
      unchanged: sum(relations.map((each) => each.unchanged)),
    },
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
