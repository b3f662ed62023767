import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { renderDiagnosis } from '../print/diagnosis.js'

export function addDoctorCommand(program: Command, cli: Cli): void {
  const command = program
    .command('doctor')
    .description('Say what will work with a database and what will not, before it is needed; writes nothing')
    .addHelpText(
      'after',
      examples({
        'look at the configured database': 'understudy doctor',
        'before the first import into another one': 'understudy doctor --database postgres://importer@db.example/shop',
        'what a role lacks, for its owner':
          'understudy doctor --json | jq -r \'.findings[] | select(.state == "bad").remedy\'',
        'in a script': 'understudy doctor && understudy import --yes',
      }),
    )
  act<object>(command, cli, async ({ settings, output, signal }) => {
    const { examineDatabase } = await import('../../doctor/examine-database.js')
    const diagnosis = await examineDatabase(settings, { signal })
    output.result(diagnosis, () => renderDiagnosis(diagnosis, output.style))
    return Object.values(diagnosis.works).every(Boolean) ? EXIT_CODES.done : EXIT_CODES.invalid
  })
}
