import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import type { Database } from '../../src/database/port.js'

const BIN = fileURLToPath(new URL('../../bin/understudy.js', import.meta.url))

/** Keys, checks, indexes, triggers in every state, two circles, a lagging sequence, several schemas. */
export const SCHEMA = `
  create schema "o""ther";
  create table teams (id serial primary key, code text not null unique, boss_id int, note text);
  create table users (id int generated always as identity primary key, mail text not null unique,
    team_id int references teams on delete cascade, points int check (points >= 0));
  alter table teams add foreign key (boss_id) references users deferrable initially deferred;
  create table "o""ther"."table" (id bigserial primary key, key text not null unique, user_id int not null references users, word text);
  create table notes (id serial primary key, user_id int references users, body text not null);
  create index on notes (user_id);
  create index partly on users (points) where points > 10;
  create function touch() returns trigger language plpgsql as 'begin return new; end';
  create trigger a_origin before insert or update on users for each row execute function touch();
  create trigger b_always before insert or update on users for each row execute function touch();
  create trigger c_replica before insert or update on users for each row execute function touch();
  create trigger d_disabled before insert or update on users for each row execute function touch();
  alter table users enable always trigger b_always, enable replica trigger c_replica, disable trigger d_disabled`

export const CONFIG = { relations: { notes: { owner: 'user_id' } } }

/** The content that an archive brings; \`from\` is where its ids begin, \`word\` what tells it from another side's. */
export function content(from: number, word: string): string {
  return `
    insert into teams (id, code, note) select ${from} + n, 'team ' || n, '${word}' from generate_series(1, 20) n;
    insert into users (id, mail, team_id, points) overriding system value
      select ${from} + n, n || '@example.org', ${from} + 1 + n % 20, n from generate_series(1, 200) n;
    update teams set boss_id = id;
    insert into "o""ther"."table" (id, key, user_id, word) select ${from} + n, 'row ' || n % 300, ${from} + 1 + n % 200, '${word}' from generate_series(1, 300) n;
    insert into notes (user_id, body) select ${from} + 1 + n % 200, '${word} note ' || n from generate_series(1, 400) n`
}

const TABLES = ['teams', 'users', '"o""ther"."table"', 'notes']
const SEQUENCES = ['teams_id_seq', 'users_id_seq', '"o""ther"."table_id_seq"', 'notes_id_seq']

/** All that a fault must leave as it was: rows with their ids, sequences, triggers, constraints, indexes, and what the registry says. */
export const STATE = stateQuery()

export async function fingerprint(database: Database): Promise<unknown> {
  return await database.withSession((session) => session.query(STATE))
}

function stateQuery(): string {
  const rows = TABLES.map(
    (table) =>
      `select ${literal(table)} as name, count(*) || ' ' || md5(string_agg(t::text, '|' order by t.id)) as value from ${table} t`,
  )
  const sequences = SEQUENCES.map((name) => `select ${literal(name)}, last_value || ' ' || is_called from ${name}`)
  const facts = [
    `select 'trigger ' || tgrelid::regclass || ' ' || tgname, tgenabled::text from pg_trigger where not tgisinternal`,
    `select 'constraint ' || conrelid::regclass || ' ' || conname, convalidated || ' ' || pg_get_constraintdef(oid) from pg_constraint where conrelid <> 0 and connamespace <> 'pg_catalog'::regnamespace and conrelid not in (select oid from pg_class where relnamespace in ('information_schema'::regnamespace, coalesce(to_regnamespace('understudy'), 0)))`,
    `select 'index ' || indexrelid::regclass, indisvalid || ' ' || pg_get_indexdef(indexrelid) from pg_index where indrelid = any (array[${TABLES.map((table) => `${literal(table)}::regclass`).join(', ')}])`,
    `select 'imports', case when to_regclass('understudy.transfer') is null then '0' else (xpath('/row/n/text()', query_to_xml('select count(*) as n from understudy.transfer where direction = ''import''', false, true, '')))[1]::text end`,
  ]
  return `select name, value from (${[...rows, ...sequences, ...facts].join(' union all ')}) f order by name`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** What comes back from a crash has moved every sequence on, by up to 32, that was used since the last checkpoint, as PostgreSQL has it. */
export function withoutSequences(state: unknown): unknown {
  return (state as { name: string }[]).filter(({ name }) => !name.includes('_id_seq'))
}

export interface Killable {
  readonly child: ChildProcess
  /** Standard error so far. */
  readonly said: () => string
  readonly ended: Promise<{
    readonly exitCode: number | null
    readonly signal: NodeJS.Signals | null
    readonly said: string
    readonly stdout: string
  }>
}

/** The built program as a process of its own. */
export function startCli(
  args: readonly string[],
  options: {
    readonly cwd: string
    readonly url: string
    readonly environment?: Readonly<Record<string, string>>
    readonly prefix?: readonly string[]
  },
): Killable {
  const { PATH, HOME, TMPDIR = '' } = process.env
  const [program = '', ...rest] = [...(options.prefix ?? []), process.execPath, BIN, ...args]
  const child = spawn(program, rest, {
    cwd: options.cwd,
    env: { PATH, HOME, TMPDIR, DATABASE_URL: options.url, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let stdout = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  const ended = once(child, 'close').then(([exitCode, signal]) => ({ exitCode, signal, said, stdout }))
  return { child, said: () => said, ended }
}

/** Returns when no session but this is left in the database: those of a client that is gone have let go of their locks then. */
export async function untilAlone(database: Database): Promise<void> {
  await database.withSession(async (session) => {
    for (;;) {
      const [row] = await session.query<{ others: number }>(
        `select count(*) as others from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
      )
      if (row?.others === 0) return
      await sleep(10)
    }
  })
}

/** Waits for something that will be. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await sleep(10)
}

/** Numbers from 1 to `last`, evenly apart. */
export function points(count: number, last: number): number[] {
  return [...new Set(Array.from({ length: count }, (_, at) => Math.max(1, Math.round(((at + 1) * last) / count))))]
}

export function scratchFolder(): string {
  return mkdtempSync(join(inject('scratch'), 'faults-'))
}

export { openDatabase }
