import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { parseNames } from '../option-values.js'
import { renderRehearsal, showLimits, showStep } from '../print/rehearsal.js'

interface Options {
  readonly from?: string
  readonly to?: string
  readonly only?: string
  readonly scratchUrl?: string
  readonly allowLoss?: readonly string[]
}

export function addRehearseCommand(program: Command, cli: Cli): void {
  const command = program
    .command('rehearse')
    .description('Try the pending migrations on a copy of the data; exit code 6 when that fails')
    .argument('[archive]', 'an archive, or `latest`; default: the database as it is now')
    .option('--from <package>', 'the first package')
    .option('--to <package>', 'the last package')
    .option('--only <migration>', 'one migration by its number, a manual one too')
    .option('--scratch-url <url>', 'a server for the copy, instead of an embedded database')
    .option('--allow-loss <names>', 'let this be lost, in the words of the guard: `events.old_status`', parseNames)
    .addHelpText(
      'after',
      examples({
        'try everything that is pending': 'understudy rehearse',
        'on the data of last night, up to package E': 'understudy rehearse data/sync/nightly.backup.tar.gz --to E',
        'on a server, where extensions and collations are the same':
          'understudy rehearse --scratch-url postgres://localhost/postgres',
      }),
    )
  act<Options>(command, cli, async ({ settings, output, signal, options, args: [archive] }) => {
    const { rehearse } = await import('../../rehearse/rehearse.js')
    const { from, to, only, scratchUrl, allowLoss } = options
    const rehearsal = await rehearse(settings, {
      ...{ from, to, only, scratchUrl, allowLoss, signal },
      archive,
      onLimits: (limits) => showLimits(limits, output),
      onStep: (step) => showStep(step, output),
    })
    output.result(rehearsal, () => renderRehearsal(rehearsal, output.style))
    return EXIT_CODES.done
  })
}
