import { describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/catalog/read-catalog.js'
import { requireModel } from '../../src/model/build-model.js'
import { hasIndexOrder } from '../../src/model/line-sql.js'
import { createSqlContext } from '../../src/model/sql-context.js'
import { servers } from '../support/engines.js'
import { createStage, digestsOf, type Stage } from '../support/scenario.js'

/** Codes that most collations order otherwise than their bytes, in rows that lie in no order. */
function schema(collation: string): string {
  return `create table users (id serial primary key, sysname varchar(40) ${collation} not null unique);
    insert into users (sysname) select md5(n::text) from generate_series(1, 900) n;
    create table notes (id serial primary key, code text ${collation} not null unique, user_id int not null references users, body text);
    insert into notes (code, user_id, body)
    select (array['a', 'B', 'ä', 'Z-', '', 'z ', 'É', 'ß'])[1 + n % 8] || n * 7919 % 50021, 1 + n % 900, repeat('word ', n % 9)
      from generate_series(1, 50000) n;
    analyze`
}

async function inIndexOrder({ created, settings }: Stage): Promise<string[]> {
  return await created.database.withSession(async (session) => {
    const catalog = await readCatalog(session)
    const { model } = requireModel(catalog, settings)
    const context = createSqlContext(catalog, model, null)
    return model.relations.filter((relation) => hasIndexOrder(context, relation)).map(({ name }) => name)
  })
}

async function indexScans({ rows }: Stage): Promise<number> {
  await rows('select pg_sleep(1.5)')
  const [scans] = await rows<{ n: number }>(
    `select coalesce(sum(idx_scan), 0)::int as n from pg_stat_user_indexes where indexrelname = 'notes_code_key'`,
  )
  return scans?.n ?? 0
}

describe.each(servers)('rows in the order of their identities, on $name', (engine) => {
  test('come from an index where that has the order of bytes, and are sorted where not, with the same bytes', async () => {
    const bytewise = await createStage(engine, schema('collate "C"'))
    const other = await createStage(engine, schema('collate "und-x-icu"'))
    expect(await inIndexOrder(bytewise)).toEqual(['notes', 'users'])
    expect(await inIndexOrder(other)).toEqual([])
    const exported = await bytewise.export()
    expect(digestsOf(await other.export())).toEqual(digestsOf(exported))
    expect(await indexScans(bytewise)).toBeGreaterThan(0)
    expect(await indexScans(other)).toBe(0)
  })

  test('are sorted where a type is no text, whatever its collation', async () => {
    const stage = await createStage(
      engine,
      `create table padded (id serial primary key, code char(5) collate "C" not null unique);
       create table numbers (code numeric primary key, name text collate "C" not null);
       create table pairs (code text collate "POSIX", n int, primary key (code, n))`,
    )
    expect(await inIndexOrder(stage)).toEqual([])
  })
})
