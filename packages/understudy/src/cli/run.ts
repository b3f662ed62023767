import { CommanderError } from 'commander'
import { UnderstudyError } from '../errors.js'
import { createCli } from './cli.js'
import { EXIT_CODES, exitCodeOf } from './exit-codes.js'
import { printError } from './print/error.js'
import { createProgram } from './program.js'

/** Runs one command line and returns its exit code. Never throws. */
export async function run(argv: readonly string[]): Promise<number> {
  const cli = createCli(argv)
  try {
    await createProgram(cli).parseAsync(argv, { from: 'user' })
    return cli.interrupt.exitCode ?? cli.exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT_CODES.done
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT_CODES.error
    printError(error instanceof CommanderError ? usageError(error) : error, cli)
    return cli.interrupt.exitCode ?? exitCodeOf(error)
  } finally {
    cli.interrupt.dispose()
  }
}

/** Commander's `error: …`, with its suggestion in brackets on the second line. */
function usageError(error: CommanderError): UnderstudyError {
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  return new UnderstudyError('USAGE', message, { hint: suggestion?.replace(/^\((.*)\)$/, '$1') })
}
