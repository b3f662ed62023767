import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import type { Settings } from '../../src/config/settings.js'
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../../src/database/quoting.js'
import { type ExportResult, exportContent } from '../../src/export/export-content.js'
import { type ImportResult, importContent } from '../../src/import/import-content.js'
import { compareLookups } from '../support/lookups.js'
import { digestsOf } from '../support/scenario.js'
import { type Content, resolveContents, type Side } from './content.js'
import { archivePath, empty, type Pair, type Place, settingsFor } from './pair.js'
import { configurationOf, resolveTables, type Table } from './schema.js'
import { PLAIN_SETTINGS, withSettings } from './settings.js'
import { contentSql, LEAD, rowsSql, schemaSql } from './sql.js'
import type { KeyType } from './types.js'
import type { World } from './world.js'

/** Brings a world to life in two databases, moves its content, and throws where anything is not as it must be. */
export async function checkWorld(world: World, pair: Pair): Promise<void> {
  const journey = new Journey(world, pair)
  try {
    await journey.make()
  } finally {
    await journey.removeArchives()
  }
}

/** The SQL of a world, for whoever looks at a failure. */
export function describeWorld(world: World): string {
  const tables = resolveTables(world)
  const { source, target } = resolveContents(world, tables)
  const nothing: Content = new Map()
  return [
    schemaSql(tables, 'source', true),
    '-- the content of the source',
    contentSql(world, 'source', nothing, source),
    '-- the content of the target',
    contentSql(world, world.history === 'shared' ? 'source' : 'target', nothing, target),
    `-- the configuration\n${JSON.stringify({ relations: configurationOf(tables) })}`,
  ].join('\n')
}

interface ReadRow {
  readonly name: string
  readonly owner: string | null
  readonly content: string
  readonly place: string
}

type Read = ReadonlyMap<Table, readonly ReadRow[]>

class Journey {
  readonly #tables: readonly Table[]
  readonly #source: Content
  readonly #target: Content
  readonly #settings: Settings
  #archives = 0

