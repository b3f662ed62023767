import type { PrunedBackup } from '../backups/plan-prune.js'
import { UnderstudyError } from '../errors.js'
import type { ImportPlan } from '../import/plan.js'
import { renderPrunePlan } from './print/backups.js'
import { renderPlan } from './print/import.js'
import type { Output } from './print/output.js'

/**
 * Makes sure that somebody can be asked; `otherwise` says how to do without.
 *
 * Error: USAGE without a terminal.
 */
export function requireTerminal(
  output: Output,
  otherwise = 'look at the plan with `--dry-run`, then say `--yes`',
): void {
  if (output.canAsk) return
  throw new UnderstudyError('USAGE', 'there is no terminal to ask whether the plan is right', {
    hint: `${otherwise[0]?.toUpperCase()}${otherwise.slice(1)}.`,
  })
}

/** Shows the plan of an import and asks. */
export async function confirmPlan(plan: ImportPlan, output: Output): Promise<boolean> {
  return await confirmLines(renderPlan(plan, output.errorStyle), output)
}

/** Shows which archives would go, and asks. */
export async function confirmPrune(plan: readonly PrunedBackup[], output: Output): Promise<boolean> {
  return await confirmLines(renderPrunePlan(plan, output.errorStyle), output, 'Remove these?')
}

/** Shows what would be done and asks. All of it goes to stderr, so that stdout holds the result alone. */
export async function confirmLines(
  lines: readonly string[],
  output: Output,
  message = 'Write this?',
): Promise<boolean> {
  output.note(lines.join('\n'))
  return isYes(await askLine(`${message} [y/N] `))
}

/** `y` and `yes`, however written; anything else is a no. */
function isYes(answer: string): boolean {
  return /^y(es)?$/i.test(answer)
}

/**
 * Goes on only with a yes.
 *
 * Error: CANCELLED.
 */
export async function requireConsent(lines: readonly string[], output: Output, message: string): Promise<void> {
  if (!(await confirmLines(lines, output, message)))
    throw new UnderstudyError('CANCELLED', 'declined; nothing was written')
}

/** Asks for the name of a database that is marked as one to be careful with. */
export async function askTargetName(error: UnderstudyError, output: Output): Promise<string> {
  output.progress.clear()
  return await askLine(`${error.message}; type its name to go on: `)
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

/**
 * Asks on the terminal for a whole line: one key is no answer, and nothing that is typed is left for the shell. Empty at the end of the input, and
 * after Ctrl-C, which a prompt takes for itself: here it means what it means everywhere.
 */
async function askLine(question: string): Promise<string> {
  const { createInterface } = await import('node:readline')
  return await new Promise((resolve) => {
    const terminal = createInterface({ input: process.stdin, output: process.stderr })
    const giveUp = () => {
      process.stderr.write('\n')
      resolve('')
    }
    terminal.on('close', giveUp)
    terminal.on('SIGINT', () => {
      terminal.close()
      process.emit('SIGINT')
    })
    terminal.question(question, (answer) => {
      terminal.off('close', giveUp).close()
      resolve(answer.trim())
    })
  })
}
