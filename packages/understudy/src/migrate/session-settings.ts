import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'

/** Settings that this session was given, as `set` does, by name. */
export type SessionSettings = ReadonlyMap<string, string>

export async function readSessionSettings(session: Session): Promise<SessionSettings> {
  const rows = await session.query<{ name: string; setting: string }>(
    `select name, setting
     from pg_catalog.pg_settings
     where source = 'session'
       and name not like 'transaction\\_%' /* isolation and access mode of the running transaction */`,
  )
  return new Map(rows.map(({ name, setting }) => [name, setting]))
}

/**
 * Takes back what a migration set: a dump begins with `set_config('search_path', '', false)`, and the next migration would not find
 * its tables. (`reset all` would also undo what the driver set.)
 */
export async function restoreSessionSettings(session: Session, before: SessionSettings): Promise<void> {
  await session.script('reset session authorization; reset role')
  const now = await readSessionSettings(session)
  for (const name of now.keys()) if (!before.has(name)) await session.script(`reset ${quoteIdentifier(name)}`)
  for (const [name, setting] of before)
    if (now.get(name) !== setting) await session.query('select set_config($1::text, $2::text, false)', [name, setting])
}
