/** What a seed's module exports: `export default defineSeed(async (db) => { … })`. */
export type SeedScript = (db: SeedDatabase) => Promise<void> | void

/** The database as a seed sees it, inside the transaction of the import. It sends nothing that begins or ends one. */
export interface SeedDatabase {
  /** One statement with values `$1`, `$2`, …; returns its rows. */
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** A script of any number of statements, without values. */
  execute(script: string): Promise<void>
}

/** Returns the seed as it is; gives editors its types. */
export function defineSeed(seed: SeedScript): SeedScript {
  return seed
}
