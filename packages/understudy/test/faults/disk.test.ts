import { spawnSync } from 'node:child_process'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createArchive } from '../../src/archive/writer.js'
import { failureOf, temporaryFolder } from '../archive/support.js'
import { servers, withTestDatabase } from '../support/engines.js'
import { scratchFolder, startCli } from './support.js'

/** A disk that takes no file above a size: \`prlimit\` works for everybody, where a file system of one's own wants root. */
const hasLimits = spawnSync('prlimit', ['--version']).status === 0
const withDisk = (bytes: number) => ['prlimit', `--fsize=${bytes}`]

describe.skipIf(!hasLimits).each(servers.slice(0, 1))('a full disk on the way out of $name', (engine) => {
  /** Texts that hardly compress: a spool of about 600 KB, and two of them in the archive. */
  const CONTENT = `
    create table big (id serial primary key, code text not null unique, body text);
    insert into big (code, body) select n::text, string_agg(md5(n || ' ' || m), '') from generate_series(1, 100) n, generate_series(1, 300) m group by n;
    create table other as table big;
    alter table other add primary key (code)`

  test.each([
    ['for the spool', 200_000],
    ['for the archive itself', 900_000],
  ])('%s ends the export with an error, and nothing is left', async (_, bytes) => {
    await withTestDatabase(engine, async ({ url, database }) => {
      await database.withSession((session) => session.script(CONTENT))
      const cwd = scratchFolder()
      await writeFile(join(cwd, 'understudy.config.json'), '{}')
      const end = await startCli(['export', '--out', 'out/'], { cwd, url, prefix: withDisk(bytes) }).ended
      expect(end, end.said).toMatchObject({ exitCode: 1 })
      expect(end.said).toMatch(/error: cannot write the archive .* \(ARCHIVE_WRITE_FAILED\)\n {2}EFBIG: file too large/)
      expect(end.said).toContain('hint: Make room or choose another folder')
      expect(await readdir(join(cwd, 'out'))).toEqual([])
      const whole = await startCli(['export', '--out', 'out/'], { cwd, url, prefix: withDisk(3_000_000) }).ended
      expect(whole).toMatchObject({ exitCode: 0 })
      expect(await readdir(join(cwd, 'out'))).toHaveLength(1)
    })
  })
})

test('a folder that nothing can be written to is an error before anything is read', async () => {
  const folder = temporaryFolder()
  await writeFile(join(folder, 'file'), '')
  expect(await failureOf(createArchive({ path: join(folder, 'file', 'a.backup.tar.gz') }))).toMatchObject({
    code: 'ARCHIVE_WRITE_FAILED',
  })
})
