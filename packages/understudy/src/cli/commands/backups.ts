import { type Command, InvalidArgumentError } from 'commander'
import { act, type Cli } from '../cli.js'
import { confirmPrune, requireTerminal } from '../confirm.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { renderBackup, renderBackups, renderPrune } from '../print/backups.js'

export function addBackupsCommand(program: Command, cli: Cli): void {
  const backups = program
    .command('backups')
    .description('List, describe, verify and clear away the archives in the folder of archives')
    .addHelpText(
      'after',
      examples({
        'see what there is': 'understudy backups list',
        'see what the newest one holds': 'understudy backups show',
        'read all of them against their checksums': 'understudy backups verify',
        'remove old ones': 'understudy backups prune --keep 7 --keep-days 30',
      }),
    )
  addList(backups, cli)
  addShow(backups, cli)
  addVerify(backups, cli)
  addPrune(backups, cli)
}

function addList(backups: Command, cli: Cli): void {
  const command = backups.command('list').description('List the archives, newest first')
  command.addHelpText(
    'after',
    examples({ 'the paths, for a script': "understudy backups list --json | jq -r '.[].path'" }),
  )
  act(command, cli, async ({ settings, output }) => {
    const { listBackups } = await import('../../backups/list-backups.js')
    const found = await listBackups(settings)
    output.result(found, () => renderBackups(found, settings.archives, output.style))
    return EXIT_CODES.done
  })
}

function addShow(backups: Command, cli: Cli): void {
  const command = backups
    .command('show')
    .description('Describe one archive: where it comes from and what it holds')
    .argument('[archive]', 'a path, a name in the folder of archives, or `latest`', 'latest')
    .addHelpText('after', examples({ 'the newest one': 'understudy backups show' }))
  act(command, cli, async ({ settings, output, args: [archive] }) => {
    const { showBackup } = await import('../../backups/list-backups.js')
    const backup = await showBackup(settings, archive)
    output.result(backup, () => renderBackup(backup, output.style))
    return EXIT_CODES.done
  })
}

function addVerify(backups: Command, cli: Cli): void {
  const command = backups
    .command('verify')
    .description('Read archives to their ends against their checksums; exit code 4 where one is damaged')
    .argument('[archive]', 'a path, a name in the folder of archives, or `latest`; default: all of the folder')
    .addHelpText('after', examples({ 'all of them, in a nightly job': 'understudy backups verify --json' }))
  act(command, cli, async ({ settings, output, signal, args: [archive] }) => {
    const { verifyBackups } = await import('../../backups/list-backups.js')
    const found = await verifyBackups(settings, archive === undefined ? [] : [archive], { signal })
    output.result(found, () => renderBackups(found, settings.archives, output.style))
    return found.some(({ problem }) => problem !== null) ? EXIT_CODES.invalid : EXIT_CODES.done
  })
}

interface PruneOptions {
  readonly keep: number
  readonly keepDays: number
  readonly dryRun?: boolean
  readonly yes?: boolean
}

function addPrune(backups: Command, cli: Cli): void {
  const command = backups
    .command('prune')
    .description('Remove archives that are neither among the newest nor young; the base of a merge always stays')
    .option('--keep <number>', 'how many of the newest stay', parseCount, 7)
    .option('--keep-days <days>', 'how old an archive must be before it may go', parseCount, 30)
    .option('--dry-run', 'show what would go and remove nothing')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .addHelpText('after', examples({ 'in a nightly job': 'understudy backups prune --keep 7 --keep-days 30 --yes' }))
  act<PruneOptions>(command, cli, async ({ settings, output, signal, options }) => {
    const mustAsk = !options.dryRun && !options.yes
    if (mustAsk) requireTerminal(output)
    const { pruneBackups } = await import('../../backups/prune-backups.js')
    const result = await pruneBackups(settings, {
      keep: options.keep,
      keepDays: options.keepDays,
      isDryRun: options.dryRun,
      confirm: mustAsk ? (plan) => confirmPrune(plan, output) : undefined,
      signal,
    })
    output.result(result, () => renderPrune(result, output.style))
    return EXIT_CODES.done
  })
}

function parseCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number, such as 7')
  return Number(text)
}
