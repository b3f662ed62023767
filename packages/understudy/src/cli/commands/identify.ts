import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { confirmLines } from '../confirm.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { parseSeconds } from '../option-values.js'
import { renderIdentities } from '../print/identities.js'
import { waitingNote } from '../print/waiting.js'

interface Options {
  readonly fill?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly wait: number
}

export function addIdentifyCommand(program: Command, cli: Cli): void {
  const command = program
    .command('identify')
    .description(
      'List rows without an identity, which stop every export, and fill their identities; exit code 4 where some are left',
    )
    .argument('[relations...]', 'these relations alone, `*` for any characters')
    .option('--fill <template>', FILL_HELP)
    .option('--dry-run', 'show what would be filled and write nothing, which is the default without a terminal')
    .option('--yes', 'fill without asking')
    .option('--wait <seconds>', 'how long to wait for another run', parseSeconds, 60)
    .addHelpText('after', examples(EXAMPLES))
  act<Options>(command, cli, async ({ settings, output, signal, options, args: [only] }) => {
    const { identifyRows } = await import('../../identify/identify-rows.js')
    const mustAsk = !options.dryRun && !options.yes && output.canAsk
    const result = await identifyRows(settings, {
      only: only as readonly string[] | undefined,
      fill: options.fill,
      isDryRun: options.dryRun || (!options.yes && !mustAsk),
      confirm: mustAsk ? (planned) => confirmLines(renderIdentities(planned, output.errorStyle), output) : undefined,
      waitMs: options.wait * 1000,
      onWait: (holder) => output.note(waitingNote(holder)),
      signal,
    })
    output.result(result, () => renderIdentities(result, output.style))
    return result.relations.length > 0 && !result.isWritten ? EXIT_CODES.invalid : EXIT_CODES.done
  })
}

const FILL_HELP =
  'what they get: text, and in braces columns or other SQL expressions over the row; also {table}, {schema}, {uuid} and {instance}, eight digits that only this database has. An id alone is not enough: other databases number their rows alike'

const EXAMPLES = {
  'see which rows have none': 'understudy identify',
  'see what they would get': "understudy identify --fill '{table}.{uuid}' --dry-run",
  'name rows of one relation by another column': "understudy identify posts --fill 'post.{lower(slug)}'",
  'name local rows by their ids': "understudy identify users --fill '_{instance}.user_{id}'",
  'in a script': "understudy identify --fill '{uuid}' --yes",
}
