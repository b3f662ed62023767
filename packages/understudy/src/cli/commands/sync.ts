import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { SyncResult } from '../../sync/sync-content.js'
import { act, type Cli } from '../cli.js'
import { requireTerminal, withTargetName } from '../confirm.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { parseNames, parseSeconds } from '../option-values.js'
import { renderImport } from '../print/import.js'
import type { Output } from '../print/output.js'
import { type ImportFlags, MISSING_HELP, MODES, MODES_HELP, mustAsk, rowsOption, toEngineOptions } from './import.js'

interface Options extends ImportFlags {
  readonly from: string
  readonly to: string
  readonly only?: readonly string[]
  readonly exclude?: readonly string[]
  readonly keep?: string
}

export function addSyncCommand(program: Command, cli: Cli): void {
  const command = program
    .command('sync')
    .description('Bring one database’s content into another in one go: an export and an import, and no file left')
    .requiredOption('--from <url>', 'the source, postgres://… or pglite:<folder>')
    .requiredOption('--to <url>', 'the target')
    .addOption(new Option('--mode <mode>', MODES_HELP).choices(MODES).default('replace'))
    .option('--only <relations>', 'these relations alone, `*` for any characters', parseNames)
    .option('--exclude <relations>', 'all but these relations', parseNames)
    .option('--dry-run', 'show the plan and write nothing')
    .addOption(rowsOption())
    .addOption(new Option('--on-missing <policy>', MISSING_HELP).choices(['fail', 'null', 'skip', 'placeholder']))
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .option('--target-name <name>', 'the target’s name, which one marked `production` asks for')
    .option('--keep <path>', 'leave the archive there: a file, or a folder')
    .option('--wait <seconds>', 'how long to wait for another import', parseSeconds, 60)
    .addHelpText('after', examples(EXAMPLES))
  act<Options>(command, cli, async ({ output, settings, signal, options }) => {
    cli.urls.push(options.from, options.to)
    if (mustAsk(options)) requireTerminal(output)
    const { syncContent } = await import('../../sync/sync-content.js')
    const { resolveDatabaseUrl } = await import('../../config/resolve-settings.js')
    const { archive: _, ...importOptions } = toEngineOptions(undefined, options, output)
    const result = await withTargetName(output, (targetName = options.targetName) =>
      syncContent(settings, {
        ...importOptions,
        from: resolveDatabaseUrl(options.from, process.cwd()),
        to: resolveDatabaseUrl(options.to, process.cwd()),
        only: options.only,
        exclude: options.exclude,
        keep: options.keep && resolveKeep(options.keep),
        targetName,
        signal,
      }),
    )
    output.result(result, () => renderSync(result, output, mustAsk(options)))
    return EXIT_CODES.done
  })
}

function renderSync(
  { exported, imported, archivePath }: SyncResult,
  { style }: Output,
  isPlanShown: boolean,
): string[] {
  const warnings = exported.warnings.map((warning) => `${style.yellow('warning:')} ${warning}`)
  return [
    ...warnings,
    ...renderImport(imported, { style, isPlanShown }),
    ...(archivePath === null ? [] : [archivePath]),
  ]
}

/** A trailing slash says that a folder is meant, even one that does not exist yet. */
function resolveKeep(keep: string): string {
  return keep.endsWith('/') ? `${resolve(keep)}/` : resolve(keep)
}

const EXAMPLES = {
  'see what staging would change here':
    'understudy sync --from postgres://staging/shop --to pglite:./data/shop --dry-run',
  'bring it in': 'understudy sync --from postgres://staging/shop --to pglite:./data/shop',
  'keep the archive too':
    'understudy sync --from postgres://staging/shop --to postgres://localhost/shop --keep data/sync/',
}
