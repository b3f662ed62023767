import { relative } from 'node:path'
import type { Command } from 'commander'
import { describeLoss, type Loss } from '../guard/loss.js'
import type { SafetyOptions } from '../migrate/guarded.js'
import type { MigrateProgress, RunnerOptions } from '../migrate/run-steps.js'
import { parseNames, parseSeconds } from './option-values.js'
import type { Output } from './print/output.js'
import { formatDuration } from './print/units.js'
import { waitingNote } from './print/waiting.js'

/** What the commands that change the schema or its ledger share. */
export interface SharedOptions {
  readonly wait: number
  readonly allowDrift?: readonly string[]
}

/** What those share that run migrations. */
export interface RunOptions extends SharedOptions {
  readonly lockTimeout: number
  readonly backup?: boolean
  readonly allowLoss?: readonly string[]
}

export function addSharedOptions(command: Command): Command {
  return command
    .option('--wait <seconds>', 'how long to wait for another runner', parseSeconds, 60)
    .option('--allow-drift <findings>', 'go on in spite of these, in the words of the error', parseNames)
}

export function addRunOptions(command: Command): Command {
  return addSharedOptions(command)
    .option(
      '--lock-timeout <seconds>',
      'how long a statement waits for a lock before its migration is tried again; 0 for no limit',
      parseSeconds,
      5,
    )
    .option('--backup', 'write and verify an archive first, as production does by itself')
    .option('--no-backup', 'write none, whatever the environment says; the ledger remembers it')
    .option('--allow-loss <names>', 'let this be lost, in the words of the guard: `events.old_status`', parseNames)
}

export function toSharedOptions({ wait, allowDrift }: SharedOptions, output: Output, signal: AbortSignal) {
  const onProgress = (step: MigrateProgress) => showProgress(step, output)
  return { waitMs: wait * 1000, allow: allowDrift, onProgress, signal }
}

export function toRunnerOptions(
  options: RunOptions,
  output: Output,
  signal: AbortSignal,
): RunnerOptions & SafetyOptions {
  return {
    ...toSharedOptions(options, output, signal),
    lockTimeoutMs: Math.round(options.lockTimeout * 1000),
    backup: options.backup,
    allowLoss: options.allowLoss,
    onLoss: (id, losses) => showLosses(id, losses, output),
    onBackup: (path) => output.note(`archive before the first migration: ${relative('.', path)}`),
  }
}

/** What was lost with leave. */
export function showLosses(id: string, losses: readonly Loss[], output: Output): void {
  for (const loss of losses) output.note(`${id} loses, as allowed: ${describeLoss(loss)}`)
}

function showProgress(progress: MigrateProgress, output: Output): void {
  if (progress.step === 'waiting') output.note(waitingNote(progress.holder))
  else if (progress.step === 'start')
    output.progress.update(() => `${progress.id} (${progress.index + 1} of ${progress.count})`)
  else if (progress.step === 'done')
    output.progress.finish(`${progress.id}  ${output.errorStyle.dim(formatDuration(progress.durationMs))}`)
  else {
    const { id, attempt, attempts, pauseMs, suspects } = progress
    output.note(
      `${id} got no lock in time (attempt ${attempt} of ${attempts}); next attempt in ${formatDuration(pauseMs)}`,
    )
    for (const line of suspects) output.note(`  ${line}`)
  }
}
