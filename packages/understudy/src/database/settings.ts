import type { Session } from './port.js'
import { quoteLiteral } from './quoting.js'

/**
 * Settings under which the same value has the same text in every database, and under which nothing is cut short:
 * neither by a time-out nor, silently, by a row security policy (with `row_security` off it is an error).
 */
const PINNED: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  // From 1 on a float is written in the fewest digits that give back the same float (manual, "Floating-Point Types").
  extra_float_digits: '1',
  lc_monetary: 'C',
  xmloption: 'content',
  array_nulls: 'on',
  standard_conforming_strings: 'on',
  quote_all_identifiers: 'off',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  row_security: 'off',
  // Compiling the long select lists of our queries takes seconds and saves none: a small import went from 10 s to 1 s.
  jit: 'off',
}

export interface PinOptions {
  /** `own`: the session's time zone stays, under which a migration has cast between types with and without one. Default: UTC. */
  readonly timeZone?: 'UTC' | 'own'
}

/** Pins the settings for the running transaction, in one statement, and empties its search path. Must be called inside a transaction. */
export async function pinSettings(session: Session, options: PinOptions = {}): Promise<void> {
  const calls = Object.entries({ ...PINNED, search_path: '' })
    .filter(([name]) => options.timeZone !== 'own' || name !== 'TimeZone')
    .map(([name, value]) => setLocal(name, value))
  await session.query(`
    select
      ${calls.join(',\n      ')},
      case
        when pg_catalog.current_setting('server_version_num')::integer >= 170000
        then ${setLocal('transaction_timeout', '0')}
      end`)
}

/**
 * Chooses the running transaction's search path. `none`: only names with a schema, and pg_catalog's, are found. `own`: the path that the
 * database gives a new session, as it must be while rows are written (a generated column's function may name a table without its schema).
 */
export async function useSearchPath(session: Session, path: 'none' | 'own'): Promise<void> {
  await session.script(`set local search_path to ${path === 'own' ? 'default' : "''"}`)
}

/** Runs what was deferred to the commit: foreign keys, and constraint triggers, whose functions look for their tables on the database's own path. */
export async function checkConstraintsNow(session: Session): Promise<void> {
  await useSearchPath(session, 'own')
  await session.execute('set constraints all immediate')
  await useSearchPath(session, 'none')
}

/** Pins the settings while `work` runs, and gives back those that the transaction had. An error leaves them: it ends the transaction anyway. */
export async function withPinnedSettings<T>(session: Session, options: PinOptions, work: () => Promise<T>): Promise<T> {
  const names = [...Object.keys(PINNED), 'search_path', 'transaction_timeout']
  const before = await session.query<{ name: string; value: string }>(
    `select name, pg_catalog.current_setting(name) as value
       from pg_catalog.unnest($1::text[]) name
      where pg_catalog.current_setting(name, true) is not null`,
    [names],
  )
  await pinSettings(session, options)
  const result = await work()
  await session.query(`select ${before.map(({ name, value }) => setLocal(name, value)).join(', ')}`)
  return result
}

function setLocal(name: string, value: string): string {
  return `pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, true)`
}
