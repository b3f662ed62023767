import { UnderstudyError } from '../errors.js'
import type { ImportPlan } from '../import/plan.js'
import { renderPlan } from './print/import.js'
import type { Output } from './print/output.js'

/**
 * Makes sure that somebody can be asked.
 *
 * Error: USAGE without a terminal.
 */
export function requireTerminal(output: Output): void {
  if (output.canAsk) return
  throw new UnderstudyError('USAGE', 'there is no terminal to ask whether the plan is right', {
    hint: 'Look at the plan with `--dry-run`, then say `--yes`.',
  })
}

/** Shows the plan and asks. All of it goes to stderr, so that stdout holds the result alone. */
export async function confirmPlan(plan: ImportPlan, output: Output): Promise<boolean> {
  output.note(renderPlan(plan, output.errorStyle).join('\n'))
  const { confirm, isCancel } = await import('@clack/prompts')
  const answer = await confirm({ message: 'Write this?', initialValue: false, output: process.stderr })
  if (isCancel(answer)) interrupt()
  return answer === true
}

/** Asks for the name of a database that is marked as one to be careful with. */
export async function askTargetName(error: UnderstudyError, output: Output): Promise<string> {
  output.progress.clear()
  const { text, isCancel } = await import('@clack/prompts')
  const answer = await text({ message: `${error.message}; type its name to go on`, output: process.stderr })
  if (isCancel(answer)) interrupt()
  return typeof answer === 'string' ? answer : ''
}

/** A prompt takes Ctrl-C for itself; here it means what it means everywhere. */
function interrupt(): void {
  process.emit('SIGINT')
}
