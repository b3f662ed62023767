import { beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/open.js'
import type { LockRetry } from '../../src/migrate/lock-retries.js'
import { servers, withTestDatabase } from '../support/engines.js'
import { createProject, failureOf, type Project, query, readAppliedIds } from './project.js'

let project: Project

beforeEach(async () => {
  project = await createProject()
  await project.write({ '001_a.sql': 'create table a ()' })
})

const patience = { lockTimeoutMs: 50, lockPauseMs: 1 }

describe.each(servers)('a table that somebody else holds, on $name', (engine) => {
  test('is tried again until it is free, from the beginning', async () => {
    await withTestDatabase(engine, async ({ database, url }) => {
      await project.up(database)
      await project.write({ '002_b.sql': 'create table b (); alter table a add column id int' })
      const other = await openDatabase(url)
      const retries: LockRetry[] = []
      await other.withSession(async (session) => {
        await session.script('begin; lock table a in access share mode')
        let free: Promise<void> | undefined
        const applied = await project.up(database, {
          ...patience,
          lockAttempts: 1000,
          onProgress: (progress) => {
            if (progress.step !== 'retry') return
            retries.push(progress)
            if (retries.length === 2) free = session.script('commit')
          },
        })
        await free
        expect(applied).toEqual(['002_b'])
      })
      await other.close()
      expect(retries.slice(0, 2).map(({ attempt, pauseMs }) => [attempt, pauseMs])).toEqual([
        [1, 1],
        [2, 2],
      ])
      expect(retries[0]?.suspects).toEqual([expect.stringMatching(/^process \d+ \(.*idle in transaction/)])
    })
  })

  test('stops the run in the end, names who may hold it, and leaves nothing', async () => {
    await withTestDatabase(engine, async ({ database, url }) => {
      await project.up(database)
      await project.write({ '002_b.sql': 'create table b (); alter table a add column id int' })
      const other = await openDatabase(url)
      await other.withSession(async (session) => {
        await session.script('begin; lock table a in access share mode')
        const error = await failureOf(project.up(database, { ...patience, lockAttempts: 2 }))
        expect(error).toMatchObject({
          code: 'MIGRATION_LOCK_TIMEOUT',
          message: 'migration 002_b failed: canceling statement due to lock timeout, 2 times',
          detail: expect.stringMatching(/Who has a transaction open:\nprocess \d+/),
        })
        await session.script('rollback')
      })
      await other.close()
      expect(await readAppliedIds(database)).toEqual(['001_a'])
      expect(await query(database, `select to_regclass('b') as b`)).toEqual([{ b: null }])
    })
  })

  test('a time-out of the database’s own stays', async () => {
    await project.write({ '002_b.sql': `create table b as select current_setting('lock_timeout') as setting` })
    await withTestDatabase(engine, async ({ database, url }) => {
      await project.up(database, { only: '001' })
      await query(
        database,
        `do $$ begin execute format('alter database %I set lock_timeout = 1234', current_database()); end $$`,
      )
      const again = await openDatabase(url)
      await project.up(again)
      await again.close()
      expect(await query(database, 'select setting from b')).toEqual([{ setting: '1234ms' }])
    })
  })
})
