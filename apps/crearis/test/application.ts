import { cp, mkdir, symlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { CREARIS } from './support.js'

/** What a copy does not need: what is built, what is installed, and what somebody's own runs left. */
const LEFT_OUT = /^(dist|node_modules|data|test|\.env)($|\/)/

/** Copies the application into a new folder, with an empty folder for its backups. */
export async function copyApplication(folder: string): Promise<void> {
  await cp(CREARIS, folder, { recursive: true, filter: (path) => !LEFT_OUT.test(relative(CREARIS, path)) })
  await symlink(join(CREARIS, 'node_modules'), join(folder, 'node_modules'))
  await mkdir(join(folder, 'data', 'sync'), { recursive: true })
}
