import type { Command } from 'commander'
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
}

export function addSharedOptions(command: Command): Command {
  return command
    .option('--wait <seconds>', 'how long to wait for another runner', parseSeconds, 60)
    .option('--allow-drift <findings>', 'go on in spite of these, in the words of the error', parseNames)
}

export function addRunOptions(command: Command): Command {
  return addSharedOptions(command).option(
    '--lock-timeout <seconds>',
    'how long a statement waits for a lock before its migration is tried again; 0 for no limit',
    parseSeconds,
    5,
  )
}

export function toSharedOptions({ wait, allowDrift }: SharedOptions, output: Output) {
  return { waitMs: wait * 1000, allow: allowDrift, onProgress: (step: MigrateProgress) => showProgress(step, output) }
}

export function toRunnerOptions(options: RunOptions, output: Output, signal: AbortSignal): RunnerOptions {
  return { ...toSharedOptions(options, output), lockTimeoutMs: Math.round(options.lockTimeout * 1000), signal }
}

function showProgress(progress: MigrateProgress, output: Output): void {
  if (progress.step === 'waiting') output.note(waitingNote(progress.holder))
  else if (progress.step === 'start')
    output.progress.update(`${progress.id} (${progress.index + 1} of ${progress.count})`)
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
