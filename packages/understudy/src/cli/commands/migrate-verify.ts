import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { parseNames } from '../option-values.js'
import { renderVerification } from '../print/migrations.js'

interface Options {
  readonly allowDrift?: readonly string[]
}

export function addMigrateVerifyCommand(migrate: Command, cli: Cli): void {
  const command = migrate
    .command('verify')
    .description('Compare files and ledger: checksums, order, packages; exit code 4 when they disagree')
    .option('--allow-drift <findings>', 'leave these out, in the words of the output', parseNames)
    .addHelpText('after', examples({ 'in a build, after the deployment': 'understudy migrate verify' }))
  act<Options>(command, cli, async ({ settings, output, signal, options }) => {
    const { migrateVerify } = await import('../../migrate/verify.js')
    const result = await migrateVerify(settings, { allow: options.allowDrift, signal })
    output.result(result, () => renderVerification(result, output.style))
    return result.findings.length > 0 ? EXIT_CODES.invalid : EXIT_CODES.done
  })
}
