import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'

interface Options {
  readonly force?: boolean
}

export function addInitCommand(program: Command, cli: Cli): void {
  const command = program
    .command('init')
    .description('Look at a database and write a commented understudy.config.ts for it')
    .option('--force', 'overwrite a configuration that exists')
    .addHelpText(
      'after',
      examples({
        'for the database of DATABASE_URL': 'understudy init',
        'for another': 'understudy init --database postgres://localhost/shop',
      }),
    )
  act<Options>(command, cli, async () => 0)
}
