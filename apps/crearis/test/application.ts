import { cp, mkdir, symlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { CREARIS } from './support.js'

/** What a copy does not need: what is built, what is installed, and what somebody's own runs left. */
const LEFT_OUT = /^(dist|node_modules|data|test|\.env)($|\/)/

/** Copies the application into a new folder, with an empty folder for its backups. */
export async function copyApplication(folder: string): Promise<void> {
  await cp(CREARIS, folder, { recursive: true, filter: (path) => !LEFT_OUT.test(relative(CREARIS, path)) })
  // A folder of its own: what is compiled for this copy is cached in it.
  await mkdir(join(folder, 'node_modules'))
  for (const name of ['.bin', 'understudy']) {
    await symlink(join(CREARIS, 'node_modules', name), join(folder, 'node_modules', name))
  }
  await mkdir(join(folder, 'data', 'sync'), { recursive: true })
}
