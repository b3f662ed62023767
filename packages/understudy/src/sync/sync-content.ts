import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Settings } from '../config/settings.js'
import { UnderstudyError } from '../errors.js'
import { type ExportResult, exportContent } from '../export/export-content.js'
import { type ImportOptions, type ImportResult, importContent } from '../import/import-content.js'
import { isSameDatabase } from './same-database.js'

export interface SyncOptions extends Omit<ImportOptions, 'archive' | 'database'> {
  /** The databases, as URLs; folders of embedded ones are absolute. */
  readonly from: string
  readonly to: string
  /** As for an export. */
  readonly only?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  /** Where to leave the archive: a file or a folder. Default: nothing is left. */
  readonly keep?: string | undefined
}

export interface SyncResult {
  readonly exported: ExportResult
  readonly imported: ImportResult
  /** The archive that was kept, or null. */
  readonly archivePath: string | null
}

/**
 * Exports one database and imports it into another. The archive in between is removed again, whatever happens, unless `keep` says where it
 * goes. Both sides use the same configuration.
 *
 * @throws UnderstudyError `USAGE` where both are the same database, under whatever address, and those of `exportContent` and `importContent`
 */
export async function syncContent(settings: Settings, options: SyncOptions): Promise<SyncResult> {
  const { from, to, only, exclude, keep, ...importOptions } = options
  if (await isSameDatabase(from, to, options.signal)) {
    throw new UnderstudyError('USAGE', 'source and target are the same database', {
      hint: 'Name two in --from and --to.',
    })
  }
  return await withArchivePath(keep, async (out) => {
    const { signal, onProgress } = options
    const exported = await exportContent({ ...settings, database: from }, { out, only, exclude, signal, onProgress })
    const imported = await importContent({ ...settings, database: to }, { ...importOptions, archive: exported.path })
    return { exported, imported, archivePath: keep === undefined ? null : exported.path }
  })
}

/** A place for the archive: the one asked for, or a folder that only this user can read and that is gone afterwards. */
async function withArchivePath<T>(keep: string | undefined, use: (out: string) => Promise<T>): Promise<T> {
  if (keep !== undefined) return await use(keep)
  const folder = await mkdtemp(join(tmpdir(), 'understudy-sync-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
