import type { Command } from 'commander'
import type { MigrateProgress } from '../../migrate/migrate-up.js'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { parseSeconds } from '../option-values.js'
import { renderMigrateResult } from '../print/migrations.js'
import type { Output } from '../print/output.js'
import { formatDuration } from '../print/units.js'
import { waitingNote } from '../print/waiting.js'

interface Options {
  readonly from?: string
  readonly to?: string
  readonly only?: string
  readonly wait: number
}

export function addMigrateUpCommand(migrate: Command, cli: Cli): void {
  const command = migrate
    .command('up')
    .description('Run pending migrations, each in a transaction of its own')
    .option('--from <package>', 'the first package, instead of DB_MIGRATION_STARTWITH')
    .option('--to <package>', 'the last package, instead of DB_MIGRATION_ENDWITH')
    .option('--only <migration>', 'one migration by its number, a manual one too')
    .option('--wait <seconds>', 'how long to wait for another runner', parseSeconds, 60)
    .addHelpText(
      'after',
      examples({
        'run everything that is pending': 'understudy migrate up',
        'stop after package B': 'understudy migrate up --to B',
        'run a manual migration': 'understudy migrate up --only 021',
        'against another database': 'understudy migrate up --database postgres://localhost/shop',
      }),
    )
  act<Options>(command, cli, async ({ settings, output, signal, options }) => {
    const { migrateUp } = await import('../../migrate/migrate-up.js')
    const { from, to, only, wait } = options
    const onProgress = (progress: MigrateProgress) => showProgress(progress, output)
    const result = await migrateUp(settings, { from, to, only, waitMs: wait * 1000, onProgress, signal })
    output.result(result, () => renderMigrateResult(result, output.style))
    return EXIT_CODES.done
  })
}

function showProgress(progress: MigrateProgress, output: Output): void {
  if (progress.step === 'waiting') output.note(waitingNote(progress.holder))
  else if (progress.step === 'start')
    output.progress.update(`${progress.id} (${progress.index + 1} of ${progress.count})`)
  else output.progress.finish(`${progress.id}  ${output.errorStyle.dim(formatDuration(progress.durationMs))}`)
}
