import type { Session } from '../database/port.js'
import { PostgresSession } from '../database/postgres-session.js'
import { type Ability, bad, type Finding, good, some, warning } from './finding.js'
import type { Patient } from './patient.js'

const WRITING: readonly Ability[] = ['init', 'replace', 'migrate']

export async function examineServer({ session }: Patient): Promise<Finding[]> {
  const [server] = await session.query<{ version: string; is_replica: boolean }>(
    `select current_setting('server_version') as version, pg_is_in_recovery() as is_replica`,
  )
  const findings = [good('server', `PostgreSQL ${server?.version}`)]
  if (server?.is_replica === true) {
    findings.push(
      bad(
        'server',
        WRITING,
        'the server is a replica, or recovering: nothing can be written',
        'Connect to the primary. An export from here works, without a registry of its own.',
      ),
    )
  }
  return findings
}

export async function examinePooler(session: Session): Promise<Finding[]> {
  if (!(session instanceof PostgresSession)) return []
  const evidence = await session.findTransactionPooler()
  if (evidence === undefined) return [good('pooler', 'no transaction pooler in between')]
  return [
    bad(
      'pooler',
      WRITING,
      `a transaction pooler stands in between: ${evidence}`,
      'Connect to the server itself (often another port or host name), or through a pooler in session mode.',
    ),
  ]
}

interface SettingRow {
  readonly name: string
  /** What a new session of this role gets here. */
  readonly value: string
  readonly unit: string | null
}

/** Time-outs are switched off for each transaction of ours, so they are only told where they reach further. */
export async function examineSettings({ session, content, database }: Patient): Promise<Finding[]> {
  const rows = await session.query<SettingRow & Record<string, unknown>>(
    `select name, reset_val as value, unit from pg_catalog.pg_settings
      where name in ('default_transaction_read_only', 'session_replication_role', 'statement_timeout', 'idle_in_transaction_session_timeout',
                     'transaction_timeout', 'idle_session_timeout', 'temp_file_limit', 'max_locks_per_transaction', 'max_connections', 'max_prepared_transactions')`,
  )
  const values = new Map(rows.map((row) => [row.name, row]))
  const settingOf = (name: string) => values.get(name)?.value ?? ''
  const findings: Finding[] = []
  if (settingOf('default_transaction_read_only') === 'on') {
    findings.push(
      warning(
        'settings',
        'default_transaction_read_only is on',
        'Understudy asks for transactions that write, but a migration without a transaction fails: alter role … set default_transaction_read_only = off.',
      ),
    )
  }
  if (!['', 'origin'].includes(settingOf('session_replication_role'))) {
    findings.push(
      bad(
        'settings',
        ['init', 'replace'],
        `session_replication_role is ${settingOf('session_replication_role')}: foreign keys and triggers do not fire`,
        'Reset it for this role and database: alter role … reset session_replication_role.',
      ),
    )
  }
  const timeouts = [
    'statement_timeout',
    'idle_in_transaction_session_timeout',
    'transaction_timeout',
    'idle_session_timeout',
  ]
  const set = timeouts.filter((name) => !['', '0', '-1'].includes(settingOf(name)))
  if (set.length > 0) {
    const list = set.map((name) => `${name} = ${settingOf(name)} ${values.get(name)?.unit ?? ''}`.trim())
    findings.push(good('settings', `${list.join(', ')}: switched off in our own transactions`))
  }
  if (Number(settingOf('temp_file_limit') || -1) >= 0) {
    findings.push(
      warning(
        'settings',
        `temp_file_limit is ${settingOf('temp_file_limit')} kB: sorts of large relations may exceed it`,
        'Raise it for the role if an import says so: alter role … set temp_file_limit = …',
      ),
    )
  }
  findings.push(...(await examineCapacity(session, content, settingOf)))
  if (database.driver === 'postgres') findings.push(...(await examineConnections(session)))
  return findings.length > 0 ? findings : [good('settings', 'nothing in the way')]
}

/** One transaction locks every content relation and its indexes; the table of locks is as large as these settings say. */
async function examineCapacity(
  session: Session,
  content: readonly number[],
  settingOf: (name: string) => string,
): Promise<Finding[]> {
  const capacity =
    Number(settingOf('max_locks_per_transaction')) *
    (Number(settingOf('max_connections')) + Number(settingOf('max_prepared_transactions') || 0))
  const [needed] = await session.query<{ objects: number }>(
    `select count(*) as objects
       from (select c.oid from pg_catalog.pg_class c where c.oid = any ($1::oid[])
              union select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = any ($1::oid[])) r
       left join pg_catalog.pg_index x on x.indrelid = r.oid`,
    [content],
  )
  const objects = needed?.objects ?? 0
  if (!(capacity > 0) || objects < capacity * 0.8) return []
  return [
    warning(
      'settings',
      `content has ${objects} tables and indexes, the server holds ${capacity} locks`,
      'Raise max_locks_per_transaction, which needs a restart, or take relations in parts (--only).',
    ),
  ]
}

async function examineConnections(session: Session): Promise<Finding[]> {
  const WANTED = 4
  const [row] = await session.query<{ free: number }>(
    `select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            - (select count(*) from pg_catalog.pg_stat_activity where backend_type = 'client backend') as free`,
  )
  const free = row?.free ?? WANTED
  if (free >= WANTED) return []
  return [
    warning(
      'settings',
      `${Math.max(0, free)} connections are free, an export uses up to four`,
      'Export with -j 1, or close other clients.',
    ),
  ]
}

/** evtenabled: O ordinary, A always. */
export async function examineEventTriggers({ session }: Patient): Promise<Finding[]> {
  const rows = await session.query<{ name: string; event: string }>(
    `select evtname::text as name, evtevent::text as event from pg_catalog.pg_event_trigger
      where evtenabled in ('O', 'A') and evtevent <> 'login' order by evtname`,
  )
  if (rows.length === 0) return [good('event triggers', 'none')]
  const names = rows.map(({ name, event }) => `${name} (${event})`)
  return [
    warning(
      'event triggers',
      `${some(names)} run at every migration, and at the temporary tables and suspended triggers of an import`,
      'If one refuses these or is slow, disable it meanwhile: alter event trigger … disable.',
    ),
  ]
}
