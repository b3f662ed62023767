import type { Database } from '../../src/database/port.js'
import { SEARCH_PATH } from './sql.js'

/** What a database may have as its sessions' defaults; ours must not depend on any of it. */
const SETTINGS: readonly Readonly<Record<string, string>>[] = [
  {},
  { datestyle: 'SQL, DMY', timezone: 'America/New_York', intervalstyle: 'iso_8601', bytea_output: 'escape' },
  { datestyle: 'German, MDY', timezone: 'Asia/Kathmandu', intervalstyle: 'sql_standard', extra_float_digits: '-15' },
  { extra_float_digits: '3', array_nulls: 'off', xmloption: 'document', transform_null_equals: 'on' },
  {
    standard_conforming_strings: 'off',
    default_transaction_isolation: 'serializable',
    intervalstyle: 'postgres_verbose',
  },
  { lc_monetary: 'C.utf8', datestyle: 'Postgres, DMY', timezone: 'Europe/Berlin' },
  { default_transaction_deferrable: 'on', enable_hashjoin: 'off', enable_mergejoin: 'off', timezone: '-3:30' },
  { enable_nestloop: 'off', work_mem: '64kB', quote_all_identifiers: 'on' },
  { default_transaction_isolation: 'repeatable read', check_function_bodies: 'off', bytea_output: 'escape' },
  { statement_timeout: '1min', lock_timeout: '10s', row_security: 'on', timezone: 'Pacific/Apia' },
]

/** The same database, whose sessions begin with a choice of settings. */
export function withSettings(database: Database, choice: number): Database {
  const settings = SETTINGS[choice % SETTINGS.length] ?? {}
  const statements = Object.entries(settings).map(([name, value]) => `set ${name} = '${value}'`)
  return {
    ...database,
    withSession: (use) =>
      database.withSession(async (session) => {
        // A machine may lack the locale.
        for (const statement of statements) {
          await session.script(statement).catch((error) => {
            if (!statement.includes('lc_monetary')) throw error
          })
        }
        return await use(session)
      }),
  }
}

/** Settings under which what is read for a comparison looks the same everywhere. */
export const PLAIN_SETTINGS = `set datestyle = 'ISO, MDY'; set timezone = 'UTC'; set intervalstyle = 'postgres'; set bytea_output = 'hex';
  set extra_float_digits = 3; set lc_monetary = 'C'; set search_path = ${SEARCH_PATH};`
