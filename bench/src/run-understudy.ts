// One export, import or validation in a process of its own, so that its peak memory is its own. Prints what came of it as one line of JSON.
// DATABASE_URL says where; the argument says what.
import {
  type ExportResult,
  exportContent,
  type ImportResult,
  importContent,
  loadConfig,
  type Settings,
  UnderstudyError,
  type Validation,
  validateDatabase,
} from 'understudy'
import type { Order, Outcome } from './order.js'

const order: Order = JSON.parse(process.argv[2] ?? '{}')

try {
  const settings = await loadConfig({ cwd: order.folder })
  const result = await perform(settings)
  const { maxRSS } = process.resourceUsage()
  const outcome: Outcome = { maxRssBytes: maxRSS * 1024, ...summary(result) }
  console.log(JSON.stringify(outcome))
} catch (error) {
  console.error(error instanceof UnderstudyError ? `${error.code}: ${error.message}\n${error.detail ?? ''}` : error)
  process.exitCode = 1
}

async function perform(settings: Settings): Promise<ExportResult | ImportResult | Validation> {
  const { action, archive, mode } = order
  if (action === 'validate') return await validateDatabase(settings, { archive: archive ?? undefined })
  if (archive === null) throw new Error(`an ${action} needs an archive`)
  if (action === 'export') return await exportContent(settings, { out: archive })
  return await importContent(settings, { archive, mode })
}

function summary(result: ExportResult | ImportResult | Validation): Omit<Outcome, 'maxRssBytes'> {
  if ('checks' in result) return validationSummary(result)
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

/** Time by section; all checks have to pass, or the time means nothing. */
function validationSummary({ checks, isValid, durationMs }: Validation): Omit<Outcome, 'maxRssBytes'> {
  const sections = [...new Set(checks.map(({ section }) => section))]
  const steps = sections.map((step) => ({
    step,
    durationMs: sum(checks.filter(({ section }) => section === step).map((each) => each.durationMs)),
  }))
  return { durationMs, steps, counts: { records: isValid ? checks.length : 0 } }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
