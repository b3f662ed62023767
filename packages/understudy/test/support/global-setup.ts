import type { TestProject } from 'vitest/node'
import { preparePgliteTemplate } from './pglite-template.js'
import { startServers, type TestServer } from './servers.js'

declare module 'vitest' {
  interface ProvidedContext {
    testServers: readonly TestServer[]
    pgliteTemplate: string
    scratch: string
  }
}

/** Once for the whole run: the servers, and a ready-made embedded database to copy. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [started, template] = await Promise.all([startServers(), preparePgliteTemplate()])
  project.provide('testServers', started.servers)
  project.provide('scratch', started.scratch)
  project.provide('pgliteTemplate', template)
  return () => started.stop()
}
