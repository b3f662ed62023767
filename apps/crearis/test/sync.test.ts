import { join } from 'node:path'
import { exportContent, importContent, loadConfig } from 'understudy'
import { describe, expect, test } from 'vitest'
import { servers } from '../../../packages/understudy/test/support/engines.js'
import { createScratchFolder } from '../../../packages/understudy/test/support/scratch.js'
import { fillMaster, fillSlave, plantOneChange, readLocalRows } from '../sample/index.js'
import { CREARIS, type Crearis, useCrearis } from './support.js'

async function exportTo(folder: string, database: Crearis, name: string) {
  const settings = await loadConfig({ cwd: CREARIS, environment: {} })
  return await exportContent(settings, { database: database.database(), out: join(folder, `${name}.backup.tar.gz`) })
}

async function importInto(database: Crearis, archive: string, mode: 'init' | 'replace') {
  const settings = await loadConfig({ cwd: CREARIS, environment: {} })
  const { plan } = await importContent(settings, { database: database.database(), archive, mode })
  const sum = (name: 'inserts' | 'updates' | 'deletes') => plan.relations.reduce((total, each) => total + each[name], 0)
  return { plan, inserts: sum('inserts'), updates: sum('updates'), deletes: sum('deletes') }
}

// The demo proves the same of the embedded database.
describe.each(servers)('moving the content of crearis on $name', (engine) => {
  const master = useCrearis(engine)
  const fresh = useCrearis(engine)
  const slave = useCrearis(engine)

  test('init fills a fresh installation with content that is equal to the byte', { timeout: 120_000 }, async () => {
    const folder = await createScratchFolder()
    for (const database of [master, fresh]) await database.migrate('B')
    await fillMaster(master)
    const archive = await exportTo(folder, master, 'master')
    const { deletes } = await importInto(fresh, archive.path, 'init')
    expect(deletes).toBe(0)
    const copy = await exportTo(folder, fresh, 'fresh')
    expect(copy.files.map((file) => [file.relation, file.records, file.contentSha256])).toEqual(
      archive.files.map((file) => [file.relation, file.records, file.contentSha256]),
    )
  })

  test('replace brings the master to a slave with a history of its own, and leaves its local rows alone', {
    timeout: 120_000,
  }, async () => {
    const folder = await createScratchFolder()
    await slave.migrate('B')
    await fillSlave(slave)
    const before = await readLocalRows(slave)
    const archive = await exportTo(folder, master, 'again')
    await importInto(slave, archive.path, 'replace')
    expect(await readLocalRows(slave)).toEqual(before)
    expect(await importInto(slave, archive.path, 'replace')).toMatchObject({ inserts: 0, updates: 0, deletes: 0 })
    await plantOneChange(master)
    const changed = await exportTo(folder, master, 'changed')
    expect(await importInto(slave, changed.path, 'replace')).toMatchObject({ inserts: 0, updates: 1, deletes: 0 })
  })
})
