import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { parseJobs, parseNames, parseSeconds } from '../option-values.js'
import { renderExport, renderFileset } from '../print/export.js'
import { transferProgress } from '../print/transfer.js'
import { waitingNote } from '../print/waiting.js'
import { favourMainThread } from '../thread-priority.js'

interface Options {
  readonly out?: string
  readonly only?: readonly string[]
  readonly exclude?: readonly string[]
  readonly format: 'archive' | 'csv'
  readonly layout?: 'archive' | 'folders'
  readonly jobs?: number
  readonly wait: number
  readonly backup?: boolean
}

export function addExportCommand(program: Command, cli: Cli): void {
  const command = program
    .command('export')
    .description('Write the content into an archive')
    .option('--out <path>', 'the archive’s file, or the folder for it; default: the folder of archives')
    .option('--only <relations>', 'these relations alone, `*` for any characters', parseNames)
    .option('--exclude <relations>', 'all but these relations', parseNames)
    .addOption(new Option('--format <format>', FORMAT_HELP).choices(['archive', 'csv']).default('archive'))
    .addOption(new Option('--layout <layout>', LAYOUT_HELP).choices(['archive', 'folders']).default('archive'))
    .option('--backup', 'everything, nothing masked or left out, at whatever level the schema is')
    .option('-j, --jobs <number>', 'how many relations are read side by side', parseJobs)
    .option('--wait <seconds>', 'how long to wait for a migration that holds a table', parseSeconds, 60)
    .addHelpText(
      'after',
      examples({
        'write data/sync/<timestamp>.backup.tar.gz': 'understudy export',
        'into a file': 'understudy export --out before-the-change.backup.tar.gz',
        'two relations and all that belong to the shop': "understudy export --only users,posts,'shop.*'",
        'everything but logs': "understudy export --exclude '*_log'",
        'as a folder of CSV files': 'understudy export --format csv --out ./fileset',
        'data/users/<timestamp>.json and so on, too': 'understudy export --layout folders',
        'the whole database, to be restored as it is': 'understudy export --backup',
        'the path, for a script': 'understudy export --json | jq -r .path',
      }),
    )
  act<Options>(command, cli, async ({ settings, output, signal, options }) => {
    if (options.format === 'csv') {
      const { exportFileset } = await import('../../fileset/export-fileset.js')
      const { only, exclude } = options
      const out = options.out && resolve(options.out)
      const result = await exportFileset(settings, { out, only, exclude, signal })
      output.result(result, () => renderFileset(result, output.style))
      return EXIT_CODES.done
    }
    const { exportContent } = await import('../../export/export-content.js')
    await favourMainThread()
    const { only, exclude, layout, jobs, wait, backup } = options
    const result = await exportContent(settings, {
      out: options.out && resolveOut(options.out),
      only,
      exclude,
      layout,
      jobs,
      waitMs: wait * 1000,
      onWait: (holder) => output.note(waitingNote(holder)),
      purpose: backup ? 'backup' : 'transfer',
      signal,
      onProgress: transferProgress(output),
    })
    output.result(result, () => renderExport(result, output.style))
    return EXIT_CODES.done
  })
}

const FORMAT_HELP = 'csv: a folder of CSV files, which `understudy import` takes like an archive'
const LAYOUT_HELP = 'folders: write each relation’s document beside the archive too'

/** A trailing slash says that a folder is meant, even one that does not exist yet. */
function resolveOut(out: string): string {
  return out.endsWith('/') ? `${resolve(out)}/` : resolve(out)
}
