import type { Session } from '../database/port.js'

export type Severity = 'error' | 'warning'

/** One thing that should hold, and what came of looking. */
export interface CheckResult {
  readonly name: string
  /** What it is about, for reading: `tables`, `counts`, `references`, `identities`, `consistency`, or a word of the project. */
  readonly section: string
  /** Of a failure: an `error` makes the database invalid, a `warning` does not. */
  readonly severity: Severity
  /** `broken`: the check itself could not run, which counts as an error. */
  readonly status: 'passed' | 'failed' | 'broken'
  /** How many rows offend; 0 where the failure is not about rows. */
  readonly rows: number
  /** Up to five of them, by their identity. */
  readonly samples: readonly string[]
  /** What else is known, a fact on each line; null where there is nothing. */
  readonly message: string | null
  readonly durationMs: number
}

/** A check ready to run. */
export interface Check {
  readonly name: string
  readonly section: string
  readonly severity: Severity
  find(session: Session): Promise<Offence>
}

/** What a check found; no rows and no message is what it hopes for. */
export interface Offence {
  readonly rows: number
  readonly samples: readonly string[]
  readonly message?: string | undefined
}

export const MAX_SAMPLES = 5
export const NO_OFFENCE: Offence = { rows: 0, samples: [] }

/** Runs a select of offending rows that names each in its first column, a text called `sample`. */
export async function findOffending(session: Session, select: string): Promise<Offence> {
  const rows = await session.query<{ sample: string | null; total: number }>(
    `select pg_catalog.left(o.sample, 200) as sample, count(*) over () as total
       from (${select}) o
      limit ${MAX_SAMPLES}`,
  )
  return { rows: rows[0]?.total ?? 0, samples: rows.map(({ sample }) => sample ?? 'null') }
}

/** Whether a result makes the database invalid. */
export function isInvalidating({ status, severity }: CheckResult): boolean {
  return status === 'broken' || (status === 'failed' && severity === 'error')
}
