import { Command } from 'commander'
import { TOOL_VERSION } from '../version.js'
import type { Cli } from './cli.js'
import { addAdoptCommand } from './commands/adopt.js'
import { addBackupsCommand } from './commands/backups.js'
import { addDoctorCommand } from './commands/doctor.js'
import { addExportCommand } from './commands/export.js'
import { addIdentifyCommand } from './commands/identify.js'
import { addImportCommand } from './commands/import.js'
import { addInitCommand } from './commands/init.js'
import { addInspectCommand } from './commands/inspect.js'
import { addMigrateCommand } from './commands/migrate.js'
import { addRehearseCommand } from './commands/rehearse.js'
import { addRestoreCommand } from './commands/restore.js'
import { addSyncCommand } from './commands/sync.js'
import { addUpgradeCommand } from './commands/upgrade.js'
import { addValidateCommand } from './commands/validate.js'
import { examples } from './examples.js'

/** The whole command line. Commands import their part of the engine when they run, so that `--help` answers at once. */
export function createProgram(cli: Cli): Command {
  const program = new Command('understudy')
    .description(
      'Moves content between PostgreSQL databases by identity, and evolves their schema without losing data.',
    )
    .option('--config <file>', 'the configuration, instead of the nearest understudy.config.ts')
    .option('--database <url>', 'postgres://… or pglite:<folder>, instead of DATABASE_URL and the configuration')
    .option('--json', 'print one JSON document to stdout and nothing else there')
    .option('--debug', 'print stack traces')
    .option('--no-color', 'print without colours, as NO_COLOR=1 does')
    .version(TOOL_VERSION, '--version', 'print the version')
    .helpOption('--help', 'show examples and options')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, styleTitle: (title) => cli.output.style.bold(title) })
    .configureOutput({ outputError: () => undefined, getOutHasColors: () => cli.output.style.isColorSupported })
    .exitOverride()
  addInitCommand(program, cli)
  addInspectCommand(program, cli)
  addDoctorCommand(program, cli)
  addExportCommand(program, cli)
  addImportCommand(program, cli)
  addIdentifyCommand(program, cli)
  addAdoptCommand(program, cli)
  addMigrateCommand(program, cli)
  addValidateCommand(program, cli)
  addSyncCommand(program, cli)
  addBackupsCommand(program, cli)
  addRehearseCommand(program, cli)
  addRestoreCommand(program, cli)
  addUpgradeCommand(program, cli)
  return program.addHelpText('after', examples(PROGRAM_EXAMPLES) + EXIT_CODES_HELP)
}

const PROGRAM_EXAMPLES = {
  'look at a database and write a configuration for it': 'understudy init --database postgres://localhost/shop',
  'see what travels, and how its rows are recognised': 'understudy inspect',
  'see what will work and what will not': 'understudy doctor',
  'write an archive of the content': 'understudy export',
  'see what the newest archive would change here': 'understudy import --dry-run',
  'let it': 'understudy import',
}

const EXIT_CODES_HELP = `
Exit codes:
  0 done   1 error   2 migrations pending   3 locked by somebody else   4 checks failed
  5 data would be lost   6 rehearsal failed   130 interrupted`
