import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { addRunOptions, type RunOptions, toRunnerOptions } from '../migrate-options.js'
import { renderMigrateResult } from '../print/migrations.js'

export function addMigrateRunCommand(migrate: Command, cli: Cli): void {
  const command = migrate
    .command('run')
    .description('Run one migration by its name, which is how a manual one is run')
    .argument('<migration>', 'its number or its whole name')
    .addHelpText(
      'after',
      examples({
        'run the manual migration 021': 'understudy migrate run 021',
        'the same by its name': 'understudy migrate run 021_seed_system_data',
      }),
    )
  addRunOptions(command)
  act<RunOptions>(command, cli, async ({ settings, output, signal, options, args: [only] }) => {
    const { migrateUp } = await import('../../migrate/migrate-up.js')
    const result = await migrateUp(settings, { ...toRunnerOptions(options, output, signal), only })
    output.result(result, () =>
      result.applied.length > 0
        ? renderMigrateResult(result, output.style)
        : [`${only} is applied already in ${result.database}`],
    )
    return EXIT_CODES.done
  })
}
