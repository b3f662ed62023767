import { type Command, InvalidArgumentError } from 'commander'
import { act, type Cli } from '../cli.js'
import { confirmLines, requireTerminal, withTargetName } from '../confirm.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { parseSeconds } from '../option-values.js'
import { renderRestore, renderRestorePlan } from '../print/restore.js'
import { transferProgress } from '../print/transfer.js'
import { waitingNote } from '../print/waiting.js'

interface Options {
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly targetName?: string
  readonly maxRemoved: number
  readonly wait: number
}

export function addRestoreCommand(program: Command, cli: Cli): void {
  const command = program
    .command('restore')
    .description('Put the content back exactly as an archive has it, ids included; rows that came later go')
    .argument('<archive>', 'the archive’s file, or `latest` in the folder of archives')
    .option('--dry-run', 'count what would come back, be overwritten and be removed, and write nothing')
    .option('--max-removed <rows>', 'how many later rows may go', parseRows, 1000)
    .option('--target-name <name>', 'the database’s name, needed where a row would be lost')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .option('--wait <seconds>', 'how long to wait for others', parseSeconds, 60)
    .addHelpText(
      'after',
      examples({
        'see what it would do': 'understudy restore latest --dry-run',
        'do it': 'understudy restore data/sync/before.backup.tar.gz --target-name shop',
        'in a script': 'understudy restore before.backup.tar.gz --target-name shop --max-removed 20 --yes',
      }),
    )
  act<Options>(command, cli, async ({ settings, output, signal, options, args: [archive = ''] }) => {
    const mustAsk = !options.dryRun && !options.yes
    if (mustAsk) requireTerminal(output)
    const { restoreArchive } = await import('../../restore/restore-archive.js')
    const result = await withTargetName(output, (targetName = options.targetName) =>
      restoreArchive(settings, {
        archive,
        isDryRun: options.dryRun,
        maxRemoved: options.maxRemoved,
        targetName,
        confirm: mustAsk
          ? (plan) => confirmLines(renderRestorePlan(plan, output.errorStyle), output, 'Write this?')
          : undefined,
        waitMs: options.wait * 1000,
        onWait: (holder) => output.note(waitingNote(holder)),
        onProgress: transferProgress(output),
        signal,
      }),
    )
    output.result(result, () => renderRestore(result, mustAsk && result.isWritten, output.style))
    return EXIT_CODES.done
  })
}

function parseRows(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a number of rows, such as 1000')
  return Number(text)
}
