import type { Settings } from '../config/settings.js'
import type { LockHolder } from '../database/lock-holder.js'
import type { Session } from '../database/port.js'
import { type DriftFinding, overrideOf } from './compare-ledger.js'
import { createLedger, type LedgerRow, writeLog } from './ledger.js'
import type { LoadedMigration } from './load-migration.js'
import type { LockPatience, LockRetry } from './lock-retries.js'
import type { MigrationFile } from './migration-files.js'
import { runOne } from './run-migration.js'
import type { Backup, Safeguards } from './safeguards.js'

/** What every command that runs migrations can be told. */
export interface RunnerOptions extends LockPatience {
  /** How long to wait for another runner. Default 60,000 ms. */
  readonly waitMs?: number | undefined
  /** Overrides of MIGRATION_DRIFT, in the words that its detail gives: `changed:002_posts`. */
  readonly allow?: readonly string[] | undefined
  readonly onProgress?: ((progress: MigrateProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export type MigrateProgress =
  /** Another runner holds the database; null where it let go a moment ago. */
  | { readonly step: 'waiting'; readonly holder: LockHolder | null }
  | { readonly step: 'start'; readonly id: string; readonly index: number; readonly count: number }
  /** It could not get a lock in time, was rolled back, and will be tried again after a pause. */
  | ({ readonly step: 'retry'; readonly id: string } & LockRetry)
  | { readonly step: 'done'; readonly id: string; readonly durationMs: number }

export interface AppliedMigration {
  readonly id: string
  readonly package: string
  readonly description: string
  readonly durationMs: number
}

export interface StepsContext {
  readonly settings: Settings
  readonly direction: 'up' | 'down'
  readonly method: LedgerRow['method']
  readonly safeguards: Safeguards
  readonly archive: Backup
  /** Findings that were overridden: they are written into the log. */
  readonly overridden: readonly DriftFinding[]
  packageOf(file: MigrationFile): string
  readonly options: RunnerOptions
}

const DEFAULT_WAIT_MS = 60_000

export function lockOptionsOf({ waitMs = DEFAULT_WAIT_MS, onProgress, signal }: RunnerOptions) {
  return {
    waitMs,
    signal,
    onWait: (holder: LockHolder | undefined) => onProgress?.({ step: 'waiting', holder: holder ?? null }),
  }
}

/** Runs migrations one after the other. A failure leaves those before it done. */
export async function runSteps(
  session: Session,
  steps: readonly LoadedMigration[],
  context: StepsContext,
): Promise<AppliedMigration[]> {
  await createLedger(session)
  await logOverrides(session, context.overridden)
  const done: AppliedMigration[] = []
  const { options, packageOf } = context
  for (const [index, step] of steps.entries()) {
    options.signal?.throwIfAborted()
    const { id } = step.file
    const facts = { package: packageOf(step.file), description: step.description }
    options.onProgress?.({ step: 'start', id, index, count: steps.length })
    const durationMs = await runOne(session, step, {
      ...context,
      ...options,
      package: facts.package,
      onRetry: (retry) => options.onProgress?.({ step: 'retry', id, ...retry }),
    })
    options.onProgress?.({ step: 'done', id, durationMs })
    done.push({ id, ...facts, durationMs })
  }
  return done
}

async function logOverrides(session: Session, overridden: readonly DriftFinding[]): Promise<void> {
  if (overridden.length === 0) return
  const entries = overridden.map((one) => ({
    action: 'override' as const,
    migration: one.id,
    detail: `${overrideOf(one)}: ${one.text}`,
  }))
  await writeLog(session, entries)
}
