import type { Connection } from 'pgpass'

/** The password of a connection from PGPASSFILE or `~/.pgpass`, as psql reads them; undefined where there is none. */
export async function readPasswordFile(connection: Connection): Promise<string | undefined> {
  // pg looks there by itself too, and tells every user that it will not for ever.
  const { default: pgpass } = await import('pgpass')
  return await new Promise((resolve) => pgpass(connection, resolve))
}
