import { cp, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { adoptDatabase } from '../../src/adopt/adopt-database.js'
import { openDatabase } from '../../src/database/open.js'
import type { Database } from '../../src/database/port.js'
import { exportContent } from '../../src/export/export-content.js'
import { importContent } from '../../src/import/import-content.js'
import { administer, type Engine, engines, urlOf } from '../support/engines.js'
import { countsOf, createStage, digestsOf, type Stage } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'

const SCHEMA = `
create table "Größe" (id serial primary key, "order" text);
create table notes (id bigint generated always as identity primary key, size_id int references "Größe", body text);
create table parts (a serial, b uuid default gen_random_uuid(), label text, primary key (a, b));
`
const CONTENT = `
insert into "Größe" ("order") values ('S'), ('L');
insert into notes (size_id, body) values (1, 'one'), (2, 'two'), (null, 'three');
insert into parts (b, label) values ('6f1c1f7e-0000-4000-8000-000000000001', 'p');
`

/** Closes a stage, copies its database with all that is in it, and gives both to `use`. */
async function withCopy(engine: Engine, stage: Stage, use: (original: Stage, copy: Stage) => Promise<void>) {
  await stage.created.database.close()
  const url = await copyDatabase(engine, stage.created.url)
  const [original, copy] = [await openDatabase(stage.created.url), await openDatabase(url)]
  try {
    await use(bind(stage, original), bind(stage, copy))
  } finally {
    await Promise.all([original.close(), copy.close()])
    const name = url.split('/').at(-1)
    if (engine.server !== undefined) await administer(engine.server, `drop database ${name} with (force)`)
    // For the engine, which closes what it has made.
    await stage.created.dispose()
  }
}

async function copyDatabase(engine: Engine, url: string): Promise<string> {
  if (engine.server === undefined) {
    const folder = join(await createScratchFolder(), 'copy')
    await cp(url.replace('pglite:', ''), folder, { recursive: true })
    return `pglite:${folder}`
  }
  const name = url.split('/').at(-1)
  await administer(engine.server, `create database ${name}_copy template ${name}`)
  return urlOf(engine.server, { database: `${name}_copy` })
}

function bind(stage: Stage, database: Database): Stage {
  return {
    ...stage,
    run: (sql) => database.withSession((session) => session.script(sql)),
    rows: (sql) => database.withSession((session) => session.query(sql)) as never,
    export: async (options) =>
      exportContent(stage.settings, { out: `${await createScratchFolder()}/`, database, ...options }),
    import: (archive, options) => importContent(stage.settings, { archive, mode: 'replace', database, ...options }),
    created: { ...stage.created, database },
  }
}

const adopt = (stage: Stage, how: 'as-copy' | 'as-original' | 'by-primary-key', archive?: string) =>
  adoptDatabase(stage.settings, { how, archive, database: stage.created.database })

const instanceOf = async (stage: Stage) =>
  (await stage.rows<{ id: string }>('select id from understudy.instance'))[0]?.id

describe.each(engines)('adoption on $name', (engine) => {
  test('a copied database is refused until it is adopted; then both find their common rows and add their own', async () => {
    const stage = await createStage(engine, SCHEMA + CONTENT)
    const { path: before } = await stage.export()
    await withCopy(engine, stage, async (original, copy) => {
      const refusal = {
        code: 'INSTANCE_AMBIGUOUS',
        hint: expect.stringMatching(/adopt --as-copy.*adopt --as-original/s),
        detail: expect.stringMatching(/^instance [0-9a-f-]{36}\nits place then: .+\nits place now: .+$/),
      }
      await expect(copy.export()).rejects.toMatchObject(refusal)
      await expect(copy.import(before)).rejects.toMatchObject(refusal)
      await expect(copy.import(before, { isDryRun: true })).rejects.toMatchObject(refusal)
      expect((await original.export()).warnings).toEqual([])

      const adoption = await adopt(copy, 'as-copy')
      expect(adoption).toMatchObject({ previousInstance: await instanceOf(original), instance: await instanceOf(copy) })
      expect(adoption.instance).not.toBe(adoption.previousInstance)
      expect(adoption.relations).toEqual(
        [
          ['Größe', 2],
          ['notes', 3],
          ['parts', 1],
        ].map(([relation, adopted]) => ({
          relation,
          adopted,
          equal: null,
          known: null,
          onlyHere: null,
          onlyInArchive: null,
        })),
      )
      await copy.run(
        `insert into notes (body) values ('of the copy'); update notes set body = 'TWO' where body = 'two'`,
      )
      await original.run(`insert into notes (body) values ('of the original')`)
      expect(countsOf(await original.import((await copy.export()).path))).toMatchObject({
        notes: 'insert 1, update 1, same 2',
        parts: 'same 1',
      })
      const both = await original.export()
      expect(countsOf(await copy.import(both.path))).toMatchObject({ notes: 'insert 1, same 4' })
      expect(digestsOf(await copy.export())).toEqual(digestsOf(both))
      // What the original exported before is an ancestor of the copy, and its own rows are found in it.
      expect(countsOf(await copy.import(before, { isDryRun: true }))).toMatchObject({ notes: 'update 1, same 2' })
    })
  })

  test('a database that was moved is adopted as the original, and goes by its id as before', async () => {
    const stage = await createStage(engine, SCHEMA + CONTENT)
    await stage.export()
    await withCopy(engine, stage, async (_, moved) => {
      const before = await instanceOf(moved)
      expect(await adopt(moved, 'as-original')).toMatchObject({ instance: before, isWritten: true })
      const { path } = await moved.export()
      expect(await instanceOf(moved)).toBe(before)
      expect(countsOf(await moved.import(path))).toMatchObject({ notes: 'same 3' })
    })
  })

  test('an archive that bears the own id is refused unless it is the own: a twin that nothing else tells', async () => {
    const stage = await createStage(engine, SCHEMA + CONTENT)
    await stage.export()
    await withCopy(engine, stage, async (original, twin) => {
      // As after a base backup, which keeps the number of the server.
      await adopt(twin, 'as-original')
      await twin.run(`insert into notes (body) values ('of the twin')`)
      const { path } = await twin.export()
      await original.run(`insert into notes (body) values ('of the original')`)
      await expect(original.import(path)).rejects.toMatchObject({
        code: 'INSTANCE_AMBIGUOUS',
        hint: expect.stringMatching(/adopt --as-copy.*there.*adopt --as-original <archive>/s),
      })
      expect((await adopt(original, 'as-original', path)).archive?.path).toBe(path)
      expect(countsOf(await original.import(path, { isDryRun: true })).notes).toBe('update 1, same 3')
    })
  })

  test('databases that share history: equal primary keys are declared the same, the rest stays apart', async () => {
    const [source, target] = [await createStage(engine, SCHEMA + CONTENT), await createStage(engine, SCHEMA + CONTENT)]
    await source.run(`update notes set body = 'ONE' where id = 1`)
    await target.run(
      `alter table notes alter id restart with 50; insert into notes (size_id, body) values (2, 'only here')`,
    )
    await source.run(`alter table notes alter id restart with 90; insert into notes (body) values ('only there')`)
    const { path } = await source.export()
    await expect(target.import(path)).rejects.toMatchObject({ code: 'IMPORT_REFUSED' })
    const planned = await adoptDatabase(target.settings, {
      how: 'by-primary-key',
      archive: path,
      isDryRun: true,
      database: target.created.database,
    })
    await expect(target.import(path)).rejects.toMatchObject({ code: 'IMPORT_REFUSED' })
    const adoption = await adopt(target, 'by-primary-key', path)
    expect(adoption.relations).toEqual(planned.relations)
    expect(adoption.relations).toEqual([
      { relation: 'Größe', adopted: 2, equal: 2, known: 0, onlyHere: 0, onlyInArchive: 0 },
      { relation: 'notes', adopted: 3, equal: 2, known: 0, onlyHere: 1, onlyInArchive: 1 },
      { relation: 'parts', adopted: 1, equal: 1, known: 0, onlyHere: 0, onlyInArchive: 0 },
    ])
    expect(countsOf(await target.import(path))).toEqual({
      Größe: 'same 2',
      notes: 'insert 1, update 1, same 2',
      parts: 'same 1',
    })
    expect(countsOf(await source.import((await target.export()).path))).toMatchObject({ notes: 'insert 1, same 4' })
    expect(digestsOf(await source.export())).toEqual(digestsOf(await target.export()))
    const again = await adopt(target, 'by-primary-key', path)
    expect(again.relations[1]).toMatchObject({ adopted: 0, known: 4, onlyHere: 1, onlyInArchive: 0 })
  })

  test('what cannot be adopted is refused, and says why', async () => {
    const stage = await createStage(engine, SCHEMA + CONTENT)
    await expect(adopt(stage, 'as-copy')).rejects.toMatchObject({ code: 'ADOPT_REFUSED' })
    const { path } = await stage.export()
    await expect(adopt(stage, 'by-primary-key', path)).rejects.toMatchObject({
      code: 'ADOPT_REFUSED',
      message: 'the archive bears this database’s own id',
    })
    const keyed = await createStage(engine, 'create table keyed (code text primary key)')
    await expect(adopt(stage, 'by-primary-key', (await keyed.export()).path)).rejects.toMatchObject({
      message: 'no relation of the archive is known by its origin',
    })
    await keyed.run('drop table keyed')
    await expect(adopt(keyed, 'by-primary-key', path)).rejects.toMatchObject({ code: 'IMPORT_INCOMPATIBLE' })
    await expect(adopt(keyed, 'as-original', path)).rejects.toMatchObject({
      message: 'the archive was not written by this database',
    })
  })
})

describe.each(engines.filter(({ driver }) => driver === 'pglite'))('a folder on $name', (engine) => {
  test('that was only moved on its disk goes on without a word', async () => {
    const stage = await createStage(engine, SCHEMA + CONTENT)
    await stage.export()
    await stage.created.database.close()
    const folder = join(await createScratchFolder(), 'elsewhere')
    await rename(stage.created.url.replace('pglite:', ''), folder)
    const database = await openDatabase(`pglite:${folder}`)
    try {
      expect((await bind(stage, database).export()).warnings).toEqual([])
    } finally {
      await database.close()
    }
  })
})
