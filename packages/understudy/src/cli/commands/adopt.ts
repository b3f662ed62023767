import { type Command, Option } from 'commander'
import type { AdoptionKind } from '../../adopt/adopt-database.js'
import { UnderstudyError } from '../../errors.js'
import { act, type Cli } from '../cli.js'
import { confirmLines, requireTerminal } from '../confirm.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { parseSeconds } from '../option-values.js'
import { renderAdoption } from '../print/adoption.js'
import { transferProgress } from '../print/transfer.js'
import { waitingNote } from '../print/waiting.js'

interface Options {
  readonly asCopy?: boolean
  readonly asOriginal?: boolean
  readonly by?: 'primary-key'
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly wait: number
}

export function addAdoptCommand(program: Command, cli: Cli): void {
  const command = program
    .command('adopt')
    .description(DESCRIPTION)
    .argument(
      '[archive]',
      'with `--by primary-key`: the other database’s, `latest` unless named; see `--as-original` too',
    )
    .option('--as-copy', COPY_HELP)
    .option('--as-original', ORIGINAL_HELP)
    .addOption(new Option('--by <key>', KEY_HELP).choices(['primary-key']))
    .option('--dry-run', 'show what would be recorded and write nothing')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .option('--wait <seconds>', 'how long to wait for another run', parseSeconds, 60)
    .addHelpText('after', examples(EXAMPLES))
  act<Options>(command, cli, async ({ settings, output, signal, options, args: [archive] }) => {
    const how = kindOf(options)
    const mustAsk = !options.dryRun && !options.yes
    if (mustAsk) requireTerminal(output)
    const { adoptDatabase } = await import('../../adopt/adopt-database.js')
    const adoption = await adoptDatabase(settings, {
      how,
      archive,
      isDryRun: options.dryRun,
      confirm: mustAsk ? (planned) => confirmLines(renderAdoption(planned, output.errorStyle), output) : undefined,
      waitMs: options.wait * 1000,
      onWait: (holder) => output.note(waitingNote(holder)),
      onProgress: transferProgress(output),
      signal,
    })
    output.result(adoption, () => renderAdoption(adoption, output.style))
    return EXIT_CODES.done
  })
}

function kindOf({ asCopy, asOriginal, by }: Options): AdoptionKind {
  const chosen: AdoptionKind[] = []
  if (asCopy) chosen.push('as-copy')
  if (asOriginal) chosen.push('as-original')
  if (by) chosen.push('by-primary-key')
  const [how] = chosen
  if (how !== undefined && chosen.length === 1) return how
  throw new UnderstudyError('USAGE', 'say one of --as-copy, --as-original and --by primary-key', {
    hint: 'See `understudy adopt --help` for what each one means.',
  })
}

const DESCRIPTION =
  'Say what this database is to another that it shares rows with: rows without a natural key are known by where they were born, which a copy, a restore or a common past blurs. Writes the registry only'
const COPY_HELP =
  'this is a copy of a database that lives on: it gets an id of its own, and both go on knowing the rows that they share; say it before the copy gets rows of its own'
const ORIGINAL_HELP =
  'this is the database itself, moved, restored in place or upgraded, and no other goes by its id; an archive that is named is its own, written in a state that is lost'
const KEY_HELP =
  'this and the archive’s source descend from one database: rows with the same primary key are the same. Rows that both sides made since then under one key would be mixed up'

const EXAMPLES = {
  'after `createdb --template shop staging`, or pg_dump and pg_restore, in the copy':
    'understudy adopt --as-copy --database postgres://localhost/staging',
  'after the server was upgraded, or the database restored': 'understudy adopt --as-original',
  'see how many rows of the newest archive have their equal here': 'understudy adopt --by primary-key --dry-run',
  'declare them the same': 'understudy adopt --by primary-key shop.backup.tar.gz',
}
