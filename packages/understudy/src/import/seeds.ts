import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { loadModule } from '../config/load-module.js'
import type { Seed } from '../config/settings.js'
import { describeSqlError } from '../database/failures.js'
import { findTransactionStatements, insideTransaction, TransactionEnded } from '../database/own-transaction.js'
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
 * Reads the seeds of a mode. `.sql` files are run as they are, unless they would begin or end a transaction.
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
    throw new UnderstudyError('SEED_INVALID', 'seeds cannot be used', {
      detail: problems.join('\n'),
      hint: 'Nothing was written. A seed is an .sql file without `begin` and `commit`, or a module with `export default defineSeed(async (db) => { … })`.',
    })
  return loaded
}

async function readSqlSeed(file: string): Promise<LoadedSeed> {
  const sql = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '')
  const found = findTransactionStatements(sql).map(({ text, line }) => `line ${line}: ${text}`)
  if (found.length > 0) throw new Error(`it would begin or end a transaction: ${found.join(', ')}`)
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
    query: async (sql, values = []) => {
      refuseTransactionStatements(sql)
      return await session.query(sql, values)
    },
    execute: async (sql) => {
      refuseTransactionStatements(sql)
      await session.script(sql)
    },
  }
  try {
    await insideTransaction(session, async () => await seed.run(db))
  } catch (cause) {
    throw describeFailure(seed, cause)
  }
  return (await readWrittenRows(session)) - before
}

function refuseTransactionStatements(script: string): void {
  const [statement] = findTransactionStatements(script)
  if (statement === undefined) return
  throw new Error(`\`${statement.text}\` would begin or end a transaction, and was not sent`)
}

function describeFailure({ file }: LoadedSeed, cause: unknown): UnderstudyError {
  const facts = describeSqlError(cause)
  const ended = cause instanceof TransactionEnded ? cause : null
  const said = ended ? 'it ended the transaction of the import' : (facts?.message ?? messageOf(cause))
  return new UnderstudyError('SEED_FAILED', `${basename(file)}: ${said}`, {
    detail: ended ? [ended.failure, ended.outcome].filter(Boolean).join('\n') : facts?.detail,
    hint: ended
      ? 'Look what of the import and the seed stands. Take `begin`, `commit` and `rollback` out of the seed, and import again.'
      : (facts?.hint ?? 'Nothing was written. Mend the seed and import again.'),
    cause,
  })
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
