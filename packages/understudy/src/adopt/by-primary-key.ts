import type { ArchiveIndex } from '../archive/archive-index.js'
import { openArchive, readArchive } from '../archive/reader.js'
import type { Catalog } from '../catalog/catalog.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Session } from '../database/port.js'
import { quoteLiteral } from '../database/quoting.js'
import { UnderstudyError } from '../errors.js'
import { findIncompatibilities } from '../import/compatibility.js'
import { createLoad, type Load } from '../import/load.js'
import { bare } from '../import/parse.js'
import { stageFile } from '../import/stage.js'
import { modelForTarget } from '../model/adapt-model.js'
import { buildModel } from '../model/build-model.js'
import { identitySelect } from '../model/identity-sql.js'
import { lineSelect } from '../model/line-sql.js'
import { type ContentRelation, findRelation, relationLabel } from '../model/model.js'
import { ORIGIN_KEY } from '../model/record-keys.js'
import { createSqlContext, fromRelation, type SqlContext } from '../model/sql-context.js'
import { localKeyExpression } from '../model/surrogate-sql.js'
import { refuseCopy } from '../registry/copies.js'
import { recordHistory } from '../registry/history.js'
import { createRegistry } from '../registry/registry.js'
import type { Adopted, AdoptedRelation, AdoptRun } from './adopt-database.js'

/**
 * Declares rows of this database the same as rows of an archive with the same primary key: they take the origin that the archive's rows have. Rows
 * that either side knows as the other's already keep their origin.
 */
export async function adoptByPrimaryKey(run: AdoptRun): Promise<Adopted> {
  const { session } = run
  const path = run.archive ?? ''
  const index = await readArchive(path)
  const instance = await createRegistry(session)
  await refuseCopy(session, instance)
  refuseArchive(index, instance.id)
  const catalog = await readCatalog(session)
  refuseUnfit(index, catalog, run)
  const context = createSqlContext(catalog, modelForTarget(index.model, catalog), instance.id)
  const loads = originLoads(index, context)
  await stageAll(run, path, loads)
  const found: { load: Load; counts: KeyCounts }[] = []
  for (const load of loads) {
    found.push({ load, counts: await adoptRows(session, context, load) })
    const instances = [index.source.instance ?? '', ...(load.entry.instances ?? [])]
    await recordHistory(session, relationLabel(load.relation), instances)
  }
  // References travel as origins too, so rows can be compared only when all relations have theirs.
  const relations: AdoptedRelation[] = []
  for (const { load, counts } of found) {
    const { rows, known, adopted } = counts
    relations.push({
      relation: relationLabel(load.relation),
      adopted,
      equal: await countEqual(session, context, load),
      known,
      onlyHere: rows - known - adopted,
      onlyInArchive: load.entry.records - known - adopted,
    })
  }
  return { instance: instance.id, archive: { id: index.id, path }, relations }
}

function refuseArchive(index: ArchiveIndex, own: string): void {
  if (index.source.instance === null) {
    throw new UnderstudyError('ADOPT_REFUSED', 'the archive does not say in which database its rows were born', {
      hint: 'Export again with a role that may make a registry in the source.',
    })
  }
  if (index.source.instance === own) {
    throw new UnderstudyError('ADOPT_REFUSED', 'the archive bears this database’s own id', {
      hint: 'If a copy of this database wrote it, run `understudy adopt --as-copy` there: then both know their common rows.',
    })
  }
}

/** What an import would refuse is refused here: keys could not be compared, nor rows. */
function refuseUnfit(index: ArchiveIndex, catalog: Catalog, { settings }: AdoptRun): void {
  const problems = findIncompatibilities(index, catalog, buildModel(catalog, settings).model)
  if (problems.length === 0) return
  throw new UnderstudyError('IMPORT_INCOMPATIBLE', `the archive does not fit the target in ${problems.length} places`, {
    detail: problems.join('\n'),
    hint: 'Bring both databases to the same migrations, or export with --exclude.',
  })
}

