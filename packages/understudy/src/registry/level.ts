import type { Session } from '../database/port.js'
import { isRegistryReadable } from './registry.js'

/** A migration that was applied to a database. */
export interface LevelEntry {
  readonly id: string
  readonly checksum: string
  /** False for a data seed out of the archive of migrations: it says nothing about the schema. */
  readonly isSchema: boolean
}

/** The migrations that a database has: the level of its schema. Empty where there is no ledger. */
export async function readLevel(session: Session): Promise<readonly LevelEntry[]> {
  if (!(await isRegistryReadable(session, 'migration'))) return []
  return await session.query<LevelEntry & Record<string, unknown>>(
    `select id, checksum, coalesce(to_jsonb(m) ->> 'method', 'run') <> 'archived' as "isSchema"
       from understudy.migration m
      where coalesce(to_jsonb(m) ->> 'state', 'applied') = 'applied'
      order by id collate "C"`,
  )
}
