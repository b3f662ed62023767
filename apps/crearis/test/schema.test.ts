import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { engines } from '../../../packages/understudy/test/support/engines.js'
import { COLUMNS, FOREIGN_KEYS, TRIGGERS } from './expected-schema.js'
import { type Crearis, useCrearis } from './support.js'

describe.each(engines)('on $name', (engine) => {
  const crearis = useCrearis(engine)

  test('twenty-one migrations, in two packages, make the schema', async () => {
    const setup = await crearis.migrate('A')
    const core = await crearis.migrate('B')

    expect([setup.length, core.length]).toEqual([19, 2])
    expect([...setup, ...core].map((id) => id.slice(0, 3))).toEqual(NUMBERS.slice(0, 21))
    expect(await readColumns(crearis)).toEqual(expectedColumns())
    expect(await readForeignKeys(crearis)).toEqual(linesOf(FOREIGN_KEYS))
    expect(await readTriggers(crearis)).toEqual(linesOf(TRIGGERS))
  })

  test('every table has a comment', async () => {
    const silent = await crearis.query(`
      select relname
      from pg_class
      where relkind = 'r' /* ordinary table */
        and relnamespace = 'public'::regnamespace
        and obj_description(oid, 'pg_class') is null
    `)
    expect(silent).toEqual([])
  })

  test('no function stays behind that nothing uses', async () => {
    const functions = await crearis.query<{ name: string }>(`
      select proname as name
      from pg_proc
      where pronamespace = 'public'::regnamespace
      order by proname collate "C"
    `)
    expect(functions.map(({ name }) => name)).toEqual(FUNCTIONS)
  })

  test('the states are seeded for every table', async () => {
    const states = await crearis.query<{ table: string; count: number }>(
      `select "table", count(*)::integer as count from status group by "table" order by min(id)`,
    )
    expect(Object.fromEntries(states.map(({ table, count }) => [table, count]))).toEqual(STATES)
  })

  test('the literal default of tasks.status_id is the idea', async () => {
    await crearis.query(`insert into tasks (id, name) values ('t1', 'Stühle stellen')`)
    expect(await crearis.one(`select status_display from tasks`)).toEqual({ status_display: 'Idee' })
  })
})

const STATES = {
  tasks: 7,
  events: 14,
  posts: 10,
  projects: 10,
  persons: 11,
  users: 12,
  interactions: 11,
  images: 6,
  participants: 11,
  instructors: 11,
  locations: 11,
}

const FUNCTIONS = [
  'check_interaction_status',
  'check_mail_addresses',
  'copy_event_tags',
  'copy_image_to_entities',
  'copy_image_to_entity',
  'copy_post_tags',
  'create_project_pages',
  'domain_name',
  'enforce_sysdomain_tld',
  'guard_event_publishing',
  'image_flags',
  'image_project_domaincode',
  'image_root',
  'image_shapes',
  'is_filled',
  'is_filled',
  'mark_instructor_as_user',
  'mark_location_provider',
  'mark_participant_as_user',
  'regio_from_project',
  'regio_from_user',
  'relabel_tags',
  'status_id_of',
  'status_label',
  'tag_labels',
  'tasks_touch',
]

const NUMBERS = readdirSync(new URL('../migrations', import.meta.url))
  .filter((name) => /^\d/.test(name))
  .map((name) => name.slice(0, 3))
  .toSorted()

test('the migrations are numbered from 000 to 021 without a gap', () => {
  expect(NUMBERS).toEqual(Array.from({ length: 22 }, (_, number) => String(number).padStart(3, '0')))
})

function linesOf(text: string): string[] {
  return text.trim().split(/\n */)
}

function expectedColumns(): string[] {
  return Object.entries(COLUMNS).flatMap(([table, columns]) =>
    columns
      .trim()
      .split(/,\s+/)
      .map((column) => `${table}.${column}`),
  )
}

async function readColumns({ query }: Crearis): Promise<string[]> {
  const rows = await query<{ line: string }>(`
    select
      relations.relname || '.' || columns.attname || ' '
        || replace(format_type(columns.atttypid, columns.atttypmod), ' without time zone', '')
        || case when columns.attnotnull then '!' else '' end
        || case when columns.attgenerated = '' then '' else ' =' end as line
    from pg_class as relations
    join pg_attribute as columns on columns.attrelid = relations.oid
    where relations.relkind = 'r' /* ordinary table */
      and relations.relnamespace = 'public'::regnamespace
      and columns.attnum > 0
      and not columns.attisdropped
    order by relations.relname collate "C", columns.attname collate "C"
  `)
  return rows.map(({ line }) => line)
}

async function readForeignKeys({ query }: Crearis): Promise<string[]> {
  const rows = await query<{ line: string }>(`
    select
      keys.conrelid::regclass || '.' || sources.attname || ' '
        || keys.confrelid::regclass || '.' || targets.attname || ' '
        || case keys.confdeltype when 'n' then 'set null' when 'c' then 'cascade' when 'a' then 'no action' end as line
    from pg_constraint as keys
    join pg_attribute as sources on sources.attrelid = keys.conrelid and sources.attnum = keys.conkey[1]
    join pg_attribute as targets on targets.attrelid = keys.confrelid and targets.attnum = keys.confkey[1]
    where keys.contype = 'f' /* foreign key */
      and keys.connamespace = 'public'::regnamespace
      and not keys.condeferrable
  `)
  return rows.map(({ line }) => line).toSorted()
}

async function readTriggers({ query }: Crearis): Promise<string[]> {
  const rows = await query<{ line: string }>(`
    select tgrelid::regclass || ' ' || tgname as line
    from pg_trigger
    where not tgisinternal
      and tgenabled = 'O' /* fires in ordinary sessions */
  `)
  return rows.map(({ line }) => line).toSorted()
}