function originLoads(index: ArchiveIndex, context: SqlContext): Load[] {
  const loads = index.files.flatMap((entry, position) => {
    const relation = findRelation(context.model, { schema: entry.schema, name: entry.relation })
    return relation?.identity.kind === 'origin' ? [createLoad(context, relation, entry, position + 1)] : []
  })
  if (loads.length === 0) {
    throw new UnderstudyError('ADOPT_REFUSED', 'no relation of the archive is known by its origin', {
      hint: 'There is nothing to adopt: all its rows are recognised by their keys or their content.',
    })
  }
  return loads
}

async function stageAll(run: AdoptRun, path: string, loads: readonly Load[]): Promise<void> {
  const byFile = new Map(loads.map((load) => [load.entry.file, load]))
  for await (const file of openArchive(path, { signal: run.signal })) {
    run.signal?.throwIfAborted()
    const load = byFile.get(file.entry.file)
    if (load !== undefined) await stageFile(run.session, load, file.lines(), run.onProgress)
  }
}

interface KeyCounts {
  /** Rows here. */
  readonly rows: number
  /** Rows of the archive that this database knows by their origin already. */
  readonly known: number
  readonly adopted: number
}

/** Only rows that neither side knows as rows of the other are paired by their keys. */
async function adoptRows(session: Session, context: SqlContext, load: Load): Promise<KeyCounts> {
  const { relation } = load
  const label = quoteLiteral(relationLabel(relation))
  const { archived, known, pairs } = tablesOf(load)
  const rows = fromRelation(context, relation)
  await session.execute(
    `create temporary table ${archived} on commit drop as
     select s.n, ${archivedKey('s.master::json')} as local_key, s.line::json ->> '${ORIGIN_KEY}' as origin
       from ${load.stage} s`,
  )
  await session.execute(
    `create temporary table ${known} on commit drop as
     select a.n, ${joinedKey(relation, 'i')} as local_key
       from pg_temp.${archived} a
       join (${identitySelect(context, relation, relation.surrogate)}) i on i.l1 = a.origin`,
  )
  await session.execute(
    `create temporary table ${pairs} on commit drop as
     select a.n, a.local_key, a.origin
       from pg_temp.${archived} a
       join (select ${localKeyExpression(relation, 't')} as local_key from ${rows} t) h on h.local_key = a.local_key
      where not exists (select from pg_temp.${known} k where k.n = a.n)
        and not exists (select from pg_temp.${known} k where k.local_key = h.local_key)`,
  )
  const adopted = await session.execute(
    `insert into understudy.origin (relation, local_key, origin)
     select ${label}, p.local_key, p.origin from pg_temp.${pairs} p
     on conflict do nothing`,
  )
  const [counts] = await session.query<{ rows: number; known: number }>(
    `select (select count(*) from ${rows}) as rows, (select count(*) from pg_temp.${known}) as known`,
  )
  return { rows: counts?.rows ?? 0, known: counts?.known ?? 0, adopted }
}

function tablesOf(load: Load): { archived: string; known: string; pairs: string } {
  const name = (what: string) => `${bare(load.rows)}_${what}`
  return { archived: name('archived'), known: name('known'), pairs: name('pairs') }
}

/** A record's `master_id` as the registry writes a key: its parts as text, commas between them. */
function archivedKey(master: string): string {
  return `case json_typeof(${master})
            when 'array' then (select string_agg(e.part, ',' order by e.position)
                                 from json_array_elements_text(${master}) with ordinality e(part, position))
            else ${master} #>> '{}'
          end`
}

/** `t1::text || ',' || …`: the surrogate key in a select that has its columns as `t…`. */
function joinedKey({ surrogate }: ContentRelation, alias: string): string {
  return surrogate.map((_, index) => `${alias}.t${index + 1}::text`).join(` || ',' || `)
}

async function countEqual(session: Session, context: SqlContext, load: Load): Promise<number> {
  const { relation } = load
  const lines = lineSelect(context, relation, relation.columns, relation.surrogate)
  const [row] = await session.query<{ equal: number }>(
    `select count(*) as equal
       from pg_temp.${tablesOf(load).pairs} p
       join ${load.stage} s on s.n = p.n
       join (${lines}) l on ${joinedKey(relation, 'l')} = p.local_key
      where l.line = s.line`,
  )
  return row?.equal ?? 0
}
