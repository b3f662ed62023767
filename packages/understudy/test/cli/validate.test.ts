import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { engines, withTestDatabase } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'
import { runCli } from './run-cli.js'

const [engine] = engines

describe('understudy validate', () => {
  test('prints what failed, writes JUnit, and ends with 4 only where an error-level check failed', async () => {
    if (engine === undefined) throw new Error('there is no engine')
    await withTestDatabase(engine, async ({ url, database }) => {
      await database.withSession((session) =>
        session.script(`create table users (id serial primary key, xmlid text unique, boss int);
          insert into users (xmlid, boss) values ('anna', 1), ('<böse> & "co"', 77)`),
      )
      await database.close()
      const folder = await createScratchFolder()
      const run = (...args: string[]) => runCli(args, { cwd: folder, environment: { DATABASE_URL: url } })
      await mkdir(join(folder, 'checks'))
      await writeFile(
        join(folder, 'checks', 'names.sql'),
        `-- check: severity warning\nselect xmlid from users where xmlid ~ '[<>]'`,
      )

      const warned = await run('validate')
      expect(warned).toMatchObject({ exitCode: 0, stderr: '' })
      expect(warned.stdout).toContain('warning: names (project)\n  1 row:\n    <böse> & "co"\n')
      expect(warned.stdout).toMatch(/\nproject +0 +1 +0 /)

      await writeFile(
        join(folder, 'understudy.config.json'),
        '{ "references": { "users.boss": { "to": "users.id" } } }',
      )
      const failed = await run('validate', '--junit', 'report.xml')
      expect(failed.exitCode).toBe(4)
      expect(failed.stdout).toContain(
        'failed: users.boss points to rows of users (references)\n  1 row:\n    <böse> & "co" -> 77\n',
      )
      const xml = await readFile(join(folder, 'report.xml'), 'utf8')
      expect(xml).toMatch(/<testsuites name="[^"]+" tests="7" failures="1" errors="0" time="\d+\.\d{3}">/)
      expect(xml).toContain(
        '<failure message="1 row:">1 row:&#10;  &lt;böse&gt; &amp; &quot;co&quot; -&gt; 77</failure>',
      )
      expect(xml).toContain('name="names"')

      const unwritten = await run('validate', '--json', '--junit', 'nowhere/report.xml')
      expect(unwritten).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('(REPORT_WRITE_FAILED)') })
      expect(unwritten.stderr).toContain('error: the checks cannot be written: nowhere/report.xml')
      expect(JSON.parse(unwritten.stdout)).toMatchObject({ isValid: false })

      const json = await run('validate', '--json', '--section', 'references')
      expect(json.exitCode).toBe(4)
      expect(JSON.parse(json.stdout)).toMatchObject({
        isValid: false,
        checks: [{ status: 'passed' }, { status: 'failed', rows: 1, samples: ['<böse> & "co" -> 77'] }],
      })

      const exported = await run('export', '--exclude', 'none')
      expect(exported.exitCode).toBe(1)
      const unknown = await run('validate', '--archive', 'nowhere.tar')
      expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('(ARCHIVE_NOT_FOUND)') })
    })
  })
})
