import { resolve } from 'node:path'
import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { parseJobs, parseNames } from '../option-values.js'
import { renderExport } from '../print/export.js'
import { transferProgress } from '../print/transfer.js'

interface Options {
  readonly out?: string
  readonly only?: readonly string[]
  readonly exclude?: readonly string[]
  readonly jobs?: number
  readonly backup?: boolean
}

export function addExportCommand(program: Command, cli: Cli): void {
  const command = program
    .command('export')
    .description('Write the content into an archive')
    .option('--out <path>', 'the archive’s file, or the folder for it; default: the folder of archives')
    .option('--only <relations>', 'these relations alone, `*` for any characters', parseNames)
    .option('--exclude <relations>', 'all but these relations', parseNames)
    .option('--backup', 'everything, nothing masked or left out, at whatever level the schema is')
    .option('-j, --jobs <number>', 'how many relations are read side by side', parseJobs)
    .addHelpText(
      'after',
      examples({
        'write data/sync/<timestamp>.backup.tar.gz': 'understudy export',
        'into a file': 'understudy export --out before-the-change.backup.tar.gz',
        'two relations and all that belong to the shop': "understudy export --only users,posts,'shop.*'",
        'everything but logs': "understudy export --exclude '*_log'",
        'the whole database, to be restored as it is': 'understudy export --backup',
        'the path, for a script': 'understudy export --json | jq -r .path',
      }),
    )
  act<Options>(command, cli, async ({ settings, output, signal, options }) => {
    const { exportContent } = await import('../../export/export-content.js')
    const { only, exclude, jobs, backup } = options
    const result = await exportContent(settings, {
      out: options.out && resolveOut(options.out),
      only,
      exclude,
      jobs,
      purpose: backup ? 'backup' : 'transfer',
      signal,
      onProgress: transferProgress(output),
    })
    output.result(result, () => renderExport(result, output.style))
    return EXIT_CODES.done
  })
}

/** A trailing slash says that a folder is meant, even one that does not exist yet. */
function resolveOut(out: string): string {
  return out.endsWith('/') ? `${resolve(out)}/` : resolve(out)
}
