import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe } from 'vitest'
import { administer, servers } from '../support/engines.js'
import { createScratchFolder } from '../support/scratch.js'
import { openShell } from './shell.js'
import { type Machine, testPage } from './test-page.js'

const CLONE = fileURLToPath(new URL('../../../..', import.meta.url))
const TOOLS = fileURLToPath(new URL('server-tools.mjs', import.meta.url))
const DATABASES = ['choir', 'choir_test', 'choir_copy', 'choir_old']

describe.each(servers.slice(0, 1))('docs/first-sync.md on $name', (engine) => {
  const machines = new Map<string | null, Machine>()

  beforeAll(async () => {
    const home = await createScratchFolder()
    await symlink(CLONE, join(home, 'understudy'))
    const bin = join(home, 'bin')
    await mkdir(bin)
    for (const tool of ['psql', 'createdb']) {
      await writeFile(join(bin, tool), `#!/bin/sh\nexec '${process.execPath}' '${TOOLS}' ${tool} "$@"\n`)
      await chmod(join(bin, tool), 0o755)
    }
    const { host, port, role, password } = engine.server
    const shell = await openShell(home, {
      HOME: home,
      PATH: [bin, dirname(process.execPath), process.env.PATH].join(':'),
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: role,
      PGPASSWORD: password,
      // The package is linked from the clone: no registry is asked for anything.
      npm_config_offline: 'true',
      npm_config_audit: 'false',
      npm_config_update_notifier: 'false',
    })
    machines.set(null, { home, shell })
  })

  afterAll(async () => {
    for (const name of DATABASES) await administer(engine.server, `drop database if exists ${name} with (force)`)
  })

  testPage('first-sync.md', machines)
})
