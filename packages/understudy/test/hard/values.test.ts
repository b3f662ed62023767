import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import type { Database } from '../../src/database/port.js'
import { quoteIdentifier, quoteLiteral } from '../../src/database/quoting.js'
import { exportFileset } from '../../src/fileset/export-fileset.js'
import { type Engine, engines, servers } from '../support/engines.js'
import { createStage, digestsOf, type Stage } from '../support/scenario.js'
import { type Sample, samples, TYPES } from './value-table.js'

const EXTENSIONS = ['hstore', 'citext', 'ltree', 'cube', 'seg', 'isn', 'intarray']

/** Settings of the two databases; whatever they are, the texts compared below are read under the same ones. */
const HOSTILE = {
  source: {
    datestyle: 'SQL, DMY',
    timezone: 'America/New_York',
    intervalstyle: 'iso_8601',
    bytea_output: 'escape',
    extra_float_digits: '-15',
    lc_monetary: 'C.utf8',
    xmlbinary: 'hex',
    xmloption: 'document',
    array_nulls: 'off',
    standard_conforming_strings: 'off',
    default_transaction_isolation: 'serializable',
    search_path: 'nowhere, public',
  },
  target: {
    datestyle: 'German, MDY',
    timezone: 'Asia/Kathmandu',
    intervalstyle: 'sql_standard',
    bytea_output: 'hex',
    extra_float_digits: '3',
    lc_monetary: 'POSIX',
    xmloption: 'document',
    array_nulls: 'off',
    backslash_quote: 'off',
    transform_null_equals: 'on',
    enable_hashjoin: 'off',
    search_path: '"$user", public',
  },
}

interface Placed extends Sample {
  readonly table: string
  readonly column: string
  readonly name: string
}

describe.each(engines)('values on $name', (engine) => {
  test('every value arrives with the same text, after init and after replace, and a second import changes nothing', async () => {
    const source = await createStage(engine, '')
    const target = await createStage(engine, '')
    const placed = await placeSamples(engine, source)
    expect(placed.length).toBeGreaterThanOrEqual(150)
    await source.run(TYPES + tablesOf(placed) + rowsOf(placed))
    await prepareExtensions(target)
    await target.run(TYPES + tablesOf(placed))
    const here = await reopen(source, HOSTILE.source)
    const there = await reopen(target, HOSTILE.target)
    try {
      const before = await textsOf(here, placed)
      const first = await source.export({ database: here })
      expect(first.warnings).toEqual([])
      await target.import(first.path, { mode: 'init', database: there })
      expect(await textsOf(there, placed)).toEqual(before)
      expect(digestsOf(await target.export({ database: there }))).toEqual(digestsOf(first))

      const tables = [...new Set(placed.map(({ table }) => table))]
      await here.withSession((session) =>
        session.script(tables.map((table) => `update ${table} set note = 'changed' where key = 'filled';`).join('')),
      )
      const second = await source.export({ database: here })
      const result = await target.import(second.path, { database: there })
      expect(result.plan.relations.map(({ relation, updates, inserts }) => [relation, updates, inserts])).toEqual(
        tables.toSorted().map((table) => [table, 1, 0]),
      )
      expect(await textsOf(there, placed)).toEqual(before)
      const again = await target.import(second.path, { database: there })
      expect(again.plan.relations.filter(({ unchanged, records }) => unchanged !== records)).toEqual([])
      expect(digestsOf(await target.export({ database: there }))).toEqual(digestsOf(second))
    } finally {
      await here.close()
      await there.close()
    }
  }, 180_000)

  test('every value comes back equal through a folder of CSV files', async () => {
    const source = await createStage(engine, '')
    const target = await createStage(engine, '')
    const placed = await placeSamples(engine, source)
    await source.run(TYPES + tablesOf(placed) + rowsOf(placed))
    await prepareExtensions(target)
    await target.run(TYPES + tablesOf(placed))
    const { path, warnings } = await exportFileset(source.settings, { database: source.created.database })
    expect(warnings).toEqual([])
    const result = await target.import(path, { mode: 'init' })
    expect(result.plan.relations.map(({ inserts }) => inserts)).toEqual(
      [...new Set(placed.map(({ table }) => table))].map(() => 2),
    )
    expect(digestsOf(await target.export())).toEqual(digestsOf(await source.export()))
    const again = await target.import(path)
    expect(again.plan.relations.filter(({ unchanged, records }) => unchanged !== records)).toEqual([])
  }, 180_000)

  test('values that mean something inside one server only are refused by name before anything is written', async () => {
    const source = await createStage(
      engine,
      `create table things (key text primary key, a xid, b pg_snapshot, c txid_snapshot, d tid, e cid, f xid8, g aclitem, h refcursor);
       insert into things values ('x', '7', '10:20:10,14', '10:20:10,14', '(0,1)', '3', '99', 'postgres=r/postgres', 'c')`,
    )
    const refusal = await source.export().then(
      () => 'exported',
      (error) => `${error.message}\n${error.detail}`,
    )
    for (const column of ['a', 'b', 'c', 'd', 'e', 'f']) expect(refusal).toContain(`things.${column}`)
  })
})

