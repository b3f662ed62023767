/** What `run-understudy` is told to do. */
export interface Order {
  readonly action: 'export' | 'import' | 'validate'
  /** A validation may do without. */
  readonly archive: string | null
  readonly mode: 'init' | 'replace'
  /** Where the search for a configuration begins: a folder without one. */
  readonly folder: string
}

/** What `run-understudy` says at its end. */
export interface Outcome {
  readonly maxRssBytes: number
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
