import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { CONFIG_FILES } from '../config/find-config.js'
import type { Settings } from '../config/settings.js'
import type { DatabaseOptions } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { type Inspection, inspectDatabase } from '../inspect/inspect-database.js'
import { renderConfig } from './render-config.js'

export interface InitOptions extends DatabaseOptions {
  /** Where the configuration is written. Default: the working directory. */
  readonly folder?: string | undefined
  /** Writes over an `understudy.config.ts` that exists. */
  readonly overwrites?: boolean | undefined
}

export interface InitResult {
  readonly path: string
  /** What the configuration was written from: the catalog and the rows, without any configuration. */
  readonly inspection: Inspection
}

/**
 * Looks at the settings' database, rows included, and writes a commented `understudy.config.ts` for it: what the catalog says needs no
 * line, what is doubtful gets a suggestion.
 *
 * Error: CONFIG_EXISTS where the folder has a configuration.
 */
export async function initConfig(settings: Settings, options: InitOptions = {}): Promise<InitResult> {
  const folder = resolve(options.folder ?? '.')
  const path = join(folder, 'understudy.config.ts')
  refuseExisting(folder, options.overwrites ? path : null)
  const bare = { ...settings, schemas: [], exclude: [], relations: {}, references: {} }
  const inspection = await inspectDatabase(bare, { profile: true, database: options.database, signal: options.signal })
  await writeFile(path, renderConfig(inspection, databaseLine(settings, inspection, folder)))
  return { path, inspection }
}

function refuseExisting(folder: string, overwritten: string | null): void {
  const found = CONFIG_FILES.map((file) => join(folder, file)).find((file) => existsSync(file) && file !== overwritten)
  if (found === undefined) return
  throw new UnderstudyError('CONFIG_EXISTS', `${relative('.', found)} exists already`, {
    hint: found.endsWith('.ts')
      ? 'To write over it, say `--force`.'
      : 'Remove it first: a folder has one configuration.',
  })
}

/** Null where DATABASE_URL says which database is meant: its password must not get into a file that is committed. */
function databaseLine({ database, databaseSource }: Settings, { label }: Inspection, folder: string): string | null {
  if (databaseSource === 'DATABASE_URL') return null
  if (!database.startsWith('pglite:') || database === 'pglite:memory') return label
  const path = relative(folder, database.slice('pglite:'.length))
  return path.startsWith('..') ? `pglite:${path}` : `pglite:./${path}`
}
