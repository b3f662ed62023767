import { UnderstudyError } from 'understudy'

const INSUFFICIENT_PRIVILEGE = '42501'

/** An error as lines: what happened, the facts, what to do. One of the server's with its SQLSTATE, an unforeseen one with its stack. */
export function describeFailure(error: unknown): string[] {
  if (error instanceof UnderstudyError) {
    const { message, code, detail, hint } = error
    return [`${message} [${code}]`, ...(detail?.split('\n') ?? []), ...(hint === undefined ? [] : [hint])]
  }
  if (!(error instanceof Error)) return [String(error)]
  const state = 'code' in error ? error.code : undefined
  if (state === INSUFFICIENT_PRIVILEGE)
    return [`${error.message} [${state}]`, 'The role must be allowed to create databases.']
  return (error.stack ?? error.message).split('\n')
}
