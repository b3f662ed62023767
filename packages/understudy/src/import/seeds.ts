import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { loadModule } from '../config/load-module.js'
import type { Seed } from '../config/settings.js'
import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { defineSeed, type SeedDatabase, type SeedScript } from './define-seed.js'
import type { ImportMode } from './plan.js'

/** A seed that can run. */
export interface LoadedSeed {
  readonly file: string
  run(db: SeedDatabase): Promise<void> | void
}

/**
 * Reads the seeds of a mode. `.sql` files are run as they are.
 *
 * @throws UnderstudyError `SEED_INVALID` with the problems of all of them
 */
export async function loadSeeds(seeds: readonly Seed[], mode: ImportMode, root: string): Promise<LoadedSeed[]> {
  const loaded: LoadedSeed[] = []
  const problems: string[] = []
  for (const { file } of seeds.filter(({ modes }) => modes.includes(mode))) {
    try {
      loaded.push(extname(file) === '.sql' ? await readSqlSeed(file) : await readModuleSeed(file, root))
    } catch (error) {
      problems.push(`${file}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (problems.length > 0)
    throw new UnderstudyError('SEED_INVALID', 'seeds cannot be read', {
      detail: problems.join('\n'),
      hint: 'A seed is an .sql file, or a module with `export default defineSeed(async (db) => { … })`.',
    })
  return loaded
}

async function readSqlSeed(file: string): Promise<LoadedSeed> {
  const sql = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '')
  return { file, run: (db) => db.execute(sql) }
}

async function readModuleSeed(file: string, root: string): Promise<LoadedSeed> {
  const { default: seed } = await loadModule(file, { root, door: { defineSeed } })
  if (typeof seed !== 'function') throw new Error('expected `export default defineSeed(async (db) => { … })`')
  return { file, run: seed as SeedScript }
}

/**
 * Runs a seed inside the transaction of the import. Returns how many rows it inserted, updated and deleted.
 *
 * @throws UnderstudyError `SEED_FAILED`
 */
export async function runSeed(session: Session, seed: LoadedSeed): Promise<number> {
  const before = await readWrittenRows(session)
  const db: SeedDatabase = {
    query: (sql, values = []) => session.query(sql, values),
    execute: (sql) => session.script(sql),
  }
  try {
    await seed.run(db)
  } catch (cause) {
    const facts = describeSqlError(cause)
    throw new UnderstudyError('SEED_FAILED', `${basename(seed.file)}: ${facts?.message ?? messageOf(cause)}`, {
      detail: facts?.detail,
      hint: facts?.hint ?? 'Nothing was written. Mend the seed and import again.',
      cause,
    })
  }
  return (await readWrittenRows(session)) - before
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

/** What this transaction has written so far, by the server's own count. */
async function readWrittenRows(session: Session): Promise<number> {
  const [row] = await session.query<{ rows: number }>(
    `select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::float8 as rows
       from pg_catalog.pg_stat_xact_user_tables where schemaname !~ '^pg_temp'`,
  )
  return row?.rows ?? 0
}
