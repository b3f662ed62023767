import { rm } from 'node:fs/promises'
import { verifyArchive } from '../archive/reader.js'
import type { Settings } from '../config/settings.js'
import type { Database } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { exportContent } from '../export/export-content.js'

/**
 * Writes an archive of everything into the folder of archives, reads it back and verifies it. Returns its path, or null for a database that holds no
 * relation yet.
 *
 * Error: BACKUP_FAILED, with the reason as its cause.
 */
export async function writeBackup(
  settings: Settings,
  database: Database,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  try {
    const { path, files } = await exportContent(settings, { purpose: 'backup', database, signal })
    if (files.length === 0) {
      await rm(path)
      return null
    }
    await verifyArchive(path, { signal })
    return path
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof Error)) throw error
    const own = error instanceof UnderstudyError ? error : null
    throw new UnderstudyError('BACKUP_FAILED', `no archive could be written before the migration: ${error.message}`, {
      detail: own?.detail,
      hint: 'Nothing was migrated. Mend the cause; `--no-backup` goes on without an archive, and the ledger says so.',
      cause: error,
    })
  }
}
