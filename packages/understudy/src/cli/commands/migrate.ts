import type { Command } from 'commander'
import type { Cli } from '../cli.js'
import { examples } from '../examples.js'
import { addMigrateStatusCommand } from './migrate-status.js'
import { addMigrateUpCommand } from './migrate-up.js'

export function addMigrateCommand(program: Command, cli: Cli): void {
  const migrate = program
    .command('migrate')
    .description('Evolve the schema by the files in the migrations folder')
    .addHelpText(
      'after',
      examples({ 'run what is pending': 'understudy migrate up', 'see what is': 'understudy migrate status' }),
    )
  addMigrateUpCommand(migrate, cli)
  addMigrateStatusCommand(migrate, cli)
}
