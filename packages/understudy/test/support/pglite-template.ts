import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const CACHE = fileURLToPath(new URL('../../../../node_modules/.cache/understudy/', import.meta.url))
const SCRIPT = fileURLToPath(new URL('./make-pglite-template.mjs', import.meta.url))

/**
 * A folder with a fresh embedded database, made once per version of PGlite and of the script and kept between runs.
 * Making one takes 2 to 5 s and copying it a twentieth of that.
 */
export async function preparePgliteTemplate(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const { version } = JSON.parse(await readFile(join(dirname(entry), '..', 'package.json'), 'utf8'))
  const folder = join(CACHE, `pglite-${version}-1`)
  if (await exists(join(folder, 'PG_VERSION'))) return folder
  await mkdir(CACHE, { recursive: true })
  const unfinished = await mkdtemp(join(CACHE, 'unfinished-'))
  await promisify(execFile)(process.execPath, [SCRIPT, unfinished])
  // Another run may have been quicker; both have made the same.
  await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true, force: true }))
  return folder
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
