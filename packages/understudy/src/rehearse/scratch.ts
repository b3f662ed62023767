import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ArchiveIndex } from '../archive/archive-index.js'
import type { Settings } from '../config/settings.js'
import { openDatabase } from '../database/open.js'
import type { Database } from '../database/port.js'
import { quoteIdentifier } from '../database/quoting.js'
import { UnderstudyError } from '../errors.js'
import { migrateToLevel } from '../migrate/migrate-to-level.js'
import { createRegistry } from '../registry/registry.js'
import { fillScratch } from '../restore/restore-archive.js'

export interface ScratchOptions {
  /** A server on which a database is made and removed again, `postgres://…`. Default: an embedded database in a temporary folder. */
  readonly scratchUrl?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** Gives `use` an empty database that is gone afterwards, whatever happens. */
export async function withScratch<T>(
  { scratchUrl, signal }: ScratchOptions,
  use: (database: Database, url: string) => Promise<T>,
): Promise<T> {
  if (scratchUrl === undefined) return await withEmbeddedScratch(use)
  if (!/^postgres(ql)?:\/\//.test(scratchUrl))
    throw new UnderstudyError('DATABASE_URL_INVALID', 'a scratch URL names a PostgreSQL server', {
      hint: 'Write --scratch-url postgres://role:password@host:5432/postgres; a database of its own is made there and removed.',
    })
  return await withServerScratch(scratchUrl, signal, use)
}

/** Brings a scratch database to the archive's own level and fills it with the archive's rows, ids included. */
export async function raiseArchive(
  settings: Settings,
  {
    database,
    path,
    index,
    signal,
  }: { database: Database; path: string; index: ArchiveIndex; signal?: AbortSignal | undefined },
): Promise<void> {
  await refuseMissingExtensions(database, index)
  await migrateToLevel(settings, index.migrations, { database, signal })
  const { instance } = index.source
  // Rows that were born in the source are its own here too.
  await database.withSession(async (session) => {
    await createRegistry(session)
    if (instance !== null) await session.execute('update understudy.instance set id = $1::uuid', [instance])
  })
  await fillScratch(settings, { database, path, index, signal })
}

/** Settings for work in a scratch database: nothing is asked, archived or mirrored there. */
export function scratchSettings(settings: Settings, url: string): Settings {
  return {
    ...settings,
    database: url,
    environment: 'development',
    migrations: { ...settings.migrations, backup: false, mirror: null, startWith: null, endWith: null },
  }
}

async function withEmbeddedScratch<T>(use: (database: Database, url: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-scratch-'))
  const url = `pglite:${folder}`
  try {
    const database = await openDatabase(url)
    try {
      return await use(database, url)
    } finally {
      await database.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function withServerScratch<T>(
  serverUrl: string,
  signal: AbortSignal | undefined,
  use: (database: Database, url: string) => Promise<T>,
): Promise<T> {
  const name = `understudy_scratch_${randomBytes(6).toString('hex')}`
  const server = await openDatabase(serverUrl, { signal })
  try {
    await server.withSession((session) => session.script(`create database ${quoteIdentifier(name)} template template0`))
    const url = urlOfDatabase(serverUrl, name)
    try {
      const database = await openDatabase(url, { signal })
      try {
        return await use(database, url)
      } finally {
        await database.close()
      }
    } finally {
      await server.withSession((session) =>
        session.script(`drop database if exists ${quoteIdentifier(name)} with (force)`),
      )
    }
  } finally {
    await server.close()
  }
}

function urlOfDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

async function refuseMissingExtensions(database: Database, { extensions }: ArchiveIndex): Promise<void> {
  const rows = await database.withSession((session) =>
    session.query<{ name: string }>('select name::text as name from pg_catalog.pg_available_extensions'),
  )
  const available = new Set(rows.map(({ name }) => name))
  const missing = extensions.filter(({ name }) => !available.has(name))
  if (missing.length === 0) return
  throw new UnderstudyError(
    'REHEARSAL_IMPOSSIBLE',
    `the scratch database has not ${missing.map(({ name }) => name).join(', ')}`,
    {
      detail: missing.map(({ name, version }) => `extension ${name} ${version}`).join('\n'),
      hint: 'Name a server that has these extensions with `--scratch-url`.',
    },
  )
}
