import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { openArchive, readArchive } from '../../src/archive/reader.js'
import type { Database, Session } from '../../src/database/port.js'
import { exportContent } from '../../src/export/export-content.js'
import { servers } from '../support/engines.js'
import { createStage, type Stage } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'

/** The database, with something that happens when a session is about to lock its tables, behind the first look at the schema. */
function changingBeforeLock(database: Database, change: () => Promise<void>): Database {
  const watched = (session: Session): Session =>
    new Proxy(session, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        if (key !== 'script') return value.bind(target)
        return async (sql: string) => {
          if (sql.startsWith('lock table')) await change()
          await target.script(sql)
        }
      },
    })
  return { ...database, withSession: (use) => database.withSession((session) => use(watched(session))) }
}

describe.each(servers.slice(0, 1))('on $name', (engine) => {
  const exportWhile = async (stage: Stage, change: string) => {
    const out = join(await createScratchFolder(), 'changed.backup.tar.gz')
    const database = changingBeforeLock(stage.created.database, () => stage.run(change))
    return await exportContent(stage.settings, { out, database, jobs: 1 })
  }
  const NOTES = `create table notes (xmlid text primary key, body text); insert into notes values ('a', 'first')`

  test('a column that comes between the look at the schema and the locks travels', async () => {
    const stage = await createStage(engine, NOTES)
    const { path } = await exportWhile(stage, `alter table notes add column colour text not null default 'red'`)
    const { model } = await readArchive(path)
    expect(model.relations[0]?.columns.map(({ name }) => name)).toEqual(['xmlid', 'body', 'colour'])
    for await (const { lines } of openArchive(path)) expect(await text(lines())).toContain('"colour":"red"')
    await stage.created.dispose()
  })

  test('a relation that comes between them stops the export by name', async () => {
    const stage = await createStage(engine, NOTES)
    await expect(exportWhile(stage, 'create table comments (xmlid text primary key)')).rejects.toMatchObject({
      code: 'SCHEMA_CHANGED',
      detail: 'comments came',
    })
    await stage.created.dispose()
  })

  test('rows that come between them travel', async () => {
    const stage = await createStage(engine, NOTES)
    const { files } = await exportWhile(stage, `insert into notes values ('b', 'second')`)
    expect(files).toMatchObject([{ relation: 'notes', records: 2 }])
    await stage.created.dispose()
  })
})
