import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { renderMigrationStatus } from '../print/migrations.js'

export function addMigrateStatusCommand(migrate: Command, cli: Cli): void {
  const command = migrate
    .command('status')
    .description(
      'Show what is applied and what is pending; exit code 2 when something is, 4 when files and ledger disagree',
    )
    .addHelpText(
      'after',
      examples({
        'see where this database stands': 'understudy migrate status',
        'in a script: migrate where something is pending':
          'understudy migrate status || [ $? -ne 2 ] || understudy migrate up',
      }),
    )
  act(command, cli, async ({ settings, output, signal }) => {
    const { migrationStatus } = await import('../../migrate/migration-status.js')
    const status = await migrationStatus(settings, { signal })
    output.result(status, () => renderMigrationStatus(status, output.style))
    if (status.problemCount > 0) return EXIT_CODES.invalid
    return status.pendingCount > 0 ? EXIT_CODES.pending : EXIT_CODES.done
  })
}
