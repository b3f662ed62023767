import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { inject } from 'vitest'

/** A new empty folder, removed with everything in it at the end of the run. */
export async function createScratchFolder(): Promise<string> {
  return await mkdtemp(join(inject('scratch'), 'scratch-'))
}
