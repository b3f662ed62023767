import type { Command } from 'commander'
import type { Settings } from '../config/settings.js'
import { UnderstudyError } from '../errors.js'
import { EXIT_CODES, type ExitCode } from './exit-codes.js'
import { type Interrupt, watchInterrupt } from './interrupt.js'
import { Output } from './print/output.js'

export interface GlobalOptions {
  readonly config?: string
  readonly database?: string
  readonly json?: boolean
  readonly debug?: boolean
}

/** What a command line has while it runs. */
export interface Cli {
  readonly output: Output
  readonly interrupt: Interrupt
  readonly isDebug: boolean
  /** Database URLs that were seen: their passwords are taken out of whatever is printed. */
  readonly urls: string[]
  exitCode: ExitCode
}

export interface CommandContext<Options> {
  readonly settings: Settings
  readonly output: Output
  readonly signal: AbortSignal
  readonly options: Options
  readonly args: readonly (string | undefined)[]
}

/** A command's work; returns its exit code. */
export type Handler<Options> = (context: CommandContext<Options>) => Promise<ExitCode>

export function createCli(argv: readonly string[]): Cli {
  // Read before the options are parsed: a mistake in them is printed in the right form too.
  const output = new Output({ isJson: argv.includes('--json'), hasColour: !argv.includes('--no-color') })
  // What a configuration or a migration prints for itself would spoil the one document.
  if (output.isJson) for (const method of ['log', 'info', 'debug'] as const) console[method] = console.error
  const interrupt = watchInterrupt(() =>
    output.note('interrupted: rolling back what is not committed; press Ctrl-C again to leave at once'),
  )
  const { DATABASE_URL, PGPASSWORD } = process.env
  const urls = [DATABASE_URL, PGPASSWORD && `postgres://:${encodeURIComponent(PGPASSWORD)}@`].filter((url) => !!url)
  return { output, interrupt, isDebug: argv.includes('--debug'), urls: urls as string[], exitCode: EXIT_CODES.done }
}

/** Makes a handler the action of a command: settings first, then the work, then its exit code. */
export function act<Options>(command: Command, cli: Cli, handler: Handler<Options>): void {
  command.action(async () => {
    refuseEmptyValues(command)
    const options = command.optsWithGlobals<GlobalOptions & Options>()
    if (options.database) cli.urls.push(options.database)
    const { loadConfig } = await import('../config/load-config.js')
    const settings = await loadConfig({ file: options.config, database: options.database })
    cli.urls.push(settings.database)
    const context = { settings, output: cli.output, signal: cli.interrupt.signal, options, args: command.processedArgs }
    cli.exitCode = await handler(context).catch((error) => {
      throw withDatabaseHint(error, settings)
    })
  })
}

/**
 * An option that takes a value and gets an empty one, as an unset variable of the shell gives it, would count as left out.
 *
 * @throws UnderstudyError `USAGE`
 */
function refuseEmptyValues(command: Command): void {
  for (let each: Command | null = command; each !== null; each = each.parent) {
    for (const option of each.options) {
      if (each.getOptionValue(option.attributeName()) !== '') continue
      throw new UnderstudyError('USAGE', `${option.long} is empty`, {
        hint: `Give ${option.long} a value, or leave it out. Is a variable of the shell unset?`,
      })
    }
  }
}

/** Nobody said which database is meant, and the one that stands in for it is not there. */
function withDatabaseHint(error: unknown, { database, databaseSource }: Settings): unknown {
  if (databaseSource !== 'default' || !(error instanceof UnderstudyError)) return error
  // `sync` has databases of its own.
  const isMeant = error.code === 'DATABASE_NOT_FOUND' && error.message.endsWith(database.slice('pglite:'.length))
  if (!isMeant) return error
  const { code, message, detail, cause } = error
  const hint =
    'Say which database is meant: with `--database postgres://…`, in DATABASE_URL, or as `database` in understudy.config.ts.'
  return new UnderstudyError(code, message, { detail, cause, hint })
}
