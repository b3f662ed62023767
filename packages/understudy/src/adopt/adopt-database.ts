import { readArchive } from '../archive/reader.js'
import { locateArchive } from '../archive/store.js'
import type { Settings } from '../config/settings.js'
import { withAdvisoryLock } from '../database/advisory-lock.js'
import type { LockHolder } from '../database/lock-holder.js'
import type { Database, Session } from '../database/port.js'
import { pinSettings } from '../database/settings.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import type { OnProgress } from '../progress.js'
import { type Instance, readInstance, refuseHiddenRegistry } from '../registry/registry.js'
import { adoptAsCopy } from './as-copy.js'
import { adoptAsOriginal } from './as-original.js'
import { adoptByPrimaryKey } from './by-primary-key.js'

/**
 * What a database is to another one that it resembles:
 * - `as-copy`: it is a copy of another that lives on. It gets an instance id of its own; its rows known by their origin go on being the original's.
 * - `as-original`: it is the one that its registry names, only moved, restored or upgraded. With an archive: that one is its own, too.
 * - `by-primary-key`: it and an archive's source descend from one database, so that equal primary keys mean the same row.
 */
export type AdoptionKind = 'as-copy' | 'as-original' | 'by-primary-key'

export interface AdoptOptions extends DatabaseOptions {
  readonly how: AdoptionKind
  /** A path, or `latest`. Default for `by-primary-key`: `latest`; for `as-original`: none; `as-copy` takes none. */
  readonly archive?: string | undefined
  /** True: the adoption is returned and nothing is written. */
  readonly isDryRun?: boolean | undefined
  /** Asked before anything is written; false ends with `CANCELLED`. Without it the adoption is written at once. */
  readonly confirm?: ((adoption: Adoption) => Promise<boolean>) | undefined
  /** How long to wait for another run. Default: 30 s. */
  readonly waitMs?: number | undefined
  readonly onWait?: ((holder: LockHolder | undefined) => void) | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface Adoption {
  readonly how: AdoptionKind
  /** Where the database is, safe to print. */
  readonly target: string
  /** The instance id that the database had. */
  readonly previousInstance: string
  /** The one that it has afterwards. A dry run draws another than the run that writes. */
  readonly instance: string
  readonly archive: { readonly id: string; readonly path: string } | null
  /** The relations known by their origin, in order of schema and name; none for `as-original`. */
  readonly relations: readonly AdoptedRelation[]
  readonly isWritten: boolean
}

export interface AdoptedRelation {
  readonly relation: string
  /** Rows here whose origin is the other database from now on. */
  readonly adopted: number
  /** `by-primary-key`: of these, the ones whose content is equal in the archive. */
  readonly equal: number | null
  /** `by-primary-key`: rows of the archive that were known here already. */
  readonly known: number | null
  readonly onlyHere: number | null
  readonly onlyInArchive: number | null
}

/** An adoption at work. */
export interface AdoptRun {
  readonly session: Session
  readonly settings: Settings
  readonly instance: Instance
  /** The path of the archive, or null. */
  readonly archive: string | null
  readonly onProgress: OnProgress | undefined
  readonly signal: AbortSignal | undefined
}

export type Adopted = Pick<Adoption, 'instance' | 'archive' | 'relations'>

const DEFAULT_WAIT_MS = 30_000

/**
 * Says what a database is to another that shares rows with it, in one transaction under the database's lock. Only the registry is written, no row
 * of content.
 *
 * @throws UnderstudyError `ADOPT_REFUSED`, `INSTANCE_AMBIGUOUS`, `CANCELLED`, `LOCK_NOT_AVAILABLE`, `MODEL_INVALID`, and those of the archive layer
 */
export async function adoptDatabase(settings: Settings, options: AdoptOptions): Promise<Adoption> {
  const archive = await resolveArchive(settings, options)
  return await withDatabase(settings, options, async (database) => {
    const run = (isDryRun: boolean) =>
      database.withSession((session) => adoptLocked(session, { settings, options, archive, isDryRun, database }))
    if (options.isDryRun === true || options.confirm === undefined) return await run(options.isDryRun === true)
    if (!(await options.confirm(await run(true)))) {
      throw new UnderstudyError('CANCELLED', 'the adoption was declined', { hint: 'Nothing was written.' })
    }
    return await run(false)
  })
}

async function resolveArchive(settings: Settings, { how, archive }: AdoptOptions): Promise<string | null> {
  if (archive === undefined && how !== 'by-primary-key') return null
  if (how === 'as-copy') throw new UnderstudyError('USAGE', 'a copy is adopted without an archive')
  const path = await locateArchive(settings.archives, archive ?? 'latest')
  // A file that is no archive is said to be none before the database is asked for anything.
  await readArchive(path)
  return path
}

interface Work {
  readonly settings: Settings
  readonly options: AdoptOptions
  readonly archive: string | null
  readonly isDryRun: boolean
  readonly database: Database
}

/** A dry run ends its transaction on purpose. */
class DryRunDone extends Error {
  constructor(readonly adoption: Adoption) {
    super('the dry run is done')
  }
}

async function adoptLocked(session: Session, work: Work): Promise<Adoption> {
  const { options } = work
  try {
    const { waitMs = DEFAULT_WAIT_MS, onWait, signal } = options
    return await withAdvisoryLock(session, { waitMs, onWait, signal }, () =>
      session.transaction({}, () => session.abortable(signal, () => adoptInTransaction(session, work))),
    )
  } catch (error) {
    if (error instanceof DryRunDone) return error.adoption
    throw error
  }
}

const STEPS = { 'as-copy': adoptAsCopy, 'as-original': adoptAsOriginal, 'by-primary-key': adoptByPrimaryKey }

async function adoptInTransaction(session: Session, work: Work): Promise<Adoption> {
  const { settings, options, archive, isDryRun, database } = work
  await pinSettings(session)
  await refuseHiddenRegistry(session)
  const instance = await readInstance(session)
  if (instance === null && options.how !== 'by-primary-key') {
    throw new UnderstudyError('ADOPT_REFUSED', 'this database has no registry, so it goes by no instance id', {
      hint: 'There is nothing to adopt: the first export or import gives it an id of its own.',
    })
  }
  const { onProgress, signal } = options
  const adopted = await STEPS[options.how]({ session, settings, instance, archive, onProgress, signal } as AdoptRun)
  const adoption: Adoption = {
    how: options.how,
    target: database.label,
    previousInstance: instance?.id ?? adopted.instance,
    ...adopted,
    isWritten: !isDryRun,
  }
  if (isDryRun) throw new DryRunDone(adoption)
  return adoption
}
