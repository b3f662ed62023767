import { relative } from 'node:path'
import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'

interface Options {
  readonly package?: string
  readonly ts?: boolean
}

export function addMigrateNewCommand(migrate: Command, cli: Cli): void {
  const command = migrate
    .command('new')
    .description('Write a new migration file with the next free number of its package')
    .argument('<name>', 'what it does')
    .option('--package <package>', 'the package; default: that of the last file')
    .option('--ts', 'write TypeScript; default: SQL')
    .addHelpText(
      'after',
      examples({
        'an SQL file in package C': 'understudy migrate new add_event_tags --package C',
        'a TypeScript file': 'understudy migrate new "Merge partners" --ts',
      }),
    )
  act<Options>(command, cli, async ({ settings, output, options, args: [name = ''] }) => {
    const { newMigration } = await import('../../migrate/new-migration.js')
    const made = await newMigration(settings, { name, package: options.package, kind: options.ts ? 'ts' : 'sql' })
    output.result(made, () => [relative('.', made.path)])
    if (made.before.length > 0)
      output.note(`it comes before ${made.before.join(', ')}: where those are applied, it needs an override`)
    return EXIT_CODES.done
  })
}
