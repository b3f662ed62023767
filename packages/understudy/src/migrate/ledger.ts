import type { Session } from '../database/port.js'
import { createRegistry } from '../registry/registry.js'
import { TOOL_VERSION } from '../version.js'
import { CHECKSUM_ALGORITHM, type MigrationFile } from './migration-files.js'

/** One row of `understudy.migration`. */
export interface LedgerRow {
  readonly id: string
  readonly package: string
  readonly checksum: string
  readonly checksumAlgorithm: string
  /** ISO 8601, UTC. */
  readonly appliedAt: string
  /** Null where nothing was run: a baseline. */
  readonly durationMs: number | null
  readonly toolVersion: string
  /** The archive that was written before, or null. */
  readonly archive: string | null
  /** Whether it ran without an archive because somebody said so. */
  readonly isArchiveDeclined: boolean
  /** `unfinished`: begun without a transaction, or ended its own, and not seen to the end. */
  readonly state: 'applied' | 'unfinished'
  /** `baseline`: it was there when the database was adopted; `archived`: a data seed out of the archive of migrations. */
  readonly method: 'run' | 'baseline' | 'archived'
}

/** What is written when a migration begins or is recorded. */
export interface LedgerEntry {
  readonly file: MigrationFile
  readonly package: string
  readonly method: LedgerRow['method']
  readonly state: LedgerRow['state']
  readonly durationMs: number | null
  readonly archive: string | null
  readonly isArchiveDeclined: boolean
}

/** The migrations that were applied, by id; none where the ledger does not exist yet. Writes nothing. */
export async function readLedger(session: Session): Promise<readonly LedgerRow[]> {
  if (!(await hasTable(session, 'migration'))) return []
  // Through JSON, since the ledger of an earlier version has fewer columns until the next migration runs.
  return await session.query<LedgerRow>(
    `select
       id,
       package,
       checksum,
       checksum_algorithm as "checksumAlgorithm",
       to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "appliedAt",
       duration_ms as "durationMs",
       tool_version as "toolVersion",
       archive,
       coalesce((to_jsonb(migration) ->> 'archive_declined')::boolean, false) as "isArchiveDeclined",
       coalesce(to_jsonb(migration) ->> 'state', 'applied') as state,
       coalesce(to_jsonb(migration) ->> 'method', 'run') as method
     from understudy.migration
     order by id collate "C"`,
  )
}

/** Makes the registry and its ledger, where they are missing. Call it under the advisory lock. */
export async function createLedger(session: Session): Promise<void> {
  // Looked up first: `create … if not exists` wants the privilege to create even where there is nothing to do.
  if (await hasTable(session, 'migration_log')) return
  await session.transaction({}, async () => {
    await createRegistry(session)
    await session.script(CREATE_LEDGER)
  })
}

/** Writes a migration's row; one that is there already, begun before, is completed. */
export async function writeLedgerRow(session: Session, entry: LedgerEntry): Promise<void> {
  await session.execute(
    `insert into understudy.migration
       (id, package, checksum, checksum_algorithm, duration_ms, tool_version, archive, archive_declined, state, method)
     values
       ($1::text, $2::text, $3::text, $4::text, $5::integer, $6::text, $7::text, $8::boolean, $9::text, $10::text)
     on conflict (id) do update
     set duration_ms = excluded.duration_ms,
         state = excluded.state,
         applied_at = clock_timestamp()`,
    [
      entry.file.id,
      entry.package,
      entry.file.checksum,
      CHECKSUM_ALGORITHM,
      entry.durationMs,
      TOOL_VERSION,
      entry.archive,
      entry.isArchiveDeclined,
      entry.state,
      entry.method,
    ],
  )
}

export async function writeLedgerState(session: Session, id: string, state: LedgerRow['state']): Promise<void> {
  await session.execute('update understudy.migration set state = $2::text where id = $1::text', [id, state])
}

/** Accepts today's text of applied migrations. */
export async function writeChecksums(session: Session, files: readonly MigrationFile[]): Promise<void> {
  await session.execute(
    `update understudy.migration
     set checksum = accepted.checksum, checksum_algorithm = $3::text
     from unnest($1::text[], $2::text[]) as accepted (id, checksum)
     where migration.id = accepted.id`,
    [files.map(({ id }) => id), files.map(({ checksum }) => checksum), CHECKSUM_ALGORITHM],
  )
}

