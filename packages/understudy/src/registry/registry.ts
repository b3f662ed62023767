import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'

/** What a database's registry says of the database itself. */
export interface Instance {
  /** The database's own id, by which others know its rows. */
  readonly id: string
  /** The word that the registry holds on how careful to be, or null. */
  readonly environment: string | null
  /** What told the database from its copies when its id was made, or null where that is not known. */
  readonly fingerprint: string | null
}

/**
 * Reads the instance, and makes the registry first where it is missing and the role may. Null where there is none and none can be made:
 * a replica, a read-only transaction, a role without rights.
 */
export async function openRegistry(session: Session): Promise<Instance | null> {
  const known = await readInstance(session)
  if (known !== null && known.fingerprint !== null) return known
  try {
    return await session.transaction({}, async () => createRegistry(session))
  } catch (error) {
    const sqlstate = describeSqlError(error)?.sqlstate
    if (sqlstate !== undefined && MAY_NOT_WRITE.has(sqlstate)) return known
    const made = await readInstance(session)
    if (made !== null) return made
    throw error
  }
}

/** insufficient_privilege; read_only_sql_transaction; feature_not_supported: a transaction that writes, on a replica. */
const MAY_NOT_WRITE = new Set(['42501', '25006', '0A000'])

/** The instance that the registry names, or null where there is no registry. */
export async function readInstance(session: Session): Promise<Instance | null> {
  if (!(await isRegistryReadable(session, 'instance'))) return null
  // By way of JSON: a registry of an earlier version has no fingerprint.
  const [row] = await session.query<Instance & Record<string, unknown>>(
    `select i.id::text as id, i.environment, to_json(i) ->> 'fingerprint' as fingerprint from understudy.instance i`,
  )
  return row ?? null
}

/** Whether a table of the registry is there and the role may read it. Asks the catalog, which never refuses. */
export async function isRegistryReadable(session: Session, table: string): Promise<boolean> {
  const [row] = await session.query<{ is_readable: boolean }>(
    `select exists (select from pg_catalog.pg_class c
                      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                     where n.nspname = 'understudy' and c.relname = $1::text
                       and pg_catalog.has_schema_privilege(n.oid, 'USAGE') and pg_catalog.has_table_privilege(c.oid, 'SELECT')) as is_readable`,
    [table],
  )
  return row?.is_readable === true
}

/** Refuses where there is a registry that the role may not read: without it, rows that were born elsewhere look like rows that nobody knows. */
export async function refuseHiddenRegistry(session: Session): Promise<void> {
  if (await isRegistryReadable(session, 'instance')) return
  const [row] = await session.query<{ is_there: boolean }>(
    `select exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                     where n.nspname = 'understudy' and c.relname = 'instance') as is_there`,
  )
  if (row?.is_there !== true) return
  throw new UnderstudyError('PRIVILEGE_MISSING', 'the role may not read the registry, the schema understudy', {
    hint: 'As its owner: grant usage on schema understudy to the role, and select, insert, update and delete on all tables in it.',
  })
}

/** Makes what is missing of the registry. Runs inside the caller's transaction, so that a failed import leaves no trace of it. */
export async function createRegistry(session: Session): Promise<Instance> {
  // Looked up first: `create … if not exists` and comments want ownership even where there is nothing to do.
  const [known] = await session.query<{ is_complete: boolean }>(
    `select not exists (select from unnest($1::text[]) n(name) where to_regclass(name) is null)
            and exists (select from pg_catalog.pg_attribute
                         where attrelid = to_regclass('understudy.instance') and attname = 'fingerprint') as is_complete`,
    [TABLES],
  )
  if (known?.is_complete !== true) await session.script(REGISTRY)
  await rememberFingerprint(session)
  const instance = await readInstance(session)
  if (instance === null) throw new Error('the registry was made, yet names no instance')
  return instance
}

async function rememberFingerprint(session: Session): Promise<void> {
  if ((await readInstance(session))?.fingerprint !== null) return
  const fingerprint = await session.readFingerprint()
  if (fingerprint === null) return
  await session.execute('update understudy.instance set fingerprint = $1::text where fingerprint is null', [
    fingerprint,
  ])
}

