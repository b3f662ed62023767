import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { MissingPolicy } from '../../config/define-config.js'
import { UnderstudyError } from '../../errors.js'
import type { ImportOptions } from '../../import/import-content.js'
import { act, type Cli } from '../cli.js'
import { askTargetName, confirmPlan, requireTerminal } from '../confirm.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { parseSeconds } from '../option-values.js'
import { renderImport } from '../print/import.js'
import type { Output } from '../print/output.js'
import { transferProgress } from '../print/transfer.js'
import { waitingNote } from '../print/waiting.js'

/** What the commands that import have in common. */
export interface ImportFlags {
  readonly mode: (typeof MODES)[number]
  readonly dryRun?: boolean
  readonly onMissing?: MissingPolicy
  readonly yes?: boolean
  readonly targetName?: string
  readonly fromPackage?: string
  readonly toPackage?: string
  readonly report?: string
  readonly wait: number
}

interface Options extends ImportFlags {
  readonly report?: string
}

export function addImportCommand(program: Command, cli: Cli): void {
  const command = program
    .command('import')
    .description('Bring an archive’s content into the database: shows the plan and asks before it writes')
    .argument('[archive]', 'the archive’s file, a fileset’s folder, or `latest` in the folder of archives', 'latest')
    .addOption(new Option('--mode <mode>', MODES_HELP).choices(MODES).default('replace'))
    .option('--dry-run', 'show the plan and write nothing')
    .addOption(new Option('--on-missing <policy>', MISSING_HELP).choices(['fail', 'null', 'skip', 'placeholder']))
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .option('--from-package <name>', 'the first data package to take part; its name, or the beginning of it')
    .option('--to-package <name>', 'the last one')
    .option('--target-name <name>', 'the database’s name, which one marked `production` asks for')
    .option('--report <file>', 'write plan, problems and result as JSON into a file, whatever comes of it')
    .option('--wait <seconds>', 'how long to wait for another import', parseSeconds, 60)
    .addHelpText('after', examples(EXAMPLES))
  act<Options>(command, cli, async ({ settings, output, signal, options, args: [archive] }) => {
    if (mustAsk(options)) requireTerminal(output)
    const { importContent } = await import('../../import/import-content.js')
    const engineOptions = { ...toEngineOptions(archive, options, output), signal }
    const result = await withTargetName(output, (targetName = options.targetName) =>
      importContent(settings, { ...engineOptions, targetName }),
    )
    output.result(result, () => renderImport(result, { style: output.style, isPlanShown: mustAsk(options) }))
    return EXIT_CODES.done
  })
}

export function mustAsk({ dryRun, yes }: ImportFlags): boolean {
  return !dryRun && !yes
}

export function toEngineOptions(archive: string | undefined, options: ImportFlags, output: Output): ImportOptions {
  return {
    archive: archive === undefined || archive === 'latest' ? 'latest' : resolve(archive),
    mode: options.mode,
    onMissing: options.onMissing,
    isDryRun: options.dryRun,
    packages: { from: options.fromPackage, to: options.toPackage },
    confirm: mustAsk(options) ? (plan) => confirmPlan(plan, output) : undefined,
    report: options.report && resolve(options.report),
    waitMs: options.wait * 1000,
    onWait: (holder) => output.note(waitingNote(holder)),
    onProgress: transferProgress(output),
  }
}

/** Where a database wants its name and somebody can type it, it is asked for. */
export async function withTargetName<T>(output: Output, run: (targetName?: string) => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const isWanted = error instanceof UnderstudyError && error.code === 'TARGET_NAME_REQUIRED'
    if (!isWanted || !output.canAsk) throw error
    return await run(await askTargetName(error, output))
  }
}

export const MODES = ['init', 'replace'] as const
export const MODES_HELP =
  'init: into a database without content of its own; replace: the archive wins for every row it has'
export const MISSING_HELP = 'what happens to a row whose reference finds no target; default: as configured, or fail'

const EXAMPLES = {
  'see what the newest archive would change': 'understudy import --dry-run',
  'bring it in, after a look at the plan': 'understudy import',
  'fill an empty database': 'understudy import content.backup.tar.gz --mode init',
  'a folder of CSV or JSON files': 'understudy import ./fileset --mode replace',
  'in a script': 'understudy import --yes --report import.json',
  'every row that would be refused':
    "understudy import --dry-run --report plan.json || jq '.problems[].cases' plan.json",
  'only some of the configured data packages': 'understudy import --from-package datB --to-package datD',
  'into production': 'understudy import --target-name shop',
  'leave references empty that find no target': 'understudy import --on-missing null',
}
