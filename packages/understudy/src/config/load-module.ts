import { existsSync } from 'node:fs'
import { join } from 'node:path'

export interface ModuleOptions {
  /** The folder of the configuration: compiled files are kept in its `node_modules/.cache`, where it has one. */
  readonly root: string
  /** What `import … from 'understudy'` gives in that file. */
  readonly door: Readonly<Record<string, unknown>>
}

/**
 * Evaluates a TypeScript or JavaScript file of the user, each time anew, and returns its exports. `understudy` inside it is the door
 * given here, never a second copy of the engine, wherever the file lives and whatever is installed there.
 */
export async function loadModule(file: string, { root, door }: ModuleOptions): Promise<Record<string, unknown>> {
  const { createJiti } = await import('jiti')
  const modules = join(root, 'node_modules')
  const jiti = createJiti(file, {
    // Without a folder of its own jiti caches code in the shared temporary folder, where another user could plant some.
    fsCache: existsSync(modules) && join(modules, '.cache', 'understudy'),
    moduleCache: false,
    interopDefault: false,
    virtualModules: { understudy: door },
  })
  return await jiti.import<Record<string, unknown>>(file)
}