describe.each(servers)('values outside UTF-8 on $name', (engine) => {
  test('a "char" of one byte above 127 travels, or is refused by name', async () => {
    const source = await createStage(
      engine,
      `create table letters (key text primary key, c "char"); insert into letters values ('x', (-31)::"char")`,
    )
    const target = await createStage(engine, `create table letters (key text primary key, c "char")`)
    const outcome = await source
      .export()
      .then(async ({ path }) => {
        await target.import(path, { mode: 'init' })
        return JSON.stringify(await target.rows(`select c::int as c from letters`))
      })
      .catch((error) => `${error.code} ${error.message} ${error.detail}`)
    expect(outcome).toMatch(/^\[\{"c":-31\}\]$|letters/)
  })
})

/** Leaves out what the server does not have, and makes the extensions. */
async function placeSamples(engine: Engine, stage: Stage): Promise<Placed[]> {
  const major = engine.server?.major ?? 18
  const available = await prepareExtensions(stage)
  const hasXml = await stage.rows(`select '<a/>'::xml::text as x`).then(
    () => true,
    () => false,
  )
  return samples
    .filter(
      ({ since, extension, type }) =>
        (since ?? 0) <= major &&
        (extension === undefined || available.includes(extension)) &&
        (hasXml || !type.startsWith('xml')),
    )
    .map((sample, index) => ({
      ...sample,
      table: sample.group,
      column: `c${index + 1}`,
      name: `${index + 1} ${sample.type}: ${sample.literal ?? sample.sql}`,
    }))
}

async function prepareExtensions(stage: Stage): Promise<string[]> {
  const rows = await stage.rows<{ name: string }>(`select name from pg_available_extensions`)
  const available = EXTENSIONS.filter((name) => rows.some((row) => row.name === name))
  await stage.run(available.map((name) => `create extension ${name};`).join(''))
  return available
}

function tablesOf(placed: readonly Placed[]): string {
  return byTable(placed)
    .map(([table, own]) => {
      const columns = own.map(({ column, type }) => `${column} ${type}`)
      return `create table ${table} (key text primary key, note text, ${columns.join(', ')});`
    })
    .join('\n')
}

/** One row with every value, one with nulls. */
function rowsOf(placed: readonly Placed[]): string {
  return byTable(placed)
    .map(([table, own]) => {
      const names = own.map(({ column }) => column).join(', ')
      const values = own.map(({ type, literal, sql }) =>
        sql === undefined ? `${quoteLiteral(literal ?? '')}::${type.replace(/ collate .*/, '')}` : sql,
      )
      return `insert into ${table} (key, ${names}) values ('filled', ${values.join(', ')}); insert into ${table} (key) values ('nulls');`
    })
    .join('\n')
}

function byTable(placed: readonly Placed[]): [string, Placed[]][] {
  const tables = [...new Set(placed.map(({ table }) => table))]
  return tables.map((table) => [table, placed.filter((each) => each.table === table)])
}

/** Sets the database's defaults and opens it anew, so that sessions begin with them. */
async function reopen(stage: Stage, settings: Record<string, string>): Promise<Database> {
  const [row] = await stage.rows<{ name: string }>(`select current_database()::text as name`)
  const name = quoteIdentifier(row?.name ?? '')
  for (const [key, value] of Object.entries(settings)) {
    const text = key === 'search_path' ? value : quoteLiteral(value)
    // A machine may lack the locale.
    // PGlite does not read what `alter database` sets.
    const statement = stage.created.database.driver === 'pglite' ? 'alter system' : `alter database ${name}`
    await stage.run(`${statement} set ${key} = ${text}`).catch((error) => {
      if (key !== 'lc_monetary') throw error
    })
  }
  await stage.created.database.close()
  const database = await openDatabase(stage.created.url)
  const [set] = await database.withSession((session) =>
    session.query<{ style: string }>(`select current_setting('datestyle') as style`),
  )
  expect(set?.style).toBe(settings.datestyle)
  return database
}

/** The text that each value's output function gives, by the sample's name. */
async function textsOf(database: Database, placed: readonly Placed[]): Promise<Record<string, string>> {
  return await database.withSession(async (session) => {
    await session.script(
      `set datestyle = 'ISO, MDY'; set timezone = 'UTC'; set intervalstyle = 'postgres'; set bytea_output = 'hex';
       set extra_float_digits = 3; set search_path = ''; set lc_monetary = 'C'`,
    )
    const texts: Record<string, string> = {}
    for (const [table, own] of byTable(placed)) {
      const columns = own.map(
        ({ column }) => `format('%s', ${column}) as ${column}, ${column} is not distinct from null as n_${column}`,
      )
      const rows = await session.query<Record<string, string | boolean>>(
        `select ${columns.join(', ')} from public.${table} order by key collate "C"`,
      )
      expect(rows.length).toBe(2)
      for (const { column, name } of own) {
        const shown = rows.map((row) => (row[`n_${column}`] === true ? '<null>' : String(row[column])))
        texts[name] = shown
          .map((text) => (text.length > 1500 ? `${text.length} ${text.slice(0, 50)}` : text))
          .join(' | ')
      }
    }
    return texts
  })
}
