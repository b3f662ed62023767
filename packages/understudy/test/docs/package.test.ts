import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url))

test('what npm packs holds the program, a README and the licence', () => {
  const said = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: PACKAGE,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  const [{ files }] = JSON.parse(said) as [{ files: { path: string }[] }]
  const paths = files.map(({ path }) => path)
  expect(paths).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'bin/understudy.js', 'dist/index.js']))
  const licence = (folder: string) => readFileSync(`${folder}/LICENSE`, 'utf8')
  expect(licence(PACKAGE)).toBe(licence(`${PACKAGE}/../..`))
})
