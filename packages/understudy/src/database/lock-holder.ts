/** The session that holds a lock. */
export interface LockHolder {
  readonly pid: number
  readonly applicationName: string
  readonly role: string
  /** When its session began, ISO 8601; null where this role may not know. */
  readonly since: string | null
}

/** Selects a `LockHolder` from `pg_stat_activity`, aliased `activity`. Most of it is null for who may not know. */
export const HOLDER_COLUMNS = `
  activity.pid,
  coalesce(activity.application_name, '') as "applicationName",
  coalesce(activity.usename::text, '') as role,
  to_char(activity.backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since`

export function describeHolder(holder: LockHolder | undefined): string {
  return holder === undefined ? 'another session' : `process ${holder.pid} (${holder.applicationName || 'unnamed'})`
}

/** Lines for an error's detail. */
export function holderFacts(holder: LockHolder | undefined): string[] {
  if (holder === undefined) return []
  return [`role ${holder.role}, connected since ${holder.since ?? 'a time that this role may not see'}`]
}

export function describeWait(waitMs: number): string {
  return `waited ${(waitMs / 1000).toLocaleString('en')} s`
}
