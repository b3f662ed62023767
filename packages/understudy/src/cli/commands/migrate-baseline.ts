import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { requireConsent, requireTerminal } from '../confirm.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { addSharedOptions, type SharedOptions, toSharedOptions } from '../migrate-options.js'
import { renderBaseline } from '../print/migrations.js'

interface Options extends SharedOptions {
  readonly to?: string
  readonly yes?: boolean
}

export function addMigrateBaselineCommand(migrate: Command, cli: Cli): void {
  const command = migrate
    .command('baseline')
    .description('Adopt a database that has the schema already: record migrations as applied without running them')
    .option('--to <migration>', 'the last one that the database has; default: what its own list says, or all')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .addHelpText(
      'after',
      examples({
        'adopt a database that has everything up to 020': 'understudy migrate baseline --to 020',
        'adopt one whose application keeps a list of its own': 'understudy migrate baseline',
      }),
    )
  addSharedOptions(command)
  act<Options>(command, cli, async ({ settings, output, signal, options }) => {
    if (!options.yes) requireTerminal(output, 'say `--yes`')
    const { migrateBaseline } = await import('../../migrate/baseline.js')
    const engineOptions = { ...toSharedOptions(options, output, signal), to: options.to }
    if (!options.yes) {
      const { ids, database } = await migrateBaseline(settings, { ...engineOptions, isPlanOnly: true })
      const question = 'Record these as applied, without running them?'
      if (ids.length > 0) await requireConsent([`in ${database}:`, ...ids], output, question)
    }
    const result = await migrateBaseline(settings, engineOptions)
    output.result(result, () => renderBaseline(result, output.style))
    return EXIT_CODES.done
  })
}
