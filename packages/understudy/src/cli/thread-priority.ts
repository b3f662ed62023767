import { readdir } from 'node:fs/promises'
import { constants, setPriority } from 'node:os'

/**
 * Lets all threads of this process but JavaScript's own give way to that one: they compress, write files and collect garbage. An export is as fast as
 * the one thread reads, and Linux likes to wake a thread of zlib on the processor of whoever woke it: there it stood in the way for a sixth of the
 * time, while the other processor had nothing to do.
 *
 * There is no way back, so it is for the process of one export. Only Linux has priorities of single threads; elsewhere nothing happens.
 */
export async function favourMainThread(): Promise<void> {
  if (process.platform !== 'linux') return
  try {
    // Those that do the asking are started by it.
    const threads = (await readdir('/proc/self/task')).map(Number)
    if (!threads.includes(process.pid)) return
    for (const thread of threads) {
      if (thread !== process.pid) setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL)
    }
  } catch {
    // It is about speed alone: a thread that ended meanwhile, or a system that does not allow it, is no reason to stop.
  }
}
