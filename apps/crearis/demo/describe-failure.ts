import { UnderstudyError } from 'understudy'

/** An error as lines: what happened, the facts, what to do. An unforeseen one with its stack. */
export function describeFailure(error: unknown): string[] {
  if (error instanceof UnderstudyError) {
    return [
      `${error.message} [${error.code}]`,
      ...(error.detail?.split('\n') ?? []),
      ...(error.hint ? [error.hint] : []),
    ]
  }
  return (error instanceof Error ? (error.stack ?? error.message) : String(error)).split('\n')
}
