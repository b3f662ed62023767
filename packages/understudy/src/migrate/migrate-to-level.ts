import type { Settings } from '../config/settings.js'
import type { Database, Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { createLedger, writeLedgerRow } from './ledger.js'
import { loadMigrations } from './load-migration.js'
import type { MigrationFile } from './migration-files.js'
import { ARCHIVED_PACKAGE, type MigrationProject, readProject } from './read-project.js'
import { runSteps } from './run-steps.js'
import type { Safeguards } from './safeguards.js'

/** A migration that a level consists of. */
export interface LevelMigration {
  readonly id: string
  readonly checksum: string
}

/**
 * Brings an empty scratch database to a level: exactly these migrations run, manual ones too, without safeguards, for there is nothing to lose.
 * Data seeds out of the archive of migrations are recorded and not run: their rows come with the content.
 *
 * Error: REHEARSAL_IMPOSSIBLE where the files do not give that level.
 */
export async function migrateToLevel(
  settings: Settings,
  level: readonly LevelMigration[],
  { database, signal }: { readonly database: Database; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const project = await readProject(settings)
  const { schema, seeds } = filesOf(project, level)
  const steps = await loadMigrations(schema, settings.root)
  await database.withSession(async (session) => {
    await runSteps(session, steps, {
      settings: { ...settings, migrations: { ...settings.migrations, mirror: null } },
      direction: 'up',
      method: 'run',
      safeguards: NOTHING_TO_LOSE,
      archive: { name: null, isDeclined: false },
      overridden: [],
      packageOf: project.packageOf,
      options: { signal },
    })
    await recordSeeds(session, seeds)
  })
}

const NOTHING_TO_LOSE: Safeguards = {
  archive: async () => ({ name: null, isDeclined: false }),
  around: (step) => step.run(),
}

function filesOf(
  { files, archived }: MigrationProject,
  level: readonly LevelMigration[],
): { schema: MigrationFile[]; seeds: MigrationFile[] } {
  const wanted = new Map(level.map(({ id, checksum }) => [id, checksum]))
  const known = new Map([...files, ...archived].map((file) => [file.id, file]))
  const problems = level.flatMap(({ id, checksum }) => {
    const file = known.get(id)
    if (file === undefined) return [`${id}: there is no such file`]
    return file.checksum === checksum ? [] : [`${id}: its text is another one than then`]
  })
  if (wanted.size === 0) problems.push('the archive names no migrations')
  if (problems.length > 0)
    throw new UnderstudyError('REHEARSAL_IMPOSSIBLE', 'the migration files do not give the level of the archive', {
      detail: problems.join('\n'),
      hint: 'Take the files from the commit of that time, or adopt the database with `understudy migrate baseline` before the archive is taken.',
    })
  const isWanted = ({ id }: MigrationFile) => wanted.has(id)
  return { schema: files.filter(isWanted), seeds: archived.filter(isWanted) }
}

async function recordSeeds(session: Session, seeds: readonly MigrationFile[]): Promise<void> {
  await createLedger(session)
  for (const file of seeds) {
    await writeLedgerRow(session, {
      file,
      package: ARCHIVED_PACKAGE,
      method: 'archived',
      state: 'applied',
      durationMs: null,
      archive: null,
      isArchiveDeclined: false,
    })
  }
}
