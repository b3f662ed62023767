import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ArchiveIndex } from '../archive/archive-index.js'
import { readArchive, verifyArchive } from '../archive/reader.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import type { Database } from '../database/port.js'
import { pinSettings } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { exportContent } from '../export/export-content.js'
import type { Loss } from '../guard/loss.js'
import { resolveArchive } from '../import/import-content.js'
import { type MigrateOptions, migrateUp } from '../migrate/migrate-up.js'
import { requireModel } from '../model/build-model.js'
import { describeFinding } from '../model/finding.js'
import { fitSettings } from '../model/fit-settings.js'
import { findIdentityProblems } from '../model/preflight.js'
import { createSqlContext } from '../model/sql-context.js'
import { readInstance } from '../registry/registry.js'
import { findLimits } from './limits.js'
import { raiseArchive, type ScratchOptions, scratchSettings, withScratch } from './scratch.js'

export interface RehearseOptions
  extends ScratchOptions,
    Pick<MigrateOptions, 'from' | 'to' | 'only' | 'allowLoss' | 'allow'> {
  /** A path, or `latest`. Default: an archive of the database as it is now, taken for the rehearsal and thrown away. */
  readonly archive?: string | undefined
  /** Told first what a scratch database cannot show. */
  readonly onLimits?: ((limits: readonly string[]) => void) | undefined
  readonly onStep?: ((step: RehearsedStep) => void) | undefined
  /** The database that the archive is taken from, where it is open already. */
  readonly database?: Database | undefined
}

export interface RehearsedStep {
  /** `archive`, `restore`, the id of a migration, `checks`. */
  readonly step: string
  readonly durationMs: number
  /** Rows in the content relations after it; null where none were counted. */
  readonly rows: number | null
  /** What a migration lost that it was allowed to lose. */
  readonly losses: readonly Loss[]
}

export interface Rehearsal {
  /** Where it took place: `embedded`, or the server's label. */
  readonly scratch: string
  /** What could not be tried. */
  readonly limits: readonly string[]
  readonly steps: readonly RehearsedStep[]
  readonly durationMs: number
}

/**
 * Tries the pending migrations on a copy of the real data: the archive is put into a scratch database at its own level, ids included; then come the
 * pending migrations with the guard, and checks. The real database is read at most, never written.
 *
 * @throws UnderstudyError `REHEARSAL_FAILED` with the step, its error as the cause; `REHEARSAL_IMPOSSIBLE`; those of an export and of the archive layer
 */
export async function rehearse(settings: Settings, options: RehearseOptions = {}): Promise<Rehearsal> {
  const startedAt = performance.now()
  const steps: RehearsedStep[] = []
  const report = (step: RehearsedStep) => {
    steps.push(step)
    options.onStep?.(step)
  }
  return await withArchive(settings, options, report, async (path) => {
    const index = await readArchive(path)
    return await withScratch(options, async (scratch, url) => {
      const limits = await findLimits(settings, index, scratch)
      options.onLimits?.(limits)
      await run(scratchSettings(settings, url), { scratch, path, index, options, report })
      return {
        scratch: options.scratchUrl === undefined ? 'embedded' : scratch.label,
        limits,
        steps,
        durationMs: Math.round(performance.now() - startedAt),
      }
    })
  })
}

type Report = (step: RehearsedStep) => void

async function withArchive<T>(
  settings: Settings,
  { archive, database, signal }: RehearseOptions,
  report: Report,
  use: (path: string) => Promise<T>,
): Promise<T> {
  if (archive !== undefined) return await use(await resolveArchive(settings, archive))
  const folder = await mkdtemp(join(tmpdir(), 'understudy-rehearsal-'))
  try {
    const { path, files, durationMs } = await exportContent(settings, {
      out: join(folder, 'rehearsal.backup.tar.gz'),
      purpose: 'copy',
      database,
      signal,
    })
    report({ step: 'archive', durationMs, rows: files.reduce((sum, { records }) => sum + records, 0), losses: [] })
    return await use(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Run {
  readonly scratch: Database
  readonly path: string
  readonly index: ArchiveIndex
  readonly options: RehearseOptions
  readonly report: Report
}

async function run(settings: Settings, { scratch, path, index, options, report }: Run): Promise<void> {
  const { signal, from, to, only, allowLoss, allow } = options
  await timed('restore', async () => {
    await verifyArchive(path, { signal })
    await raiseArchive(settings, { database: scratch, path, index, signal })
  })
  const losses = new Map<string, readonly Loss[]>()
  const durations: { id: string; durationMs: number }[] = []
  await failing(durations, async () => {
    const { applied } = await migrateUp(settings, {
      ...{ from, to, only, allowLoss, allow, signal, database: scratch },
      // The archive is there already; nothing in here is worth another one.
      backup: false,
      onLoss: (id, lost) => losses.set(id, lost),
      onProgress: (progress) => {
        if (progress.step !== 'done') return
        durations.push(progress)
        report({
          step: progress.id,
          durationMs: progress.durationMs,
          rows: null,
          losses: losses.get(progress.id) ?? [],
        })
      },
    })
    return applied
  })
  await timed('checks', () => check(settings, scratch))

  async function timed(step: string, work: () => Promise<void>): Promise<void> {
    const startedAt = performance.now()
    try {
      await work()
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof UnderstudyError && error.code === 'REHEARSAL_IMPOSSIBLE') throw error
      throw failed(step, error)
    }
    report({ step, durationMs: Math.round(performance.now() - startedAt), rows: await countRows(scratch), losses: [] })
  }

  async function failing<T>(done: readonly { id: string }[], work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      throw failed(done.length === 0 ? 'the first pending migration' : `what follows ${done.at(-1)?.id}`, error)
    }
  }
}

function failed(step: string, error: unknown): UnderstudyError {
  const own = error instanceof UnderstudyError ? error : null
  const said = error instanceof Error ? error.message : String(error)
  return new UnderstudyError('REHEARSAL_FAILED', `the rehearsal failed at ${step}: ${said}`, {
    detail: own?.detail,
    hint: own?.hint?.replace('Nothing was changed. ', '') ?? 'The database itself was not touched.',
    cause: error,
  })
}

/** What an export would stumble over: problems of the model, rows without identity, references to nowhere. */
async function check(settings: Settings, scratch: Database): Promise<void> {
  const findings = await scratch.withSession((session) =>
    session.transaction({ isReadOnly: true }, async () => {
      await pinSettings(session)
      const catalog = await readCatalog(session)
      const { model } = requireModel(catalog, fitSettings(catalog, settings))
      const instance = await readInstance(session)
      return await findIdentityProblems(
        session,
        createSqlContext(catalog, model, instance?.id ?? null),
        model.relations,
      )
    }),
  )
  if (findings.length === 0) return
  throw new UnderstudyError('IDENTITY_PREFLIGHT', `${findings.length} problems with identities after the migrations`, {
    detail: findings.map(describeFinding).join('\n'),
  })
}

/** Every row of every table of a user; those of partitions are counted there. */
async function countRows(scratch: Database): Promise<number> {
  return await scratch.withSession(async (session) => {
    const tables = await session.query<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name
         from pg_catalog.pg_class c
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'understudy')`,
    )
    if (tables.length === 0) return 0
    const counts = tables.map(({ name }) => `select count(*) as rows from only ${name}`)
    const [row] = await session.query<{ rows: number }>(
      `select sum(rows)::bigint as rows from (${counts.join(' union all ')}) t`,
    )
    return row?.rows ?? 0
  })
}
