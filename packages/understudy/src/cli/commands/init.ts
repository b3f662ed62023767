import { relative } from 'node:path'
import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'

interface Options {
  readonly force?: boolean
}

export function addInitCommand(program: Command, cli: Cli): void {
  const command = program
    .command('init')
    .description('Look at a database and write a commented understudy.config.ts for it')
    .option('--force', 'write over an understudy.config.ts that exists')
    .addHelpText(
      'after',
      examples({
        'for the database of DATABASE_URL': 'understudy init',
        'for another': 'understudy init --database postgres://localhost/shop',
      }),
    )
  act<Options>(command, cli, async ({ settings, output, signal, options }) => {
    const { initConfig } = await import('../../init/init-config.js')
    const { path, inspection } = await initConfig(settings, { overwrites: options.force, signal })
    const count = inspection.warnings.length + inspection.problems.length
    output.result({ path, relations: inspection.relations.length, doubts: count }, () => [
      output.style.green(`${relative('.', path)} written from ${inspection.label}`),
      `${inspection.relations.length} relations, ${count} things to look at; \`understudy inspect\` shows them`,
    ])
    return EXIT_CODES.done
  })
}
