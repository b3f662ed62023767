import { readFileSync } from 'node:fs'
import { dirname, extname, resolve } from 'node:path'
import { UnderstudyError } from '../errors.js'
import { defineConfig, type UnderstudyConfig } from './define-config.js'
import { findConfig, requireConfig } from './find-config.js'
import { loadModule } from './load-module.js'
import { readDotEnv } from './read-dot-env.js'
import { resolveDatabaseUrl, resolveSettings } from './resolve-settings.js'
import type { Settings } from './settings.js'

export interface LoadOptions {
  /** Where the search for a configuration begins. Default: the working directory. */
  readonly cwd?: string | undefined
  /** The configuration file, relative to `cwd`; instead of a search. */
  readonly file?: string | undefined
  /** A database that wins over every other; its folder is relative to `cwd`. */
  readonly database?: string | undefined
  /** Default: the process's environment. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Finds the configuration (`understudy.config.ts`, `.mts`, `.js`, `.mjs` or `.json`), reads `.env` beside it, and returns the settings
 * with every default filled in. Without a file the settings are the defaults.
 *
 * Errors: CONFIG_NOT_FOUND, CONFIG_INVALID with every problem in its detail, one a line, USAGE where `database` is empty.
 */
export async function loadConfig(options: LoadOptions = {}): Promise<Settings> {
  const cwd = resolve(options.cwd ?? '.')
  const configFile = options.file === undefined ? findConfig(cwd) : requireConfig(cwd, options.file)
  const root = configFile === null ? cwd : dirname(configFile)
  const environment: Environment = { ...readDotEnv(root), ...(options.environment ?? process.env) }
  const config = configFile === null ? {} : await readConfig(configFile, root, environment)
  const database = options.database === undefined ? undefined : resolveDatabaseUrl(requireUrl(options.database), cwd)
  return resolveSettings(config, { root, configFile, environment, database })
}

/** An empty text, as an unset variable gives it, must not mean the configured database. */
function requireUrl(url: string): string {
  if (url !== '') return url
  throw new UnderstudyError('USAGE', 'the database is empty', { hint: 'Name one, or leave it out.' })
}

async function readConfig(file: string, root: string, environment: Environment): Promise<UnderstudyConfig> {
  const value = await evaluate(file, root, environment)
  // Loaded where there is one: the parser is nearly half of the files that a command loads.
  const { parseConfig } = await import('./parse-config.js')
  const { config, problems } = parseConfig(value)
  if (config === null) throw invalidConfig(file, problems)
  return config
}

async function evaluate(file: string, root: string, environment: Environment): Promise<unknown> {
  try {
    if (extname(file) === '.json') return parseJson(readFileSync(file, 'utf8'))
    const module = await withEnvironment(environment, () => loadModule(file, { root, door: { defineConfig } }))
    if (module.default !== undefined) return module.default
  } catch (cause) {
    throw new UnderstudyError('CONFIG_INVALID', 'the configuration file cannot be read', {
      detail: `${file}: ${cause instanceof Error ? cause.message : cause}`,
      cause,
    })
  }
  throw invalidConfig(file, ['configuration: expected `export default defineConfig({ … })`'])
}

/** The parser quotes what stands around a mistake, which may be the URL with its password: only the place is told. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    throw new Error(said.replace(/, (\.\.\.)?".*is not valid JSON$/s, ''))
  }
}

/** A configuration may read `process.env`: it finds there what `.env` says, for as long as it is evaluated. */
async function withEnvironment<T>(environment: Environment, work: () => Promise<T>): Promise<T> {
  const missing = Object.entries(environment).filter(([name]) => process.env[name] === undefined)
  for (const [name, value] of missing) process.env[name] = value
  try {
    return await work()
  } finally {
    for (const [name] of missing) delete process.env[name]
  }
}

function invalidConfig(file: string, problems: readonly string[]): UnderstudyError {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
  return new UnderstudyError('CONFIG_INVALID', `${count} in ${file}`, {
    detail: problems.join('\n'),
  })
}
