import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MigrationsConfig } from '../../src/config/define-config.js'
import { loadConfig } from '../../src/config/load-config.js'
import type { Settings } from '../../src/config/settings.js'
import { createScratchFolder } from '../support/scratch.js'

/** An application with migrations, in a folder of its own. */
export interface Project {
  readonly folder: string
  /** Writes migrations by file name; null removes one. */
  write(files: Readonly<Record<string, string | null>>): Promise<void>
  settings(environment?: Readonly<Record<string, string>>): Promise<Settings>
}

export async function createProject(config: MigrationsConfig = {}): Promise<Project> {
  const folder = await createScratchFolder()
  const migrations = join(folder, 'migrations')
  await mkdir(migrations)
  await writeFile(join(folder, 'understudy.config.json'), JSON.stringify({ migrations: config }))
  return {
    folder,
    async write(files) {
      for (const [name, text] of Object.entries(files)) {
        const file = join(migrations, name)
        await (text === null ? rm(file) : writeFile(file, text))
      }
    },
    settings: (environment = {}) => loadConfig({ cwd: folder, environment }),
  }
}
