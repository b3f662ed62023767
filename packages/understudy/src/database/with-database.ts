import { openDatabase } from './open.js'
import type { Database } from './port.js'

/** Gives `use` the database that is already open, or opens the one that the URL names and closes it afterwards. */
export async function withDatabase<T>(
  place: {
    readonly url: string
    readonly open?: Database | undefined
    readonly folder?: 'make' | 'expect' | undefined
    /** Ends also a connection that is being made. */
    readonly signal?: AbortSignal | undefined
  },
  use: (database: Database) => Promise<T>,
): Promise<T> {
  if (place.open !== undefined) return await use(place.open)
  const database = await openDatabase(place.url, { folder: place.folder ?? 'expect', signal: place.signal })
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}
