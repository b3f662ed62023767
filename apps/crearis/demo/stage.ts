import type { Database, Settings } from 'understudy'
import type { Report } from './report.js'

/** What every act of the demo has at hand. */
export interface Stage {
  readonly settings: Settings
  readonly master: Database
  readonly slave: Database
  readonly empty: Database
  /** The folder that gets the archives. */
  readonly archives: string
  readonly report: Report
  readonly signal: AbortSignal
}

export interface Table {
  readonly schema: string
  readonly name: string
}