const TABLES = ['instance', 'origin', 'history', 'transfer', 'late_reference'].map((table) => `understudy.${table}`)

const REGISTRY = `
create schema if not exists understudy;
comment on schema understudy is 'The registry of Understudy: what this database is to others, and where its rows came from';

create table if not exists understudy.instance (
  is_only boolean primary key default true check (is_only),
  id uuid not null default gen_random_uuid(),
  environment text check (environment in ('development', 'safe', 'production')),
  created_at timestamptz not null default now()
);
comment on table understudy.instance is 'This database''s own id, one row';
comment on column understudy.instance.id is 'By this id other databases know the rows that were born here';
comment on column understudy.instance.environment is 'safe and production ask for the database''s name before a writing import';
alter table understudy.instance add column if not exists fingerprint text;
comment on column understudy.instance.fingerprint is 'Where the database stood when its id was made: a copy stands elsewhere';
insert into understudy.instance default values on conflict do nothing;

create table if not exists understudy.origin (
  relation text not null,
  local_key text not null,
  origin text not null,
  primary key (relation, local_key),
  unique (relation, origin)
);
comment on table understudy.origin is 'Rows without a natural key that came from elsewhere: where each was born';
comment on column understudy.origin.local_key is 'The surrogate key in this database, as text';
comment on column understudy.origin.origin is '<instance>:<surrogate key there>';

create table if not exists understudy.history (
  relation text not null,
  instance uuid not null,
  primary key (relation, instance)
);
comment on table understudy.history is 'Per relation without a natural key: the instances whose rows have come here, directly or through others';

create table if not exists understudy.transfer (
  id bigint generated always as identity primary key,
  direction text not null check (direction in ('export', 'import')),
  archive_id uuid not null,
  archive_name text not null,
  source_instance uuid,
  mode text,
  happened_at timestamptz not null default now(),
  relations jsonb not null
);
comment on table understudy.transfer is 'The log of archives taken from this database and imported into it: its lineage';
comment on column understudy.transfer.relations is 'Per relation: records, and for an import what was done with them';

create table if not exists understudy.late_reference (
  relation text not null,
  local_key text not null,
  column_name text not null,
  target text not null,
  identity json not null,
  stand_in text,
  archive_id uuid not null,
  primary key (relation, local_key, column_name)
);
comment on table understudy.late_reference is 'References whose target had not arrived: a placeholder or null stands in until an archive brings it';
comment on column understudy.late_reference.local_key is 'The row''s primary key in this database, its columns as a JSON array of texts';
comment on column understudy.late_reference.identity is 'The identity of the missing target, as it travels';
comment on column understudy.late_reference.stand_in is 'What stands in the column meanwhile: a placeholder''s key, or null';
`

/** A finished export or import, for the lineage. */
export interface Transfer {
  readonly direction: 'export' | 'import'
  readonly archiveId: string
  readonly archiveName: string
  readonly sourceInstance: string | null
  readonly mode: string | null
  readonly relations: Readonly<Record<string, unknown>>
}

export async function recordTransfer(session: Session, transfer: Transfer): Promise<void> {
  await session.execute(
    `insert into understudy.transfer (direction, archive_id, archive_name, source_instance, mode, relations)
     values ($1::text, $2::uuid, $3::text, $4::uuid, $5::text, $6::jsonb)`,
    [
      transfer.direction,
      transfer.archiveId,
      transfer.archiveName,
      transfer.sourceInstance,
      transfer.mode,
      JSON.stringify(transfer.relations),
    ],
  )
}

/** An archive in a database's history. */
export interface LineageEntry {
  readonly archiveId: string
  readonly direction: 'export' | 'import'
  readonly sourceInstance: string | null
}

/** The archives that this database exported or imported, newest first, at most a thousand. */
export async function readLineage(session: Session): Promise<LineageEntry[]> {
  return await session.query<LineageEntry & Record<string, unknown>>(
    `select archive_id::text as "archiveId", direction, source_instance::text as "sourceInstance"
       from understudy.transfer
      order by id desc
      limit 1000`,
  )
}
