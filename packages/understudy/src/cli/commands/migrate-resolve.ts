import type { Command } from 'commander'
import { UnderstudyError } from '../../errors.js'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { addSharedOptions, type SharedOptions, toSharedOptions } from '../migrate-options.js'

interface Options extends SharedOptions {
  readonly applied?: boolean
  readonly pending?: boolean
}

export function addMigrateResolveCommand(migrate: Command, cli: Cli): void {
  const command = migrate
    .command('resolve')
    .description('Say what became of a migration without a transaction that needs attention')
    .argument('<migration>', 'its number or its whole name')
    .option('--applied', 'all of it stands: somebody completed it')
    .option('--pending', 'nothing of it stands: it may run again')
    .addHelpText(
      'after',
      examples({
        'after what it had begun was dropped': 'understudy migrate resolve 024 --pending',
        'after it was completed by hand': 'understudy migrate resolve 024 --applied',
      }),
    )
  addSharedOptions(command)
  act<Options>(command, cli, async ({ settings, output, signal, options, args: [migration = ''] }) => {
    if (Boolean(options.applied) === Boolean(options.pending))
      throw new UnderstudyError('USAGE', 'either --applied or --pending is needed')
    const { migrateResolve } = await import('../../migrate/repair.js')
    const as = options.applied ? 'applied' : 'pending'
    const { id } = await migrateResolve(settings, { ...toSharedOptions(options, output, signal), migration, as })
    output.result({ id, as }, () => [`${id} counts as ${as} now`])
    return EXIT_CODES.done
  })
}
