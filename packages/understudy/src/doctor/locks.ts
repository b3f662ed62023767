import { readHolder } from '../database/advisory-lock.js'
import type { Session } from '../database/port.js'
import { relationLabel } from '../model/model.js'
import { type Finding, good, some, warning } from './finding.js'

interface Holding {
  readonly schema: string
  readonly name: string
  readonly pid: number | null
  readonly application: string
  readonly role: string
  readonly state: string
  readonly seconds: number
  readonly blocks_export: boolean
}

/** Who holds locks now that an import would wait for, and whether another Understudy is at work. Asks the catalog for nothing that waits itself. */
export async function examineLocks(session: Session): Promise<Finding[]> {
  if (session.driver === 'pglite') return [good('locks', 'the folder is ours')]
  const findings: Finding[] = []
  const holder = await readHolder(session)
  if (holder !== undefined) {
    findings.push(
      warning(
        'locks',
        `another Understudy is at work: process ${holder.pid} (${holder.applicationName || 'unnamed'})`,
        'Wait until it is done, or say --wait.',
      ),
    )
  }
  const rows = await session.query<Holding & Record<string, unknown>>(
    `select distinct on (l.pid, l.relation)
            n.nspname::text as schema, c.relname::text as name, l.pid,
            coalesce(nullif(a.application_name, ''), 'unnamed') as application, coalesce(a.usename::text, '') as role,
            coalesce(a.state, 'prepared transaction') as state,
            coalesce(extract(epoch from clock_timestamp() - a.xact_start), 0)::int as seconds,
            l.mode = 'AccessExclusiveLock' as blocks_export
       from pg_catalog.pg_locks l
       join pg_catalog.pg_class c on c.oid = l.relation and c.relkind in ('r', 'p') /* tables, partitioned too */
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'understudy')
       left join pg_catalog.pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'relation' and l.granted
        and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
        and l.pid is distinct from pg_catalog.pg_backend_pid()
        and l.mode not in ('AccessShareLock', 'RowShareLock')
      order by l.pid, l.relation, l.mode = 'AccessExclusiveLock' desc`,
  )
  const byHolder = new Map<string, Holding[]>()
  for (const row of rows) {
    const key = String(row.pid)
    byHolder.set(key, [...(byHolder.get(key) ?? []), row])
  }
  for (const held of byHolder.values()) findings.push(describeHolder(held))
  return findings.length > 0 ? findings : [good('locks', 'nobody writes at the moment')]
}

function describeHolder(held: readonly Holding[]): Finding {
  const [first] = held
  const who =
    first?.pid == null
      ? 'a prepared transaction'
      : `process ${first.pid} (${first.application}, role ${first.role}, ${first.state})`
  const relations = some(held.map(relationLabel))
  const waits = held.some((each) => each.blocks_export) ? 'an export and an import wait' : 'an import waits'
  return warning(
    'locks',
    `${who} has held locks on ${relations} for ${first?.seconds ?? 0} s: ${waits} for it`,
    first?.pid == null
      ? 'Commit or roll back what `select * from pg_prepared_xacts` shows.'
      : `Let it end its transaction. If it hangs: select pg_terminate_backend(${first.pid})`,
  )
}
