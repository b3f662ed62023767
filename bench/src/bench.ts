import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Arena, type Contender, exportCommand, exportContenders, filesOf, importContenders } from './contenders.js'
import { Databases } from './databases.js'
import { measure, type Run, runCommand } from './measure.js'
import type { BenchOptions, Subject } from './options.js'
import { beginProfile, type Profile, type SlowStatement } from './profile.js'
import type { BenchServer } from './server.js'

export interface BenchResult {
  readonly rows: number
  readonly changedRows: number
  readonly relations: readonly RelationFacts[]
  readonly archiveBytes: number
  readonly dumpBytes: number | null
  readonly contenders: readonly Measured[]
}

export interface RelationFacts {
  readonly relation: string
  readonly rows: number
  readonly tableBytes: number
  readonly indexBytes: number
}

export interface Measured {
  readonly name: Contender['name']
  readonly label: string
  readonly subject: Subject
  readonly runs: readonly Run[]
  /** Of the last run, longest first; only with `--profile`. */
  readonly slowStatements: readonly SlowStatement[]
}

export type Say = (line: string) => void

/** Builds the data, lets everybody have their turns, and removes the databases again. */
export async function runBench(server: BenchServer, options: BenchOptions, say: Say): Promise<BenchResult> {
  const scratch = await mkdtemp(join(tmpdir(), 'understudy-bench-files-'))
  const databases = await Databases.open(server)
  try {
    const profile = options.isProfile ? await beginProfile(server) : null
    const relations = await build(databases, options.rows, say)
    const rows = relations.reduce((sum, each) => sum + each.rows, 0)
    const arena: Arena = { databases, dumper: server.dumper, scratch, rows, profileFolder: profile?.folder ?? null }
    const turns = { server, databases, options, profile, say }
    const exports = await takeTurns(turns, exportContenders(arena))
    const changedRows = options.only.includes('changed') ? await changeSource(arena, say) : 0
    const imports = await takeTurns(turns, importContenders(arena, changedRows))
    const { archive, dump } = filesOf(arena)
    const archiveBytes = (await stat(archive)).size
    // Without its subjects there is no dump.
    const dumpBytes = (await stat(dump).catch(() => null))?.size ?? null
    return { rows, changedRows, relations, archiveBytes, dumpBytes, contenders: [...exports, ...imports] }
  } finally {
    await databases.dropAll()
    await rm(scratch, { recursive: true, force: true })
  }
}

async function build(databases: Databases, rows: number, say: Say): Promise<RelationFacts[]> {
  say(`building ${rows.toLocaleString('en')} rows …`)
  await databases.create('empty')
  await databases.runFile('empty', 'schema.sql')
  await databases.create('source', 'empty')
  await databases.runFile('source', 'content.sql', { 'bench.rows': rows })
  await databases.vacuum('source')
  return await databases.withSession('source', (session) =>
    session.query<RelationFacts & Record<string, unknown>>(
      `select c.relname::text as relation, pg_table_size(c.oid) as "tableBytes", pg_indexes_size(c.oid) as "indexBytes",
              (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from public.%I', c.relname), false, true, '')))[1]::text::bigint as rows
         from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' /* ordinary table */
        order by pg_table_size(c.oid) desc`,
    ),
  )
}

/** Changes the source and exports it once more, unmeasured. Returns how many rows differ now. */
async function changeSource(arena: Arena, say: Say): Promise<number> {
  say('changing one row in a hundred and exporting again …')
  const { rows } = await arena.databases.queryFile<{ rows: number }>('source', 'change.sql')
  await arena.databases.vacuum('source')
  await runCommand(exportCommand({ ...arena, profileFolder: null }, filesOf(arena).changedArchive))
  return rows
}

interface Turns {
  readonly server: BenchServer
  readonly databases: Databases
  readonly options: BenchOptions
  readonly profile: Profile | null
  readonly say: Say
}

/**
 * Lets the contenders run one after the other, and that as often as asked for: what else the machine does then meets all of them. Where a
 * subject is not asked for, its contenders run once, unmeasured, where others need what they leave behind.
 */
async function takeTurns(turns: Turns, contenders: readonly Contender[]): Promise<Measured[]> {
  const { options, say } = turns
  const measured = contenders.map((contender) => ({
    contender,
    runs: [] as Run[],
    slowStatements: [] as readonly SlowStatement[],
  }))
  for (let round = 1; round <= options.runs; round++) {
    for (const each of measured) {
      const isAsked = options.only.includes(each.contender.subject)
      if (!isAsked && !(round === 1 && isNeeded(each.contender, options))) continue
      const { run, slowStatements } = await takeTurn(turns, each.contender)
      say(
        `${isAsked ? `run ${round}/${options.runs}` : 'needed '}  ${each.contender.label}: ${(run.durationMs / 1000).toFixed(1)} s`,
      )
      if (!isAsked) continue
      each.runs.push(run)
      each.slowStatements = slowStatements
    }
  }
  return measured
    .filter(({ runs }) => runs.length > 0)
    .map(({ contender: { name, label, subject }, ...rest }) => ({ name, label, subject, ...rest }))
}

/** An import needs an archive, a restore a dump, a `replace` a database that is filled. */
function isNeeded({ name }: Contender, { only }: BenchOptions): boolean {
  if (name === 'export') return true
  if (name === 'pg_dump') return only.includes('init')
  return name === 'init' && (only.includes('unchanged') || only.includes('changed'))
}

async function takeTurn(
  { server, databases, profile }: Turns,
  contender: Contender,
): Promise<{ run: Run; slowStatements: readonly SlowStatement[] }> {
  await contender.prepare()
  await profile?.mark()
  const run = await measure(contender.command(), server, databases)
  const slowStatements = (await profile?.take(contender.name)) ?? []
  await contender.finish(run)
  return { run, slowStatements }
}
