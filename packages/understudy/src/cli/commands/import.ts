import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { MissingPolicy } from '../../config/define-config.js'
import type { Settings } from '../../config/settings.js'
import { UnderstudyError } from '../../errors.js'
import type { ImportOptions } from '../../import/import-content.js'
import { act, type Cli } from '../cli.js'
import { confirmLines, confirmPlan, requireTerminal, withTargetName } from '../confirm.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { parseRows, parseSeconds } from '../option-values.js'
import { renderImport } from '../print/import.js'
import type { Output } from '../print/output.js'
import { transferProgress } from '../print/transfer.js'
import { waitingNote } from '../print/waiting.js'
import { renderUpgrade } from './upgrade.js'

/** What the commands that import have in common. */
export interface ImportFlags {
  readonly mode: (typeof MODES)[number]
  readonly dryRun?: boolean
  readonly rows?: number
  readonly onMissing?: MissingPolicy
  readonly yes?: boolean
  readonly targetName?: string
  readonly fromPackage?: string
  readonly toPackage?: string
  readonly report?: string
  readonly wait: number
  readonly asItIs?: boolean
}

interface Options extends ImportFlags {
  readonly upgrade?: boolean
  readonly scratchUrl?: string
}

export function addImportCommand(program: Command, cli: Cli): void {
  const command = program
    .command('import')
    .description('Bring an archive’s content into the database: shows the plan and asks before it writes')
    .argument('[archive]', ARCHIVE_HELP, 'latest')
    .addOption(new Option('--mode <mode>', MODES_HELP).choices(MODES).default('replace'))
    .option('--dry-run', 'show the plan and write nothing')
    .addOption(rowsOption())
    .addOption(new Option('--on-missing <policy>', MISSING_HELP).choices(['fail', 'null', 'skip', 'placeholder']))
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .option('--from-package <name>', 'the first data package to take part; its name, or the beginning of it')
    .option('--to-package <name>', 'the last one')
    .option('--target-name <name>', 'the database’s name, which one marked `production` asks for')
    .option('--upgrade', 'bring an archive of an earlier level of the schema to this level first')
    .option('--as-it-is', 'import an archive of an earlier level as it is')
    .option('--scratch-url <url>', 'a server for the upgrade, instead of an embedded database')
    .option('--report <file>', 'write plan, problems and result as JSON into a file, whatever comes of it')
    .option('--wait <seconds>', 'how long to wait for another import', parseSeconds, 60)
    .addHelpText('after', examples(EXAMPLES))
  act<Options>(command, cli, async ({ settings, output, signal, options, args: [archive] }) => {
    if (mustAsk(options)) requireTerminal(output)
    const { importContent } = await import('../../import/import-content.js')
    let meant = archive
    const onArchive = (path: string) => {
      meant = path
    }
    const engineOptions = { ...toEngineOptions(archive, options, output), onArchive, signal }
    const run = (upgraded?: string) =>
      withTargetName(output, (targetName = options.targetName) =>
        importContent(settings, { ...engineOptions, archive: upgraded ?? engineOptions.archive, targetName }),
      )
    const result = await run().catch(async (error: unknown) => {
      const upgraded = await offerUpgrade(error, { settings, output, signal, options, archive: meant })
      return await run(upgraded)
    })
    output.result(result, () => renderImport(result, { style: output.style, isPlanShown: mustAsk(options) }))
    return EXIT_CODES.done
  })
}

/** `--rows` alone names twenty. */
export function rowsOption(): Option {
  return new Option('--rows [n]', ROWS_HELP).argParser(parseRows).preset('20')
}

export function mustAsk({ dryRun, yes }: ImportFlags): boolean {
  return !dryRun && !yes
}

export function toEngineOptions(archive: string | undefined, options: ImportFlags, output: Output): ImportOptions {
  return {
    archive: archive ?? 'latest',
    mode: options.mode,
    onMissing: options.onMissing,
    isDryRun: options.dryRun,
    rows: options.rows,
    packages: { from: options.fromPackage, to: options.toPackage },
    confirm: mustAsk(options) ? (plan) => confirmPlan(plan, output) : undefined,
    report: options.report && resolve(options.report),
    acceptsOlderLevel: options.asItIs,
    waitMs: options.wait * 1000,
    onWait: (holder) => output.note(waitingNote(holder)),
    onProgress: transferProgress(output),
  }
}

interface UpgradeContext {
  readonly settings: Settings
  readonly output: Output
  readonly signal: AbortSignal
  readonly options: Options
  readonly archive: string | undefined
}

/** An archive of an earlier level is brought to this one, with `--upgrade` or where somebody can be asked; any other error stays. */
async function offerUpgrade(error: unknown, context: UpgradeContext): Promise<string> {
  const { settings, output, signal, options, archive } = context
  if (!(error instanceof UnderstudyError) || error.code !== 'ARCHIVE_LEVEL_OLDER') throw error
  if (!options.upgrade) {
    if (!output.canAsk || options.yes) throw error
    const lines = [error.message, error.detail ?? '']
    if (!(await confirmLines(lines, output, 'Bring it to this level first?'))) throw error
  }
  const { upgradeArchive } = await import('../../upgrade/upgrade-archive.js')
  const result = await upgradeArchive(settings, {
    archive: archive ?? 'latest',
    scratchUrl: options.scratchUrl,
    signal,
    onMigration: (id) => output.progress.update(() => id),
  })
  output.note(renderUpgrade(result, output.errorStyle).join('\n'))
  return result.path
}

const ARCHIVE_HELP =
  'the archive’s file, or its name in the folder of archives, or `latest` for the newest one there that this database has not written itself; or a fileset’s folder'
export const MODES = ['init', 'replace'] as const
export const MODES_HELP =
  'init: into a database without content of its own; replace: the archive wins for every row it has'
export const MISSING_HELP = 'what happens to a row whose reference finds no target; default: as configured, or fail'
const ROWS_HELP =
  'name the rows of the plan too, and what changes in them: up to 20, or n, of each relation and kind of change'

const EXAMPLES = {
  'see what the newest archive from elsewhere would change': 'understudy import --dry-run',
  'and which rows, up to a hundred of each kind': 'understudy import --dry-run --rows 100',
  'bring it in, after a look at the plan': 'understudy import',
  'one that this database wrote itself, on purpose; see `restore` too':
    'understudy import 2026-11-22T10-30-00-123Z.backup.tar.gz --dry-run',
  'fill an empty database': 'understudy import content.backup.tar.gz --mode init',
  'a folder of CSV or JSON files': 'understudy import ./fileset --mode replace',
  'in a script': 'understudy import --yes --report import.json',
  'every row that would be refused':
    "understudy import --dry-run --report plan.json || jq '.problems[].cases' plan.json",
  'only some of the configured data packages': 'understudy import --from-package datB --to-package datD',
  'into production': 'understudy import --target-name shop',
  'of an earlier level of the schema': 'understudy import spring.backup.tar.gz --upgrade',
  'leave references empty that find no target': 'understudy import --on-missing null',
}
