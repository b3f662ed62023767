import type { Session } from '../database/port.js'
import { isRegistryReadable } from './registry.js'

/** By relation label: the instances whose rows of a relation known by its origin have come into this database, directly or through others. */
export async function readHistory(session: Session): Promise<Map<string, string[]>> {
  if (!(await isRegistryReadable(session, 'history'))) return new Map()
  const rows = await session.query<{ relation: string; instances: string[] }>(
    `select relation, array_agg(instance::text order by instance) as instances
       from understudy.history
      group by relation`,
  )
  return new Map(rows.map(({ relation, instances }) => [relation, instances]))
}

/** Remembers that rows of the relation may be those of these instances from now on. */
export async function recordHistory(session: Session, relation: string, instances: readonly string[]): Promise<void> {
  await session.execute(
    `insert into understudy.history (relation, instance)
     select $1::text, instance from unnest($2::uuid[]) instance
     on conflict do nothing`,
    [relation, instances],
  )
}
