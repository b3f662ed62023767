import { join } from 'node:path'
import { exportFileset, importContent, loadConfig, validateDatabase } from 'understudy'
import { describe, expect, test } from 'vitest'
import { servers } from '../../../packages/understudy/test/support/engines.js'
import { createScratchFolder } from '../../../packages/understudy/test/support/scratch.js'
import { CREARIS, useCrearis } from './support.js'

// The full circle (circle.test.ts) brings them to the embedded database.
describe.each(servers)('the filesets of crearis on $name', (engine) => {
  const first = useCrearis(engine)
  const second = useCrearis(engine)

  test('root and base fill an installation; users find their instructors when these arrive; all of it passes the checks', {
    timeout: 120_000,
  }, async () => {
    const settings = await loadConfig({ cwd: CREARIS, environment: {} })
    await first.migrate('B')
    const bring = (name: string, onMissing: 'fail' | 'null') =>
      importContent(settings, {
        database: first.database(),
        archive: join(CREARIS, 'filesets', name),
        mode: 'replace',
        onMissing,
      })
    await bring('root', 'null')
    expect(await first.one('select count(*) as n from users where instructor_id is not null')).toEqual({ n: 0 })
    const { plan } = await bring('base', 'fail')
    expect(Object.fromEntries(plan.relations.map(({ relation, inserts }) => [relation, inserts]))).toEqual({
      event_instructors: 20,
      events: 21,
      instructors: 20,
      locations: 21,
      participants: 45,
      posts: 30,
    })
    expect(await first.one('select count(*) as n from users where instructor_id is not null')).toEqual({ n: 8 })
    expect(await first.query('select type, count(*) as n from participants group by type order by type')).toEqual([
      { type: 'adult', n: 15 },
      { type: 'child', n: 15 },
      { type: 'teen', n: 15 },
    ])
    expect(await first.one(`select zip from locations where xmlid = '_demo.location_jugendhaus_rampe'`)).toEqual({
      zip: '01796',
    })
    const { checks } = await validateDatabase(settings, { database: first.database() })
    expect(checks.filter(({ status, severity }) => status !== 'passed' && severity === 'error')).toEqual([])
  })

  test('what is written as CSV comes back equal', { timeout: 120_000 }, async () => {
    const settings = await loadConfig({ cwd: CREARIS, environment: {} })
    await second.migrate('B')
    const { path } = await exportFileset(settings, {
      database: first.database(),
      out: join(await createScratchFolder(), 'all'),
    })
    await importContent(settings, { database: second.database(), archive: path, mode: 'init' })
    const again = await importContent(settings, { database: first.database(), archive: path, mode: 'replace' })
    const there = await importContent(settings, { database: second.database(), archive: path, mode: 'replace' })
    for (const { plan } of [again, there])
      expect(plan.relations.filter(({ records, unchanged }) => records !== unchanged)).toEqual([])
  })
})
