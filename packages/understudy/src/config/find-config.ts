import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UnderstudyError } from '../errors.js'

/** In order of preference. */
export const CONFIG_FILES = ['ts', 'mts', 'js', 'mjs', 'json'].map((extension) => `understudy.config.${extension}`)

/**
 * Looks for a configuration file in a folder and then in its parents, up to the root of the git repository; outside a
 * repository in that folder alone, so that a stray file in a shared parent is never taken. Null where there is none.
 */
export function findConfig(folder: string): string | null {
  const ancestors = ancestorsOf(folder)
  const repository = ancestors.findIndex((ancestor) => existsSync(join(ancestor, '.git')))
  const searched = repository < 0 ? [folder] : ancestors.slice(0, repository + 1)
  for (const candidate of searched) {
    const found = CONFIG_FILES.filter((file) => existsSync(join(candidate, file)))
    if (found.length > 1)
      throw new UnderstudyError('CONFIG_INVALID', `${found.length} configuration files in one folder`, {
        detail: found.map((file) => join(candidate, file)).join('\n'),
        hint: 'Keep one of them.',
      })
    if (found[0]) return join(candidate, found[0])
  }
  return null
}

/** The path of a configuration file that was named. */
export function requireConfig(cwd: string, file: string): string {
  const path = resolve(cwd, file)
  if (!existsSync(path)) throw new UnderstudyError('CONFIG_NOT_FOUND', `configuration file ${file} does not exist`)
  return path
}

function ancestorsOf(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...ancestorsOf(parent)]
}
