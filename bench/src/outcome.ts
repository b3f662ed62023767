import type { ExportResult, ImportResult, Validation } from 'understudy'

/** What came of one of our commands. */
export interface Outcome {
  readonly peakBytes: number
  readonly durationMs: number
  /** Of an import its steps, of an export its relations, which are read side by side, of a validation its sections. */
  readonly steps: readonly Step[]
  readonly counts: Counts
}

export interface Step {
  readonly step: string
  readonly durationMs: number
}

export interface Counts {
  readonly records: number
  readonly inserts?: number
  readonly updates?: number
  readonly unchanged?: number
}

/** From what a command prints with `--json`. */
export function summary(result: ExportResult | ImportResult | Validation): Omit<Outcome, 'peakBytes'> {
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
function validationSummary({ checks, isValid, durationMs }: Validation): Omit<Outcome, 'peakBytes'> {
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