  constructor(
    private readonly world: World,
    private readonly pair: Pair,
  ) {
    this.#tables = resolveTables(world)
    const contents = resolveContents(world, this.#tables)
    this.#source = contents.source
    this.#target = contents.target
    this.#settings = settingsFor(pair.folder, configurationOf(this.#tables))
  }

  async make(): Promise<void> {
    const { source, target } = this.pair
    await empty(this.pair)
    await this.#prepare()
    const wanted = await this.#read(source)
    const before = await this.#read(target)
    const shape = await readShape(target)
    const exported = await this.#export('source')
    // No world is large enough that an export looks references up of its own accord.
    if (this.world.shift === 3) await compareLookups(this.#database('source'), this.#settings)
    const result = await this.#import('target', exported)
    const after = await this.#read(target)
    this.#expectTransferred(wanted, before, after)
    this.#expectUntouched(wanted, before, after)
    deepStrictEqual(await readShape(target), shape, 'the schema of the target is not as it was')
    await this.#expectNothingToDo(exported, after)
    await this.#expectFreeSequences(result)
    const isAllFromSource = this.#tables.every((table) => this.#kept(table, wanted, before).length === 0)
    if (isAllFromSource) await this.#expectSameDigests(exported)
    if (this.world.isReturned) await this.#return()
  }

  async #prepare(): Promise<void> {
    const { world } = this
    const { source, target } = this.pair
    const hasVirtual = [source, target].every(({ engine }) => (engine.server?.major ?? 18) >= 18)
    const nothing: Content = new Map()
    await run(source, schemaSql(this.#tables, 'source', hasVirtual))
    await run(target, schemaSql(this.#tables, 'target', hasVirtual))
    if (world.history === 'separate') {
      await run(source, contentSql(world, 'source', nothing, this.#source))
      await run(target, contentSql(world, 'target', nothing, this.#target))
      if (world.sequences === 'lead') await run(target, LEAD)
      return
    }
    await run(source, contentSql(world, 'source', nothing, this.#target))
    if (world.sequences === 'lead') await run(target, LEAD)
    await this.#import('target', await this.#export('source'), 'init')
    await run(source, contentSql(world, 'source', this.#target, this.#source))
  }

  async #export(side: Side): Promise<ExportResult> {
    const out = archivePath(this.pair.folder, String(this.#archives++))
    // One reader most of the time: each more is one more connection.
    const jobs = this.world.shift === 3 ? 2 : 1
    return await exportContent(this.#settings, { out, jobs, database: this.#database(side) })
  }

  async #import(side: Side, { path }: ExportResult, mode: 'init' | 'replace' = 'replace'): Promise<ImportResult> {
    return await importContent(this.#settings, { archive: path, mode, database: this.#database(side) })
  }

  #database(side: Side) {
    return withSettings(this.pair[side].database, this.world.settings[side === 'source' ? 0 : 1])
  }

  async #read(place: Place): Promise<Read> {
    return await place.ask(async (session) => {
      await session.script(PLAIN_SETTINGS)
      const read = new Map<Table, readonly ReadRow[]>()
      for (const table of this.#tables) read.set(table, await session.query<ReadRow>(rowsSql(table, this.#tables)))
      return read
    })
  }

  /** The target holds all of the source's, and of its own what the source says nothing about. */
  #expectTransferred(wanted: Read, before: Read, after: Read): void {
    for (const table of this.#tables) {
      const expected = [...contents(wanted, table), ...this.#kept(table, wanted, before)].toSorted()
      deepStrictEqual(contents(after, table), expected, `${table.schema}.${table.name}: not as it must be`)
    }
  }

  #kept(table: Table, wanted: Read, before: Read): string[] {
    const { identity } = table
    if (identity.kind !== 'content') {
      const names = new Set(rowsOf(wanted, table).map((row) => row.name))
      return rowsOf(before, table).flatMap((row) => (names.has(row.name) ? [] : [row.content]))
    }
    const owners = identity.owner === null ? [] : rowsOf(wanted, this.#tables[identity.owner.target] ?? table)
    const left = [...rowsOf(wanted, table)]
    return rowsOf(before, table).flatMap((row) => {
      const equal = left.findIndex((each) => each.content === row.content && each.owner === row.owner)
      if (equal >= 0) left.splice(equal, 1)
      // What an owner of the source does not own any more goes.
      return equal >= 0 || owners.some((owner) => owner.name === row.owner) ? [] : [row.content]
    })
  }

  /** Rows that the archive does not have, and rows that it has as they are, have not been written. */
  #expectUntouched(wanted: Read, before: Read, after: Read): void {
    const looksVary = this.#tables.some((table) => table.tag !== null && table.parts.some(({ type }) => hasLooks(type)))
    for (const table of this.#tables) {
      if (table.identity.kind === 'content') continue
      const isCarried = table.references.some(
        (reference) => reference.spec.onUpdate === 'cascade' && (reference.isVolatile || looksVary),
      )
      if (isCarried) continue
      const source = new Map(rowsOf(wanted, table).map((row) => [row.name, row.content]))
      const places = new Map(rowsOf(after, table).map((row) => [row.name, row.place]))
      for (const row of rowsOf(before, table)) {
        const there = source.get(row.name)
        if (there !== undefined && (there !== row.content || looksVary || hasHalfKeys(table))) continue
        strictEqual(
          places.get(row.name),
          row.place,
          `${table.name}: the row ${row.name} was written though nothing changed it`,
        )
      }
    }
  }

  async #expectNothingToDo(exported: ExportResult, after: Read): Promise<void> {
    const again = await this.#import('target', exported)
    const busy = again.plan.relations.filter((each) => each.inserts + each.updates + each.deletes > 0)
    deepStrictEqual(
      busy.map(({ relation, inserts, updates, deletes }) => ({ relation, inserts, updates, deletes })),
      [],
      'a second import finds something to do',
    )
    const read = await this.#read(this.pair.target)
    for (const table of this.#tables) {
      deepStrictEqual(places(read, table), places(after, table), `${table.name}: a second import wrote rows`)
    }
  }

  /** What the application inserts next gets an id that is free. */
  async #expectFreeSequences(result: ImportResult): Promise<void> {
    for (const table of this.#tables) {
      const planned = result.plan.relations.find((each) => each.schema === table.schema && each.name === table.name)
      const sequence = sequenceOf(table)
      if (sequence === null || table.id === null || (planned?.inserts ?? 0) === 0) continue
      const sql = `select nextval(${sequence}) > coalesce(max(${quoteIdentifier(table.id.name)}), 0) as is_free from ${quoteQualified(table)}`
      deepStrictEqual(
        await this.pair.target.ask((session) => session.query(sql)),
        [{ is_free: true }],
        `${table.name}: the next id is taken`,
      )
    }
  }

  async #expectSameDigests(exported: ExportResult): Promise<void> {
    deepStrictEqual(
      digestsOf(await this.#export('target')),
      digestsOf(exported),
      'the target does not export what was imported',
    )
  }

  /** The way home: afterwards either database has what the other has. */
  async #return(): Promise<void> {
    const back = await this.#export('target')
    await this.#import('source', back)
    deepStrictEqual(
      digestsOf(await this.#export('source')),
      digestsOf(back),
      'the way home does not make both sides equal',
    )
    const [source, target] = [await this.#read(this.pair.source), await this.#read(this.pair.target)]
    for (const table of this.#tables) {
      deepStrictEqual(contents(source, table), contents(target, table), `${table.name}: not equal after the way home`)
    }
  }

  async removeArchives(): Promise<void> {
    for (let number = 0; number < this.#archives; number++)
      await rm(archivePath(this.pair.folder, String(number)), { force: true })
  }
}

/** The sequence behind a whole-number id, as an expression. */
function sequenceOf(table: Table): string | null {
  if (table.keyKind === 'shared sequence') return `'public.shared_ids'`
  if (table.keyKind === 'domain default') return `'public.numbered_ids'`
  if (!/serial|identity/.test(table.id?.definition ?? '')) return null
  const owner = quoteLiteral(quoteQualified(table.parent ?? table))
  return `pg_get_serial_sequence(${owner}, ${quoteLiteral(table.id?.name ?? '')})`
}

function rowsOf(read: Read, table: Table): readonly ReadRow[] {
  return read.get(table) ?? []
}

/** Whether one value of the type can be written in several ways. */
function hasLooks(type: KeyType): boolean {
  return [0, 1, 2].some((number) => type.value(number, 0) !== type.value(number, 1))
}

function contents(read: Read, table: Table): string[] {
  return rowsOf(read, table)
    .map((row) => row.content)
    .toSorted()
}

function places(read: Read, table: Table): string[] {
  return rowsOf(read, table)
    .map((row) => row.place)
    .toSorted()
}

function hasHalfKeys(table: Table): boolean {
  return table.references.some((reference) => reference.isNullable && reference.columns.length > 1)
}

async function run(place: Place, script: string): Promise<void> {
  await place.ask((session) => session.script(script))
}

/** Everything about the target's schema that an import has its hands on. */
async function readShape(place: Place): Promise<unknown[]> {
  const mine = `n.nspname in ('public', 'app', 'Other "s"')`
  const queries = [
    `select c.conrelid::regclass::text as relation, c.conname, pg_get_constraintdef(c.oid) as definition, c.convalidated
       from pg_constraint c join pg_namespace n on n.oid = c.connamespace where ${mine} order by 1, 2`,
    `select c.oid::regclass::text as relation, t.tgname, t.tgenabled from pg_trigger t join pg_class c on c.oid = t.tgrelid
       join pg_namespace n on n.oid = c.relnamespace where ${mine} and not t.tgisinternal order by 1, 2`,
    `select c.oid::regclass::text as relation, a.attname, a.attidentity, a.attnotnull, a.attgenerated, a.attnum from pg_attribute a join pg_class c on c.oid = a.attrelid
       join pg_namespace n on n.oid = c.relnamespace where ${mine} and a.attnum > 0 order by 1, 2, 6`,
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition, i.indisvalid from pg_index i
       join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace where ${mine} order by 1`,
    `select c.oid::regclass::text as sequence, pg_get_userbyid(c.relowner) as owner, s.seqstart::text, s.seqincrement::text, s.seqmax::text from pg_sequence s
       join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace where ${mine} order by 1`,
  ]
  const shape: unknown[] = []
  await run(place, PLAIN_SETTINGS)
  for (const query of queries) shape.push(await place.ask((session) => session.query(query)))
  ok(shape.length > 0)
  return shape
}
