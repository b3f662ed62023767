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
  readonly durationMs: number
  readonly toolVersion: string
  /** The archive that was written before, or null. */
  readonly archive: string | null
}

/** The migrations that were applied, by id; none where the ledger does not exist yet. Writes nothing. */
export async function readLedger(session: Session): Promise<readonly LedgerRow[]> {
  if (!(await hasLedger(session))) return []
  return await session.query<LedgerRow>(
    `select
       id,
       package,
       checksum,
       checksum_algorithm as "checksumAlgorithm",
       to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "appliedAt",
       duration_ms as "durationMs",
       tool_version as "toolVersion",
       archive
     from understudy.migration
     order by id collate "C"`,
  )
}

/** Makes the registry and its ledger, where they are missing. Call it under the advisory lock. */
export async function createLedger(session: Session): Promise<void> {
  // Looked up first: `create … if not exists` wants the privilege to create even where there is nothing to do.
  if (await hasLedger(session)) return
  await session.transaction({}, async () => {
    await createRegistry(session)
    await session.script(CREATE_LEDGER)
  })
}

export async function recordMigration(
  session: Session,
  file: MigrationFile,
  facts: { readonly package: string; readonly archive: string | null; readonly durationMs: number },
): Promise<void> {
  await session.execute(
    `insert into understudy.migration (id, package, checksum, checksum_algorithm, duration_ms, tool_version, archive)
     values ($1::text, $2::text, $3::text, $4::text, $5::integer, $6::text, $7::text)`,
    [file.id, facts.package, file.checksum, CHECKSUM_ALGORITHM, facts.durationMs, TOOL_VERSION, facts.archive],
  )
}

async function hasLedger(session: Session): Promise<boolean> {
  const [row] = await session.query<{ exists: boolean }>(
    `select to_regclass('understudy.migration') is not null as "exists"`,
  )
  return row?.exists ?? false
}

const CREATE_LEDGER = `
create table understudy.migration (
  id text primary key,
  package text not null,
  checksum text not null,
  checksum_algorithm text not null,
  applied_at timestamptz not null default clock_timestamp(),
  duration_ms integer not null,
  tool_version text not null,
  archive text
);
comment on table understudy.migration is 'Ledger of the schema migrations that were applied to this database, one row each.';
comment on column understudy.migration.id is 'Name of the migration file without its extension, such as 019_serial_ids.';
comment on column understudy.migration.package is 'Name of the migration package that the file was in.';
comment on column understudy.migration.checksum is 'Checksum, in hexadecimal, of the file''s text with line feeds between lines.';
comment on column understudy.migration.checksum_algorithm is 'How the checksum was made.';
comment on column understudy.migration.applied_at is 'When the migration had run.';
comment on column understudy.migration.duration_ms is 'How long it ran, in milliseconds.';
comment on column understudy.migration.tool_version is 'Version of Understudy that applied it.';
comment on column understudy.migration.archive is 'Name of the archive that was written before it, or null.';
`
