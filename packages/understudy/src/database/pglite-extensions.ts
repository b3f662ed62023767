import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { PGlite } from '@electric-sql/pglite'

const BLOCK = 512

interface ExtensionFile {
  readonly name: string
  readonly content: Uint8Array
}

/** Read once per process: 231 files, 4 MB. */
let files: Promise<readonly ExtensionFile[]> | undefined

/**
 * Lays the files of every extension that PGlite ships beside its own, so that `create extension` finds them, and so that
 * a database that uses one works when it is opened again.
 *
 * PGlite's own way, the option `extensions`, compiles every library at the start: 400 ms for all 34. Copied like this
 * they cost 33 ms (2 cores), and PostgreSQL compiles a library when it is first called. It also keeps out the setup of
 * pg_stat_statements, which replaces postgresql.conf by one that no later start without that extension survives.
 */
export async function installExtensions(pglite: PGlite): Promise<void> {
  files ??= readBundles()
  for (const { name, content } of await files) pglite.copyToFS(`/pglite/${name}`, content)
}

async function readBundles(): Promise<readonly ExtensionFile[]> {
  const folder = dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite'))
  const bundles = (await readdir(folder)).filter((name) => name.endsWith('.tar.gz'))
  const archives = await Promise.all(bundles.map((name) => readFile(join(folder, name))))
  return archives.flatMap((archive) => [...filesOf(gunzipSync(archive))])
}

/** The regular files of a tar archive whose names fit into 100 bytes, which those of the bundles do (POSIX ustar). */
function* filesOf(archive: Buffer): Generator<ExtensionFile> {
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0; ) {
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 136), 8)
    const isFile = archive[at + 156] === 0x30 || archive[at + 156] === 0
    const name = archive.toString('latin1', at, at + 100).replace(/\0.*$/s, '')
    if (isFile) yield { name, content: archive.subarray(at + BLOCK, at + BLOCK + size) }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
}