export async function deleteLedgerRow(session: Session, id: string): Promise<void> {
  await session.execute('delete from understudy.migration where id = $1::text', [id])
}

/** What was done to the ledger, and why; `failed` and `override` tell what a row cannot. */
export interface LogEntry {
  readonly action: 'up' | 'down' | 'archived' | 'baseline' | 'repair' | 'resolve' | 'failed' | 'override'
  readonly migration: string
  readonly detail?: string | null
}

export async function writeLog(session: Session, entries: readonly LogEntry[]): Promise<void> {
  await session.execute(
    `insert into understudy.migration_log (action, migration, detail, tool_version)
     select entry.action, entry.migration, entry.detail, $4::text
     from unnest($1::text[], $2::text[], $3::text[]) as entry (action, migration, detail)`,
    [
      entries.map(({ action }) => action),
      entries.map(({ migration }) => migration),
      entries.map(({ detail }) => detail ?? null),
      TOOL_VERSION,
    ],
  )
}

async function hasTable(session: Session, name: 'migration' | 'migration_log'): Promise<boolean> {
  const [row] = await session.query<{ exists: boolean }>('select to_regclass($1::text) is not null as "exists"', [
    `understudy.${name}`,
  ])
  return row?.exists ?? false
}

const CREATE_LEDGER = `
create table if not exists understudy.migration (
  id text primary key,
  package text not null,
  checksum text not null,
  checksum_algorithm text not null,
  applied_at timestamptz not null default clock_timestamp(),
  duration_ms integer,
  tool_version text not null,
  archive text
);
alter table understudy.migration
  alter column duration_ms drop not null,
  add column if not exists archive_declined boolean not null default false,
  add column if not exists state text not null default 'applied' check (state in ('applied', 'unfinished')),
  add column if not exists method text not null default 'run' check (method in ('run', 'baseline', 'archived'));
comment on table understudy.migration is 'Ledger of the schema migrations that were applied to this database, one row each.';
comment on column understudy.migration.id is 'Name of the migration file without its extension, such as 019_serial_ids.';
comment on column understudy.migration.package is 'Name of the migration package that the file was in.';
comment on column understudy.migration.checksum is 'Checksum, in hexadecimal, of the file''s text with line feeds between lines.';
comment on column understudy.migration.checksum_algorithm is 'How the checksum was made.';
comment on column understudy.migration.applied_at is 'When the migration had run; of an unfinished one, when it began.';
comment on column understudy.migration.duration_ms is 'How long it ran, in milliseconds; null where it was not run but found.';
comment on column understudy.migration.tool_version is 'Version of Understudy that applied it.';
comment on column understudy.migration.archive is 'Name of the archive that was written before it, or null.';
comment on column understudy.migration.archive_declined is 'Whether it ran without an archive because somebody said so.';
comment on column understudy.migration.state is 'unfinished: begun without a transaction, or ended its own, and not seen to the end; a person must look.';
comment on column understudy.migration.method is 'run by Understudy; baseline: there when the database was adopted; archived: a data seed out of the archive of migrations.';

create table if not exists understudy.migration_log (
  id bigint primary key generated always as identity,
  happened_at timestamptz not null default clock_timestamp(),
  action text not null,
  migration text not null,
  detail text,
  role text not null default current_user,
  tool_version text not null
);
comment on table understudy.migration_log is 'What was done to the ledger, in order: migrations that were run, taken back, adopted, accepted, resolved.';
comment on column understudy.migration_log.id is 'Number of the entry.';
comment on column understudy.migration_log.happened_at is 'When it happened.';
comment on column understudy.migration_log.action is 'up, down, archived, baseline, repair, resolve, failed or override.';
comment on column understudy.migration_log.migration is 'Id of the migration.';
comment on column understudy.migration_log.detail is 'What else is worth knowing: the override that was given, the checksum before a repair.';
comment on column understudy.migration_log.role is 'The database role that did it.';
comment on column understudy.migration_log.tool_version is 'Version of Understudy that did it.';
`
