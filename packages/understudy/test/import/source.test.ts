import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { showBackup } from '../../src/backups/list-backups.js'
import { restoreArchive } from '../../src/restore/restore-archive.js'
import { engines } from '../support/engines.js'
import { createStage } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'

const SCHEMA = 'create table plays (id int generated always as identity primary key, code text not null unique)'

describe.each(engines)('the newest archive on $name', (engine) => {
  test('is for an import the newest that this very database has not written, and for all else the newest', async () => {
    const archives = await createScratchFolder()
    const out = `${archives}/`
    const source = await createStage(engine, `${SCHEMA}; insert into plays (code) values ('faust')`, { archives })
    const target = await createStage(engine, SCHEMA, { archives })
    const theirs = await source.export({ out })
    expect((await target.import('latest')).archivePath).toBe(theirs.path)

    // As the automatic archive before a migration does.
    const own = await target.export({ out })
    let meant: string | undefined
    const onArchive = (path: string) => {
      meant = path
    }
    const { archivePath, plan } = await target.import('latest', { isDryRun: true, onArchive })
    expect({ archivePath, notes: plan.notes, meant }).toEqual({
      archivePath: theirs.path,
      notes: [],
      meant: theirs.path,
    })
    expect((await source.import('latest', { isDryRun: true })).archivePath).toBe(own.path)
    const unregistered = await createStage(engine, SCHEMA, { archives })
    expect((await unregistered.import('latest', { isDryRun: true })).archivePath).toBe(own.path)
    expect((await showBackup(target.settings)).path).toBe(own.path)
    const { database } = target.created
    const restored = await restoreArchive(target.settings, { archive: 'latest', database, isDryRun: true })
    expect(restored.archivePath).toBe(own.path)

    await rm(theirs.path)
    await expect(target.import('latest')).rejects.toMatchObject({
      code: 'ARCHIVE_ONLY_OWN',
      detail: basename(own.path),
      hint: expect.stringContaining(`\`understudy import ${basename(own.path)}\``),
    })
    const named = await target.import(basename(own.path), { isDryRun: true })
    expect(named.plan.notes).toEqual([expect.stringContaining('this database wrote the archive itself')])
  })
})
