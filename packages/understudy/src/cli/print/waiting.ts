import type { LockHolder } from '../../database/lock-holder.js'

/** Says for whom a command waits. */
export function waitingNote(holder: LockHolder | null | undefined): string {
  const who = holder ? `process ${holder.pid} (${holder.applicationName || 'unnamed'})` : 'another session'
  return `waiting for ${who}, which is at work in this database`
}
