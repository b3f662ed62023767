import { UnderstudyError } from '../errors.js'
import type { Database } from './port.js'
import { openPostgres } from './postgres.js'

export interface OpenOptions {
  /** Whether the folder of an embedded database is made where it is missing (the default) or must be there: a slip in a path makes no database. */
  readonly folder?: 'make' | 'expect' | undefined
  /** What `pg_stat_activity` shows, unless the URL or PGAPPNAME says otherwise. Default: `understudy`. */
  readonly applicationName?: string | undefined
  /** Receives the server's notices and warnings. Default: nobody does. */
  readonly onNotice?: ((message: string) => void) | undefined
  /** Ends a connection that is being made to a server, with its reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens the database that a URL names: `postgres://…` or `postgresql://…` for a server (14 or newer; connects at the first
 * session), `pglite:<folder>` for an embedded database (the folder is made and locked), `pglite:memory` for one that is
 * gone when it is closed. A URL of a server means what it means to psql: several hosts are tried in their order, `sslmode` and `target_session_attrs` are
 * heeded, and what it leaves out comes from PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, PGPASSFILE and PGSSLMODE.
 *
 * Throws DATABASE_URL_INVALID, DATABASE_LOCKED, DATABASE_NOT_FOUND, FOLDER_UNUSABLE.
 */
export async function openDatabase(url: string, options: OpenOptions = {}): Promise<Database> {
  if (/^postgres(ql)?:\/\//.test(url)) return openPostgres(url, options)
  const folder = /^pglite:(?!\/\/)(.+)$/s.exec(url)?.[1]
  if (folder !== undefined) {
    // Half of what takes time to load, and a server needs none of it.
    const { openPglite } = await import('./pglite.js')
    return await openPglite(folder, options)
  }
  // The text is not repeated: it may be a URL with a password and a slip in its first letters.
  throw new UnderstudyError('DATABASE_URL_INVALID', 'the database URL names no known kind of database', {
    hint: 'Write postgres://role:password@host:5432/database for a server, or pglite:./folder for an embedded database.',
  })
}
