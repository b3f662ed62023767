import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { verifyArchive } from '../archive/reader.js'
import { archivePath, resolveOutput } from '../archive/store.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import type { Database } from '../database/port.js'
import { pinSettings } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { exportContent } from '../export/export-content.js'
import type { Loss } from '../guard/loss.js'
import { resolveArchive } from '../import/import-content.js'
import { migrateUp } from '../migrate/migrate-up.js'
import { fitLimits } from '../model/fit-settings.js'
import { recordTransfer } from '../registry/registry.js'
import { raiseArchive, type ScratchOptions, scratchSettings, withScratch } from '../rehearse/scratch.js'

export interface UpgradeOptions extends ScratchOptions {
  /** A path, or `latest`: the newest archive in the settings' folder. */
  readonly archive: string
  /** The last package of the level wanted. Default: everything that is not manual. */
  readonly to?: string | undefined
  /** A file, or a folder in which the archive gets its timestamp as name. Default: the settings' folder of archives. */
  readonly out?: string | undefined
  readonly onMigration?: ((id: string) => void) | undefined
}

export interface UpgradeResult {
  /** The archive at its new level. */
  readonly path: string
  readonly archiveId: string
  /** The archive that was given. */
  readonly from: string
  readonly migrations: readonly string[]
  /** Rows, columns and values that were lost on the way, by migration. */
  readonly losses: readonly { readonly migration: string; readonly loss: Loss }[]
  readonly records: number
  readonly durationMs: number
}

/**
 * Brings an archive from an earlier level of the schema to that of today: it is put into a scratch database at its own level, migrated, and
 * exported again by today's configuration. What is lost on the way is reported, not refused: the archive that was given stays as it is.
 *
 * @throws UnderstudyError `REHEARSAL_IMPOSSIBLE`, `MIGRATION_FAILED`, those of an export and of the archive layer
 */
export async function upgradeArchive(settings: Settings, options: UpgradeOptions): Promise<UpgradeResult> {
  const startedAt = performance.now()
  const from = await resolveArchive(settings, options.archive)
  const index = await verifyArchive(from, { signal: options.signal })
  const out = await placeFor(settings, options)
  return await withScratch(options, async (scratch, url) => {
    const own = scratchSettings(settings, url)
    const { signal } = options
    await raiseArchive(own, { database: scratch, path: from, index, signal })
    const losses: { migration: string; loss: Loss }[] = []
    const { applied } = await migrateUp(own, {
      to: options.to,
      database: scratch,
      backup: false,
      isLossAllowed: true,
      signal,
      onLoss: (migration, lost) => losses.push(...lost.map((loss) => ({ migration, loss }))),
      onProgress: (progress) => progress.step === 'start' && options.onMigration?.(progress.id),
    })
    await scratch.withSession((session) =>
      recordTransfer(session, {
        direction: 'export',
        archiveId: index.id,
        archiveName: basename(from),
        sourceInstance: index.source.instance,
        mode: 'upgrade',
        relations: {},
      }),
    )
    const exported = await exportContent(await fitToScratch(own, scratch), { out, database: scratch, signal })
    return {
      path: exported.path,
      archiveId: exported.archiveId,
      from,
      migrations: applied.map(({ id }) => id),
      losses,
      records: exported.files.reduce((sum, { records }) => sum + records, 0),
      durationMs: Math.round(performance.now() - startedAt),
    }
  })
}

/** A scratch database has what the migrations make, and lacks what an exclusion names that stands beside them. */
async function fitToScratch(settings: Settings, scratch: Database): Promise<Settings> {
  return await scratch.withSession((session) =>
    session.transaction({ isReadOnly: true }, async () => {
      await pinSettings(session)
      return { ...settings, ...fitLimits(await readCatalog(session), settings) }
    }),
  )
}

async function placeFor(settings: Settings, { out, archive }: UpgradeOptions): Promise<string> {
  const now = new Date()
  const path = out === undefined ? archivePath(settings.archives, now) : await resolveOutput(out, now)
  const facts = await stat(path).catch(() => undefined)
  if (facts === undefined) return path
  throw new UnderstudyError('ARCHIVE_EXISTS', `there is a file already: ${path}`, {
    hint: `The archive ${basename(archive)} is never written over: choose another name with --out.`,
  })
}
