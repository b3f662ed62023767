import type { Command } from 'commander'
import type { Settings } from '../../config/settings.js'
import type { Database } from '../../database/port.js'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { addRunOptions, type RunOptions, toRunnerOptions } from '../migrate-options.js'
import { renderDryRun, renderMigrateResult } from '../print/migrations.js'
import type { Output } from '../print/output.js'
import { showLimits, showStep } from '../print/rehearsal.js'
import { formatDuration } from '../print/units.js'

interface Options extends RunOptions {
  readonly from?: string
  readonly to?: string
  readonly only?: string
  readonly dryRun?: boolean
  readonly rehearse?: boolean
  readonly scratchUrl?: string
}

export function addMigrateUpCommand(migrate: Command, cli: Cli): void {
  const command = migrate
    .command('up')
    .description('Run pending migrations, each in a transaction of its own')
    .option('--from <package>', 'the first package, instead of DB_MIGRATION_STARTWITH')
    .option('--to <package>', 'the last package, instead of DB_MIGRATION_ENDWITH')
    .option('--only <migration>', 'one migration by its number, a manual one too')
    .option('--dry-run', 'run them in one transaction that is rolled back, and print their SQL')
    .option('--rehearse', 'try them on a copy of the data first, and stop where that fails')
    .option('--scratch-url <url>', 'the server for that copy, instead of an embedded database')
    .addHelpText(
      'after',
      examples({
        'run everything that is pending': 'understudy migrate up',
        'stop after package B': 'understudy migrate up --to B',
        'see what would be sent to the database': 'understudy migrate up --dry-run',
        'also those that run only when they are named': 'RUN_MANUAL_MIGRATIONS=true understudy migrate up',
        'try them on a copy of the data, then run them': 'understudy migrate up --rehearse',
        'let a column go that the guard has named': 'understudy migrate up --allow-loss events.old_status',
        'against another database': 'understudy migrate up --database postgres://localhost/shop',
      }),
    )
  addRunOptions(command)
  act<Options>(command, cli, async ({ settings, output, signal, options }) => {
    const { from, to, only } = options
    const engineOptions = { ...toRunnerOptions(options, output, signal), from, to, only }
    if (options.dryRun) {
      const { migrateDryRun } = await import('../../migrate/dry-run.js')
      const result = await migrateDryRun(settings, engineOptions)
      output.result(result, () => renderDryRun(result, output.style))
      return EXIT_CODES.done
    }
    const { migrateUp } = await import('../../migrate/migrate-up.js')
    const rehearsal = options.rehearse ? await rehearsalOf({ settings, output, signal, options }) : undefined
    const result = await migrateUp(settings, { ...engineOptions, rehearse: rehearsal })
    output.result(result, () => renderMigrateResult(result, output.style))
    return EXIT_CODES.done
  })
}

interface RehearsalContext {
  readonly settings: Settings
  readonly output: Output
  readonly signal: AbortSignal
  readonly options: Options
}

async function rehearsalOf({ settings, output, signal, options }: RehearsalContext) {
  const { rehearse } = await import('../../rehearse/rehearse.js')
  const { from, to, only, scratchUrl, allowLoss, allowDrift } = options
  return async (database: Database) => {
    const { durationMs } = await rehearse(settings, {
      ...{ from, to, only, scratchUrl, allowLoss, allow: allowDrift, signal, database },
      onLimits: (limits) => showLimits(limits, output),
      onStep: (step) => showStep(step, output),
    })
    output.note(output.errorStyle.green(`the rehearsal passed in ${formatDuration(durationMs)}; now in earnest`))
  }
}
