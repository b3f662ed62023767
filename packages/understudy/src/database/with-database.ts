import { openDatabase } from './open.js'
import type { Database } from './port.js'

/** What everything takes that works with the settings' database. */
export interface DatabaseOptions {
  /** A database that is open already, instead of the settings' one. It stays open. */
  readonly database?: Database | undefined
  /**
   * Ends the work, and also a connection to a server that does not answer: what was begun is rolled back, and the function rejects with the signal's
   * `reason`, as Node's own functions do, not with an `UnderstudyError`. Aborted before the call, nothing is begun.
   */
  readonly signal?: AbortSignal | undefined
}

/** Gives `use` the database that is already open, or opens the settings' one and closes it afterwards. */
export async function withDatabase<T>(
  settings: { readonly database: string; readonly folder?: 'make' | 'expect' },
  options: DatabaseOptions,
  use: (database: Database) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted()
  if (options.database !== undefined) return await use(options.database)
  const { folder = 'expect' } = settings
  const database = await openDatabase(settings.database, { folder, signal: options.signal })
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}
