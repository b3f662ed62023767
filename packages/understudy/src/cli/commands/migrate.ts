import type { Command } from 'commander'
import type { Cli } from '../cli.js'
import { examples } from '../examples.js'
import { addMigrateArchivedCommand } from './migrate-archived.js'
import { addMigrateBaselineCommand } from './migrate-baseline.js'
import { addMigrateDownCommand } from './migrate-down.js'
import { addMigrateNewCommand } from './migrate-new.js'
import { addMigrateRepairCommand } from './migrate-repair.js'
import { addMigrateResolveCommand } from './migrate-resolve.js'
import { addMigrateRunCommand } from './migrate-run.js'
import { addMigrateStatusCommand } from './migrate-status.js'
import { addMigrateUpCommand } from './migrate-up.js'
import { addMigrateVerifyCommand } from './migrate-verify.js'

export function addMigrateCommand(program: Command, cli: Cli): void {
  const migrate = program
    .command('migrate')
    .description('Evolve the schema by the files in the migrations folder')
    .addHelpText(
      'after',
      examples({
        'see what is applied and what is pending': 'understudy migrate status',
        'run what is pending': 'understudy migrate up',
        'begin a new migration': 'understudy migrate new add_event_tags',
      }),
    )
  addMigrateUpCommand(migrate, cli)
  addMigrateStatusCommand(migrate, cli)
  addMigrateNewCommand(migrate, cli)
  addMigrateRunCommand(migrate, cli)
  addMigrateDownCommand(migrate, cli)
  addMigrateVerifyCommand(migrate, cli)
  addMigrateRepairCommand(migrate, cli)
  addMigrateResolveCommand(migrate, cli)
  addMigrateBaselineCommand(migrate, cli)
  addMigrateArchivedCommand(migrate, cli)
}
