import type { Database, Settings } from 'understudy'
import type { Report } from './report.js'

export interface Databases {
  readonly settings: Settings
  readonly master: Database
  readonly slave: Database
  readonly empty: Database
}

/** What every act of the demo has at hand. */
export interface Stage extends Databases {
  readonly report: Report
  readonly signal: AbortSignal
  /** The folder that gets the archives. */
  readonly archives: string
}

export interface Table {
  readonly schema: string
  readonly name: string
}
