import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { MigrationsConfig } from '../../src/config/define-config.js'
import { loadConfig } from '../../src/config/load-config.js'
import type { Settings } from '../../src/config/settings.js'
import type { Database } from '../../src/database/port.js'
import type { UnderstudyError } from '../../src/errors.js'
import { type MigrateOptions, migrateUp } from '../../src/migrate/migrate-up.js'
import { createScratchFolder } from '../support/scratch.js'

/** An application with migrations, in a folder of its own. */
export interface Project {
  readonly folder: string
  /** Writes migrations by file name; null removes one. */
  write(files: Readonly<Record<string, string | null>>): Promise<void>
  /** Writes archived data seeds. */
  writeArchived(files: Readonly<Record<string, string | null>>): Promise<void>
  settings(environment?: Environment): Promise<Settings>
  /** Runs `migrateUp` and returns the ids that it applied. */
  up(database: Database, options?: MigrateOptions, environment?: Environment): Promise<string[]>
}

type Environment = Readonly<Record<string, string>>

export async function createProject(config: MigrationsConfig = {}): Promise<Project> {
  const folder = await createScratchFolder()
  const migrations = join(folder, 'migrations')
  await mkdir(join(migrations, 'archived'), { recursive: true })
  await writeFile(join(folder, 'understudy.config.json'), JSON.stringify({ migrations: config }))
  const settings = (environment: Environment = {}) => loadConfig({ cwd: folder, environment })
  return {
    folder,
    settings,
    write: (files) => writeFiles(migrations, files),
    writeArchived: (files) => writeFiles(join(migrations, 'archived'), files),
    async up(database, options = {}, environment = {}) {
      const { applied } = await migrateUp(await settings(environment), { database, ...options })
      return applied.map(({ id }) => id)
    },
  }
}

async function writeFiles(folder: string, files: Readonly<Record<string, string | null>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name)
    await (text === null ? rm(file) : writeFile(file, text))
  }
}

/** The error that some work ends with. */
export async function failureOf(work: Promise<unknown>): Promise<UnderstudyError> {
  return await work.then(
    () => expect.fail('expected an error'),
    (error) => error,
  )
}

export function query(database: Database, sql: string): Promise<Record<string, unknown>[]> {
  return database.withSession((session) => session.query(sql))
}

/** The ids in the ledger of what was applied. */
export async function readAppliedIds(database: Database): Promise<unknown[]> {
  const rows = await query(
    database,
    `select id from understudy.migration where state = 'applied' order by id collate "C"`,
  )
  return rows.map(({ id }) => id)
}
