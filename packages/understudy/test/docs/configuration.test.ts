import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { UnderstudyConfig } from '../../src/config/define-config.js'
import { loadModule } from '../../src/config/load-module.js'
import { parseConfig } from '../../src/config/parse-config.js'
import { resolveSettings } from '../../src/config/resolve-settings.js'
import { knownKeysAt } from '../../src/config/schema.js'
import { ERROR_CODES } from '../../src/errors.js'
import { createScratchFolder } from '../support/scratch.js'

/** The places of the configuration, by the headings under which the page has their keys. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  'The configuration': [],
  Relations: ['relations', '*'],
  References: ['references', '*'],
  Migrations: ['migrations'],
  Mirror: ['migrations', 'mirror'],
  'Migration packages': ['migrations', 'packages', '*'],
  'Data packages': ['dataPackages', '*'],
}

type Row = Readonly<Record<string, string>>

let page: string
let sections: Map<string, readonly Row[]>
let examples: unknown[]

beforeAll(async () => {
  page = await readFile(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8')
  sections = new Map(
    page
      .split(/^##+ /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf('\n')), readTable(section)]),
  )
  const root = await createScratchFolder()
  examples = await Promise.all(
    [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(async ([, code = ''], at) => {
      const file = join(root, `example-${at}.ts`)
      const imports = code.includes('import {') ? '' : "import { defineConfig } from 'understudy'\n"
      await writeFile(file, imports + code)
      const defineConfig = (config: UnderstudyConfig) => config
      return (await loadModule(file, { root, door: { defineConfig } })).default
    }),
  )
})

test('every key of the schema stands on the page, and no other', () => {
  const found = [...sections].map(([heading, rows]) => [heading, rows.map(({ key }) => key)])
  const expected = Object.entries(PLACES).map(([heading, path]) => [
    heading,
    knownKeysAt(path).map((key) => `\`${key}\``),
  ])
  const sorted = (list: unknown[][]) => list.map(([heading, keys]) => [heading, [...(keys as string[])].sort()])
  expect(sorted(found)).toEqual(sorted(expected))
})

test('every example is a configuration, and every key has one', () => {
  expect(examples.map((example) => parseConfig(example).problems)).toEqual(examples.map(() => []))
  const shown = new Map(
    Object.values(PLACES).map((path) => [path, new Set(examples.flatMap((each) => keysAt(each, path)))]),
  )
  const missing = [...shown].flatMap(([path, keys]) =>
    knownKeysAt(path)
      .filter((key) => !keys.has(key))
      .map((key) => [...path, key].join('.')),
  )
  expect(missing).toEqual([])
})

test('the defaults are those that a configuration without the key gets', () => {
  const settings = resolveSettings({}, { root: '/', configFile: null, environment: {} })
  const defaults = Object.fromEntries((sections.get('The configuration') ?? []).map((row) => [row.key, row.default]))
  expect(defaults).toMatchObject({
    '`database`': `\`${settings.database.replace('pglite:/', 'pglite:./')}\``,
    '`archives`': `\`${settings.archives.slice(1)}\``,
    '`checks`': `\`${settings.checks.slice(1)}\``,
    '`triggers`': `\`${settings.triggers}\``,
    '`onMissing`': `\`${settings.onMissing}\``,
    '`identityColumns`': settings.identityColumns.map((name) => `\`${name}\``).join(', '),
  })
})

test('the errors that it names are there', () => {
  const named = [...sections.values()]
    .flat()
    .flatMap(({ error = '' }) => [...error.matchAll(/`(\w+)`/g)].map(([, code]) => code))
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((code) => !Object.hasOwn(ERROR_CODES, code ?? ''))).toEqual([])
})

/** The rows of the one table of a section, by their headings. */
function readTable(section: string): Row[] {
  const lines = section.split('\n').filter((line) => line.startsWith('|'))
  const [head = [], , ...rows] = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  return rows.map((cells) => Object.fromEntries(head.map((name, at) => [name, cells[at] ?? ''])))
}

/** The keys that a configuration has at a place; `*` stands for any name. */
function keysAt(value: unknown, [first, ...rest]: readonly string[]): string[] {
  if (typeof value !== 'object' || value === null) return []
  if (first === undefined) return Object.keys(value)
  const inner = first === '*' ? Object.values(value) : [(value as Record<string, unknown>)[first]]
  return inner.flatMap((each) => keysAt(each, rest))
}
