import { relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { describeLoss } from '../../guard/loss.js'
import type { UpgradeResult } from '../../upgrade/upgrade-archive.js'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import type { Style } from '../print/colours.js'
import { printable } from '../print/table.js'
import { formatCount, formatDuration } from '../print/units.js'

interface Options {
  readonly out?: string
  readonly to?: string
  readonly scratchUrl?: string
}

export function addUpgradeCommand(program: Command, cli: Cli): void {
  const command = program
    .command('upgrade')
    .description('Bring an archive from an earlier level of the schema to that of today, through a scratch database')
    .argument('<archive>', 'the archive’s file, or `latest` in the folder of archives')
    .option('--out <path>', 'the new archive’s file, or the folder for it; default: the folder of archives')
    .option('--to <package>', 'the last package; default: everything that is not manual')
    .option('--scratch-url <url>', 'a server for the scratch database, instead of an embedded one')
    .addHelpText(
      'after',
      examples({
        'write a new archive beside the old one': 'understudy upgrade data/sync/spring.backup.tar.gz',
        'and import it':
          'understudy upgrade spring.backup.tar.gz --out today.backup.tar.gz && understudy import today.backup.tar.gz',
        'in one step': 'understudy import spring.backup.tar.gz --upgrade',
      }),
    )
  act<Options>(command, cli, async ({ settings, output, signal, options, args: [archive = ''] }) => {
    const { upgradeArchive } = await import('../../upgrade/upgrade-archive.js')
    const { to, out, scratchUrl } = options
    const result = await upgradeArchive(settings, {
      ...{ to, scratchUrl, signal },
      archive,
      out: out && (out.endsWith('/') ? `${resolve(out)}/` : resolve(out)),
      onMigration: (id) => output.progress.update(() => id),
    })
    output.result(result, () => renderUpgrade(result, output.style))
    return EXIT_CODES.done
  })
}

export function renderUpgrade(
  { path, migrations, losses, records, durationMs }: UpgradeResult,
  style: Style,
): string[] {
  const steps = migrations.length === 0 ? 'no migration was pending' : `through ${migrations.join(', ')}`
  return [
    ...losses.map(({ migration, loss }) => `${style.yellow('lost:')} ${migration}: ${printable(describeLoss(loss))}`),
    style.green(relative('.', path)),
    `${formatCount(records)} rows, ${steps}, in ${formatDuration(durationMs)}`,
  ]
}
