import { type AdvisoryLockOptions, withAdvisoryLock } from '../database/advisory-lock.js'
import type { Database, Session } from '../database/port.js'

/** Lends the session that holds the lock. */
export type Turn = <T>(use: (session: Session) => Promise<T>) => Promise<T>

/**
 * Runs `work` while nobody else changes the database. The session that works is the one that holds the lock: when the client dies, both
 * end together. Between two turns other sessions may be opened; an embedded database has one only, so it gives it back after each turn.
 *
 * Errors: LOCK_NOT_AVAILABLE, POOLER_REFUSED.
 */
export async function withMigrationLock<T>(
  database: Database,
  options: AdvisoryLockOptions,
  work: (turn: Turn) => Promise<T>,
): Promise<T> {
  if (database.driver === 'pglite') return await work((use) => database.withSession(use))
  return await database.withSession((session) => withAdvisoryLock(session, options, () => work((use) => use(session))))
}
