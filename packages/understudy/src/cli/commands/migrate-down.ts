import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { requireConsent, requireTerminal } from '../confirm.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { addRunOptions, type RunOptions, toRunnerOptions } from '../migrate-options.js'
import { renderDown } from '../print/migrations.js'

interface Options extends RunOptions {
  readonly to: string
  readonly yes?: boolean
}

export function addMigrateDownCommand(migrate: Command, cli: Cli): void {
  const command = migrate
    .command('down')
    .description('Take migrations back by their own `down`, newest first; asks before it does')
    .requiredOption('--to <migration>', 'the last one that stays, by its number; `none` takes all back')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .addHelpText(
      'after',
      examples({
        'take back everything after 023': 'understudy migrate down --to 023',
        'the same in a script': 'understudy migrate down --to 023 --yes',
      }),
    )
  addRunOptions(command)
  act<Options>(command, cli, async ({ settings, output, signal, options }) => {
    if (!options.yes) requireTerminal(output, 'say `--yes`')
    const { migrateDown } = await import('../../migrate/migrate-down.js')
    const engineOptions = { ...toRunnerOptions(options, output, signal), to: options.to }
    if (!options.yes) {
      const { ids, database } = await migrateDown(settings, { ...engineOptions, isPlanOnly: true })
      const lines = [`in ${database}, in this order:`, ...ids]
      if (ids.length > 0) await requireConsent(lines, output, 'Take these back?')
    }
    const result = await migrateDown(settings, engineOptions)
    output.result(result, () => renderDown(result, output.style))
    return EXIT_CODES.done
  })
}
