import { cp, symlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { createScratchFolder } from '../../../packages/understudy/test/support/scratch.js'
import { CREARIS } from './support.js'

/** What a copy does not need: what is built, what is installed, and what somebody's own runs left. */
const LEFT_OUT = /^(dist|node_modules|data|test|\.env)($|\/)/

/** A copy of the application in a folder of its own, whose name holds a blank; returns its path. */
export async function copyApplication(): Promise<string> {
  const folder = join(await createScratchFolder(), 'my crearis')
  await cp(CREARIS, folder, { recursive: true, filter: (path) => !LEFT_OUT.test(relative(CREARIS, path)) })
  await symlink(join(CREARIS, 'node_modules'), join(folder, 'node_modules'))
  return folder
}
