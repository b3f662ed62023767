import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { addRunOptions, type RunOptions, toRunnerOptions } from '../migrate-options.js'
import { renderDryRun, renderMigrateResult } from '../print/migrations.js'

interface Options extends RunOptions {
  readonly from?: string
  readonly to?: string
  readonly only?: string
  readonly dryRun?: boolean
}

export function addMigrateUpCommand(migrate: Command, cli: Cli): void {
  const command = migrate
    .command('up')
    .description('Run pending migrations, each in a transaction of its own')
    .option('--from <package>', 'the first package, instead of DB_MIGRATION_STARTWITH')
    .option('--to <package>', 'the last package, instead of DB_MIGRATION_ENDWITH')
    .option('--only <migration>', 'one migration by its number, a manual one too')
    .option('--dry-run', 'run them in one transaction that is rolled back, and print their SQL')
    .addHelpText(
      'after',
      examples({
        'run everything that is pending': 'understudy migrate up',
        'stop after package B': 'understudy migrate up --to B',
        'see what would be sent to the database': 'understudy migrate up --dry-run',
        'also those that run only when they are named': 'RUN_MANUAL_MIGRATIONS=true understudy migrate up',
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
    const result = await migrateUp(settings, engineOptions)
    output.result(result, () => renderMigrateResult(result, output.style))
    return EXIT_CODES.done
  })
}
