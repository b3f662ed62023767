import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ArchiveIndex } from '../archive/archive-index.js'
import { readArchive } from '../archive/reader.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import { isLockFailure } from '../database/locked-transaction.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { withPinnedSettings } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { archiveFilesetInTransaction } from '../fileset/archive-fileset.js'
import { isFileset } from '../fileset/manifest.js'
import { fitSettings } from '../model/fit-settings.js'
import { relationsToLock } from './lock.js'
import { selectPackages } from './packages.js'
import type { MissingPolicy } from './plan.js'
import { newJournal } from './report.js'
import { asRefusal, importInTransaction } from './run-import.js'

export interface ImportInsideOptions {
  /** What happens to a row whose reference finds no target. Default: the settings' policy, `fail`. */
  readonly onMissing?: MissingPolicy | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Imports a fileset (`path` from the folder of the configuration) in the mode `replace` inside the caller's transaction, which holds the lock for
 * changes. Data packages, checks and policies are those of every import. Settings and temporary tables are afterwards as they were.
 *
 * @throws UnderstudyError as `importContent`; what the server says of a lock is thrown as it is, so that the caller can try again
 */
export async function importFilesetInside(
  session: Session,
  settings: Settings,
  path: string,
  options: ImportInsideOptions,
): Promise<void> {
  const fileset = resolve(settings.root, path)
  if (!(await isFileset(fileset))) {
    throw new UnderstudyError('FILESET_INVALID', `${path} is no fileset`, {
      detail: `There is no folder with CSV or JSON files at ${fileset}`,
      hint: 'Give its path as seen from the folder of the configuration.',
    })
  }
  const folder = await mkdtemp(join(tmpdir(), 'understudy-fileset-'))
  try {
    // What waits for the end of the transaction would keep triggers from being suspended.
    await session.script('set constraints all immediate')
    const [patience] = await session.query<{ ms: string }>(`select pg_catalog.current_setting('lock_timeout') as ms`)
    await withOwnTables(session, () =>
      withPinnedSettings(session, {}, async () => {
        await session.query(`select pg_catalog.set_config('lock_timeout', $1::text, true)`, [patience?.ms ?? '0'])
        const onMissing = options.onMissing ?? settings.onMissing
        // A migration runs at its own level, which may lack what the configuration names.
        const fitted = fitSettings(await readCatalog(session), settings)
        const archive = await archiveFilesetInTransaction(session, fitted, { fileset, folder, onMissing })
        await importArchive(session, settings, { archive, onMissing, signal: options.signal })
      }),
    )
  } catch (error) {
    throw isLockFailure(error) ? error : asRefusal(error)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function importArchive(
  session: Session,
  settings: Settings,
  {
    archive,
    onMissing,
    signal,
  }: { readonly archive: string; readonly onMissing: MissingPolicy; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const index = await readArchive(archive)
  const { packages } = await selectPackages(settings, relationsOf(index), 'replace', {})
  const tables = await relationsToLock(session, index)
  if (tables.length > 0) await session.script(`lock table ${tables.join(', ')} in share row exclusive mode`)
  await importInTransaction({
    session,
    settings,
    target: '',
    path: archive,
    index,
    isFileset: true,
    packages,
    mode: 'replace',
    onMissing,
    isDryRun: false,
    waitMs: 0,
    onWait: undefined,
    approve: () => undefined,
    onProgress: undefined,
    signal,
    journal: newJournal(),
  })
}

function relationsOf({ files }: ArchiveIndex) {
  return files.map(({ schema, relation }) => ({ schema, name: relation }))
}

/** Drops the temporary tables and views that `work` leaves: another import in the same transaction makes its own. */
async function withOwnTables(session: Session, work: () => Promise<void>): Promise<void> {
  const before = new Set((await readTemporary(session)).map(({ name }) => name))
  await work()
  const left = (await readTemporary(session)).filter(({ name }) => !before.has(name))
  const drops = left.map(({ kind, name }) => `drop ${kind} if exists pg_temp.${quoteIdentifier(name)} cascade`)
  if (drops.length > 0) await session.script(drops.join('; '))
}

/** Tables (`r`) and views (`v`) in the session's temporary schema. */
async function readTemporary(session: Session): Promise<{ readonly name: string; readonly kind: 'table' | 'view' }[]> {
  return await session.query(
    `select relname::text as name, case relkind when 'v' then 'view' else 'table' end as kind
       from pg_catalog.pg_class
      where relnamespace = pg_catalog.pg_my_temp_schema() and relkind in ('r', 'v')`,
  )
}
