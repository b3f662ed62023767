import type { Severity } from './check.js'

/** What a file in the folder of checks exports, alone or in a list: `export default defineCheck({ … })`. */
export type ProjectCheck = {
  /** What should hold, as a sentence: `every event has a project`. */
  readonly name: string
  /** Default: the file's folder inside the folder of checks, or else the file's name. */
  readonly section?: string
  /** Default: `error`. */
  readonly severity?: Severity
} & (
  | {
      /** A select of the rows that offend; its columns are shown, so select what names a row. Runs on the server whatever their number. */
      readonly sql: string
      readonly find?: undefined
    }
  | {
      /** Returns the rows that offend; only for what one select cannot say. */
      readonly find: (db: CheckDatabase) => Promise<readonly Readonly<Record<string, unknown>>[]>
      readonly sql?: undefined
    }
)

/** The database as a check sees it: read-only, under its own search path. */
export interface CheckDatabase {
  /** One statement with values `$1`, `$2`, …; returns its rows. */
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>
}

/** Returns the check as it is; gives editors its types. */
export function defineCheck(check: ProjectCheck): ProjectCheck {
  return check
}
