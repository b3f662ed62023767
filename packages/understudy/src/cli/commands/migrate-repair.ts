import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { requireConsent, requireTerminal } from '../confirm.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { addSharedOptions, type SharedOptions, toSharedOptions } from '../migrate-options.js'
import { renderRepair } from '../print/migrations.js'

interface Options extends SharedOptions {
  readonly yes?: boolean
}

export function addMigrateRepairCommand(migrate: Command, cli: Cli): void {
  const command = migrate
    .command('repair')
    .description('Accept that files of applied migrations have another text now; runs nothing, and is recorded')
    .argument('[migrations...]', 'by number; default: all that were changed')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .addHelpText(
      'after',
      examples({
        'accept the changed text of 012': 'understudy migrate repair 012',
        'accept all changes, in a script': 'understudy migrate repair --yes',
      }),
    )
  addSharedOptions(command)
  act<Options>(command, cli, async ({ settings, output, signal, options }) => {
    if (!options.yes) requireTerminal(output, 'say `--yes`')
    const { migrateRepair } = await import('../../migrate/repair.js')
    const only = command.args.length > 0 ? command.args : undefined
    const engineOptions = { ...toSharedOptions(options, output, signal), only }
    if (!options.yes) {
      const plan = await migrateRepair(settings, { ...engineOptions, isPlanOnly: true })
      const lines = plan.accepted.map(({ id, appliedAt }) => `${id}, applied at ${appliedAt}`)
      const question = 'Is the text that they have now what was applied?'
      if (lines.length > 0) await requireConsent(lines, output, question)
    }
    const result = await migrateRepair(settings, engineOptions)
    output.result(result, () => renderRepair(result, output.style))
    return EXIT_CODES.done
  })
}
