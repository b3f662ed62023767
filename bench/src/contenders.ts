import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adoptDatabase, loadConfig } from 'understudy'
import type { Databases } from './databases.js'
import { type Installation, program } from './installation.js'
import type { Command, Run } from './measure.js'
import type { Subject } from './options.js'
import type { Counts } from './outcome.js'

const PROGRAM = fileURLToPath(new URL('bin/understudy.js', import.meta.resolve('understudy/package.json')))
const REPORT_MEMORY = new URL('./report-memory.js', import.meta.url).href

/** One side of a comparison. */
export interface Contender {
  readonly name:
    | 'export'
    | 'pg_dump'
    | 'validate'
    | 'validate-archive'
    | 'init'
    | 'pg_restore'
    | 'unchanged'
    | 'changed'
  readonly label: string
  readonly subject: Subject
  /** Makes its place ready; not measured. */
  prepare(): Promise<void>
  command(): Command
  /** Throws where the run did not do what it was measured for; keeps what a later contender needs. Not measured. */
  finish(run: Run): Promise<void>
}

export interface Arena {
  readonly databases: Databases
  readonly dumper: Installation | undefined
  /** For archives and dumps. */
  readonly scratch: string
  readonly rows: number
  readonly profileFolder: string | null
}

/** The files that pass from one contender to the other. */
export function filesOf({ scratch }: Arena) {
  return {
    archive: join(scratch, 'content.backup.tar.gz'),
    changedArchive: join(scratch, 'changed.backup.tar.gz'),
    dump: join(scratch, 'content.dump'),
  }
}

/** An export of `source` into a file, against the dump of the same. */
export function exportContenders(arena: Arena): Contender[] {
  const { archive, dump } = filesOf(arena)
  const ours: Contender = {
    name: 'export',
    label: 'export',
    subject: 'export',
    prepare: () => rm(archive, { force: true }),
    command: () => exportCommand(arena, archive),
    finish: async (run) => expectCounts(run, { records: arena.rows }),
  }
  const dumps = arena.dumper === undefined ? [] : [dumpContender(arena, arena.dumper, dump)]
  return [ours, ...dumps, validateContender(arena, null), validateContender(arena, archive)]
}

/** All built-in checks of `source`, and with an archive the comparison with it. */
function validateContender(arena: Arena, archive: string | null): Contender {
  const name = archive === null ? 'validate' : 'validate-archive'
  return {
    name,
    label: archive === null ? 'validate' : 'validate --archive',
    subject: 'validate',
    prepare: async () => undefined,
    command: () => understudy(arena, name, 'source', ['validate', ...(archive === null ? [] : ['--archive', archive])]),
    finish: async ({ outcome }) => {
      if (outcome === null || outcome.counts.records === 0) throw new Error('the source does not pass its checks')
    },
  }
}

/** An export of `source` into a file. */
export function exportCommand(arena: Arena, archive: string): Command {
  return understudy(arena, 'export', 'source', ['export', '--out', archive])
}

function dumpContender({ databases }: Arena, dumper: Installation, dump: string): Contender {
  return {
    name: 'pg_dump',
    label: 'pg_dump --data-only -Fc',
    subject: 'export',
    prepare: () => rm(dump, { force: true }),
    command: () =>
      client(program(dumper, 'pg_dump'), databases.url('source'), [
        '--data-only',
        '-Fc',
        '--schema=public',
        `--file=${dump}`,
      ]),
    finish: async () => undefined,
  }
}

/** Imports into a fresh copy of `empty`, or of `filled`, which the first import makes. */
export function importContenders(arena: Arena, changedRows: number): Contender[] {
  const { databases, dumper } = arena
  const { archive, changedArchive, dump } = filesOf(arena)
  const { rows } = arena
  const init: Contender = {
    name: 'init',
    label: 'import --mode init',
    subject: 'init',
    prepare: () => databases.create('target', 'empty'),
    command: () => understudy(arena, 'init', 'target', ['import', archive, '--mode', 'init', '--yes']),
    finish: async (run) => {
      expectCounts(run, { records: rows, inserts: rows, updates: 0, unchanged: 0 })
      await keepAsFilled(databases)
    },
  }
  const restore = dumper === undefined ? [] : [restoreContender(arena, dumper, dump)]
  const replace = (name: 'unchanged' | 'changed', file: string, updates: number): Contender => ({
    name,
    label: name === 'unchanged' ? 'import --mode replace, unchanged' : 'import --mode replace, 1 % changed',
    subject: name,
    prepare: async () => {
      await databases.create('target', 'filled')
      // The copy takes the place of `filled`, which nobody uses itself.
      const settings = await loadConfig({ cwd: arena.scratch, database: databases.url('target') })
      await adoptDatabase(settings, { how: 'as-original' })
    },
    command: () => understudy(arena, name, 'target', ['import', file, '--mode', 'replace', '--yes']),
    finish: async (run) => expectCounts(run, { records: rows, inserts: 0, updates, unchanged: rows - updates }),
  })
  return [init, ...restore, replace('unchanged', archive, 0), replace('changed', changedArchive, changedRows)]
}

function restoreContender({ databases }: Arena, dumper: Installation, dump: string): Contender {
  return {
    name: 'pg_restore',
    label: 'pg_restore --data-only',
    subject: 'init',
    prepare: () => databases.create('target', 'empty'),
    command: () =>
      client(program(dumper, 'pg_restore'), databases.url('target'), [
        '--data-only',
        '--single-transaction',
        '--exit-on-error',
        dump,
      ]),
    finish: async () => undefined,
  }
}

/** The first database that an import has filled is what `replace` is measured on, as autovacuum would leave it. */
async function keepAsFilled(databases: Databases): Promise<void> {
  if (databases.has('filled')) return
  await databases.rename('target', 'filled')
  await databases.vacuum('filled')
}

/** The command line as its users have it, in a folder without a configuration. */
function understudy(arena: Arena, name: string, database: string, args: readonly string[]): Command {
  const { databases, profileFolder, scratch } = arena
  const profile =
    profileFolder === null
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${name}.cpuprofile`]
  return {
    command: process.execPath,
    args: [...profile, '--import', REPORT_MEMORY, PROGRAM, ...args, '--json'],
    environment: { DATABASE_URL: databases.url(database) },
    folder: scratch,
  }
}

/** The password goes through the environment: arguments are there for all to see. */
function client(command: string, url: string, args: readonly string[]): Command {
  const target = new URL(url)
  const password = decodeURIComponent(target.password)
  target.password = ''
  return {
    command,
    args: [...args, `--dbname=${target.href}`],
    environment: password === '' ? {} : { PGPASSWORD: password },
  }
}

function expectCounts({ outcome }: Run, expected: Counts): void {
  const found = outcome?.counts
  const wrong = Object.entries(expected).filter(([name, count]) => found?.[name as keyof Counts] !== count)
  if (wrong.length === 0) return
  throw new Error(`expected ${JSON.stringify(expected)}, and the run reports ${JSON.stringify(found)}`)
}
