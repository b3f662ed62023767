import { openDatabase } from './open.js'
import type { Database } from './port.js'

/** What everything takes that works with the settings' database. */
export interface DatabaseOptions {
  /** A database that is open already, instead of the settings' one. It stays open. */
  readonly database?: Database | undefined
  /** Ends the work with its reason, and also a connection to a server that does not answer. */
  readonly signal?: AbortSignal | undefined
}

/** Gives `use` the database that is already open, or opens the settings' one and closes it afterwards. */
export async function withDatabase<T>(
  settings: { readonly database: string; readonly folder?: 'make' | 'expect' },
  options: DatabaseOptions,
  use: (database: Database) => Promise<T>,
): Promise<T> {
  if (options.database !== undefined) return await use(options.database)
  const { folder = 'expect' } = settings
  const database = await openDatabase(settings.database, { folder, signal: options.signal })
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}
