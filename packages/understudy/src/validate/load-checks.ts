import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, extname, join, relative } from 'node:path'
import { loadModule } from '../config/load-module.js'
import type { Settings } from '../config/settings.js'
import { useSearchPath } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { type Check, findOffending, MAX_SAMPLES } from './check.js'
import { defineCheck, type ProjectCheck } from './define-check.js'
import { parseCheckHeaders } from './sql-check.js'

const MODULES = new Set(['.ts', '.mts', '.js', '.mjs'])

/**
 * The project's own checks: every `.sql` file and every module in the folder of checks, in order of their paths. None where there is no folder, unless
 * the configuration names it.
 *
 * @throws UnderstudyError `CHECKS_INVALID` with the problems of all files
 */
export async function loadChecks(settings: Pick<Settings, 'checks' | 'isChecksNamed' | 'root'>): Promise<Check[]> {
  const { checks: folder, isChecksNamed, root } = settings
  const problems: string[] = []
  const loaded: { check: Check; path: string }[] = []
  for (const path of await checkFiles(folder, { isNamed: isChecksNamed })) {
    const file = join(folder, path)
    const result = extname(path) === '.sql' ? await readSqlChecks(file) : await readModuleChecks(file, root)
    if (typeof result === 'string') problems.push(`${file}: ${result}`)
    else loaded.push(...result.map((check) => ({ check: toCheck(check, sectionOf(path)), path: file })))
  }
  const named = new Map<string, string>()
  for (const { check, path } of loaded) {
    const other = named.get(check.name)
    if (other !== undefined) problems.push(`${path}: the name "${check.name}" is taken by a check in ${other}`)
    named.set(check.name, path)
  }
  if (problems.length > 0)
    throw new UnderstudyError('CHECKS_INVALID', 'checks cannot be read', { detail: problems.join('\n') })
  return loaded.map(({ check }) => check)
}

async function checkFiles(folder: string, { isNamed }: { readonly isNamed: boolean }): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' && !isNamed) return []
      throw new UnderstudyError('CHECKS_INVALID', `the folder of checks cannot be read: ${folder}`, {
        detail: error.message,
        hint: 'Make the folder, or correct `checks` in the configuration.',
        cause: error,
      })
    },
  )
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.d.ts'))
    .filter((entry) => entry.name.endsWith('.sql') || MODULES.has(extname(entry.name)))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}

/** The folder inside the folder of checks; else the file's name, for a module of many. */
function sectionOf(path: string): string {
  if (dirname(path) !== '.') return dirname(path).split(/[/\\]/)[0] ?? ''
  return extname(path) === '.sql' ? 'project' : basename(path, extname(path))
}

async function readSqlChecks(file: string): Promise<ProjectCheck[] | string> {
  const text = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '')
  const { headers, problems } = parseCheckHeaders(text)
  if (problems.length > 0) return problems.join('\n')
  const name = headers.name ?? basename(file, '.sql').replace(/^\d+_/, '').replaceAll('_', ' ')
  return [{ ...headers, name, sql: text }]
}

async function readModuleChecks(file: string, root: string): Promise<ProjectCheck[] | string> {
  let exported: unknown
  try {
    exported = (await loadModule(file, { root, door: { defineCheck } })).default
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const checks = Array.isArray(exported) ? exported : [exported]
  const bad = checks.findIndex((each) => !isProjectCheck(each))
  if (checks.length > 0 && bad < 0) return checks
  const which = Array.isArray(exported) ? `, but its number ${bad + 1} is none` : ''
  return `expected \`export default defineCheck({ name, sql })\` or a list of them${which}`
}

function isProjectCheck(value: unknown): value is ProjectCheck {
  if (typeof value !== 'object' || value === null) return false
  const { name, section, severity, sql, find } = value as Record<string, unknown>
  return (
    typeof name === 'string' &&
    name !== '' &&
    (section === undefined || typeof section === 'string') &&
    (severity === undefined || severity === 'error' || severity === 'warning') &&
    (typeof sql === 'string') !== (typeof find === 'function')
  )
}

/** Runs under the application's own search path, and read-only: a check looks. */
function toCheck(check: ProjectCheck, section: string): Check {
  return {
    name: check.name,
    section: check.section ?? section,
    severity: check.severity ?? 'error',
    find: async (session) => {
      await useSearchPath(session, 'own')
      await session.script('set local transaction_read_only to on')
      if (check.sql !== undefined) return await findOffending(session, rowsAsText(check.sql))
      const rows = await check.find({ query: (sql, values) => session.query(sql, values) })
      return { rows: rows.length, samples: rows.slice(0, MAX_SAMPLES).map(describeRow) }
    },
  }
}

/** Each row as the texts of its columns. */
function rowsAsText(sql: string): string {
  const select = withoutEnd(sql)
  return `select (select pg_catalog.string_agg(coalesce(e.value, 'null'), ', ')
                    from pg_catalog.json_each_text(pg_catalog.row_to_json(f.*)) e) as sample
            from (${select}
                 ) f`
}

/** Takes off what may follow a select that is no part of it: semicolons and comments. */
function withoutEnd(sql: string): string {
  const shorter = sql.trimEnd().replace(/(?:;[ \t]*(?:--[^\n]*)?|\n[ \t]*--[^\n]*)$/, '')
  return shorter === sql ? sql : withoutEnd(shorter)
}

function describeRow(row: Readonly<Record<string, unknown>>): string {
  return Object.values(row)
    .map((value) => (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)))
    .join(', ')
}
