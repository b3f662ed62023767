import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { addRunOptions, type RunOptions, toRunnerOptions } from '../migrate-options.js'
import { renderMigrateResult } from '../print/migrations.js'

export function addMigrateArchivedCommand(migrate: Command, cli: Cli): void {
  const command = migrate
    .command('archived')
    .description('Run archived data seeds, which run with no other command; each once')
    .argument('[migration]', 'one of them by its number; default: all that have not run')
    .addHelpText(
      'after',
      examples({
        'run all of them': 'understudy migrate archived',
        'run one': 'understudy migrate archived 022',
        'see which have run': 'understudy migrate status',
      }),
    )
  addRunOptions(command)
  act<RunOptions>(command, cli, async ({ settings, output, signal, options, args: [only] }) => {
    const { migrateArchived } = await import('../../migrate/migrate-archived.js')
    const result = await migrateArchived(settings, { ...toRunnerOptions(options, output, signal), only })
    output.result(result, () => renderMigrateResult(result, output.style))
    return EXIT_CODES.done
  })
}
