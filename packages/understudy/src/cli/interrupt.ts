import { UnderstudyError } from '../errors.js'

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const

export interface Interrupt {
  readonly signal: AbortSignal
  /** 128 and the signal's number, as shells have it; null as long as nobody interrupted. */
  readonly exitCode: number | null
  dispose(): void
}

/** How long the engine may take to come home: a running statement is cancelled at once, where the server can be reached. */
const GRACE_MS = 5000

/**
 * The first Ctrl-C asks the engine to roll back and come home. The second one leaves at once, as does the end of the grace: the server
 * notices that its client is gone and rolls back by itself.
 */
export function watchInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController()
  let exitCode: number | null = null
  const listeners = Object.entries(SIGNALS).map(([name, code]) => {
    const listener = () => {
      if (exitCode !== null) process.exit(code)
      exitCode = code
      onFirst()
      setTimeout(() => process.exit(code), GRACE_MS).unref()
      controller.abort(new UnderstudyError('CANCELLED', 'interrupted; nothing of the running step was kept'))
    }
    process.on(name, listener)
    return () => process.off(name, listener)
  })
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    dispose: () => {
      for (const remove of listeners) remove()
    },
  }
}
