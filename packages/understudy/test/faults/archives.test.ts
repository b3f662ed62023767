import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { UnderstudyError } from '../../src/errors.js'
import { importContent } from '../../src/import/import-content.js'
import { craftTar, failureOf } from '../archive/support.js'
import { engines } from '../support/engines.js'
import { createStage, type Stage } from '../support/scenario.js'
import { CONFIG, content, fingerprint, SCHEMA, scratchFolder } from './support.js'

const FLIPS = 25

/** What the archive layer refuses is tried there, two thousand times; here it meets a database, which must not notice. */
describe.each(engines)('a damaged archive on $name', (engine) => {
  let target: Stage
  let good: Buffer
  let before: unknown
  const path = () => join(scratchFolder(), 'damaged.backup.tar.gz')

  beforeAll(async () => {
    const source = await createStage(engine, `${SCHEMA}; ${content(1000, 'new')}`, CONFIG)
    good = readFileSync((await source.export()).path)
    await source.created.dispose()
    target = await createStage(engine, `${SCHEMA}; ${content(5000, 'old')}`, CONFIG)
    before = await fingerprint(target.created.database)
  })
  afterAll(() => target.created.dispose())

  async function expectRefused(bytes: Buffer): Promise<UnderstudyError> {
    const error = await failureOf(importArchive(bytes))
    expect(await fingerprint(target.created.database)).toEqual(before)
    return error
  }

  async function importArchive(bytes: Buffer): Promise<unknown> {
    const file = path()
    writeFileSync(file, bytes)
    return await importContent(target.settings, {
      archive: file,
      mode: 'replace',
      database: target.created.database,
    })
  }

  test.each([0.1, 0.5, 0.9, 0.99])('cut off at %d of it', async (part) => {
    await expectRefused(good.subarray(0, Math.floor(good.length * part)))
  })

  test(`with one of ${FLIPS} bits of its rows flipped`, async () => {
    const tar = gunzipSync(good)
    const rows = tar.indexOf('notes.json\0')
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: rows + 600, max: tar.length - 2000 }), fc.nat(7), async (at, bit) => {
        const flipped = Buffer.from(tar)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
        // Padding and times of a tar's header are no content.
        const isPadding = tar[at] === 0
        if (!isPadding) await failureOf(importArchive(gzipSync(flipped, { level: 1 })))
      }),
      { numRuns: FLIPS },
    )
    expect(await fingerprint(target.created.database)).toEqual(before)
  })

  test.each([
    ['../../x', '0'],
    ['/etc/x', '0'],
    ['link.json', '2'],
    ['device', '3'],
  ])('with an entry %s', async (name, type) => {
    const tar = gunzipSync(good)
    const bytes = Buffer.concat([tar.subarray(0, -1024), craftTar([{ name, type, link: 'users.json' }])])
    expect(await expectRefused(gzipSync(bytes))).toMatchObject({ code: 'ARCHIVE_ENTRY_REFUSED' })
  })

  test('with ten gigabytes of zeros behind it', async () => {
    const tar = gunzipSync(good)
    const zeros = gzipSync(Buffer.alloc(2 ** 20))
    const bytes = Buffer.concat([gzipSync(tar), ...Array.from({ length: 10 * 1024 }, () => zeros)])
    expect(await expectRefused(bytes)).toMatchObject({ code: 'ARCHIVE_TOO_LARGE' })
  })
})
