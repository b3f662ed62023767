import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { renderInspection } from '../print/inspection.js'

interface Options {
  readonly profile?: boolean
}

export function addInspectCommand(program: Command, cli: Cli): void {
  const command = program
    .command('inspect')
    .description('Show how each relation’s rows are recognised, what refers to what, and what is doubtful')
    .option('--profile', 'look at the rows too, and propose keys')
    .addHelpText(
      'after',
      examples({
        'see what would travel': 'understudy inspect',
        'find keys in the rows of relations that declare none': 'understudy inspect --profile',
        'the relations that are recognised by their origin only':
          'understudy inspect --json | jq \'.relations[] | select(.identity.kind == "origin").relation\'',
      }),
    )
  act<Options>(command, cli, async ({ settings, output, signal, options }) => {
    const { inspectDatabase } = await import('../../inspect/inspect-database.js')
    const inspection = await inspectDatabase(settings, { profile: options.profile, signal })
    output.result(inspection, () => renderInspection(inspection, output))
    return inspection.problems.length > 0 ? EXIT_CODES.invalid : EXIT_CODES.done
  })
}
