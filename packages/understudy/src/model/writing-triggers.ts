import type { Trigger } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import type { RelationName } from './model.js'
import { catalogRelation, type SqlContext } from './sql-context.js'

/** A constraint trigger that does more than check. Imports suspend no constraint trigger. */
export interface WritingTrigger<Name extends RelationName = RelationName> {
  readonly relation: Name
  readonly trigger: Trigger
  /** `may write` where its source does not tell: it is in another language, or runs SQL that it puts together. */
  readonly verb: 'writes' | 'may write'
}

/** The constraint triggers of the relations, and of their partitions, that fire on ordinary writes and whose functions write, or may. */
export async function findWritingTriggers<Name extends RelationName>(
  session: Session,
  context: SqlContext,
  relations: readonly Name[],
): Promise<WritingTrigger<Name>[]> {
  const firing = relations.flatMap((relation) =>
    constraintTriggers(context, relation).map((trigger) => ({ relation, trigger })),
  )
  if (firing.length === 0) return []
  const verbs = await readVerbs(session)
  return firing.flatMap(({ relation, trigger }) => {
    const verb = verbs.has(trigger.function) ? verbs.get(trigger.function) : 'may write'
    return verb == null ? [] : [{ relation, trigger, verb }]
  })
}

/** Clones on partitions have their root's name. */
function constraintTriggers(context: SqlContext, name: RelationName): Trigger[] {
  const root = catalogRelation(context, name)
  const tree = new Set([root.oid])
  const found = new Map<string, Trigger>()
  for (let size = 0; size < tree.size; ) {
    size = tree.size
    for (const relation of context.relations.values()) {
      if (relation.isPartition && relation.parents.some((oid) => tree.has(oid))) tree.add(relation.oid)
    }
  }
  for (const relation of context.relations.values()) {
    if (!tree.has(relation.oid)) continue
    for (const trigger of relation.triggers) {
      const fires = trigger.state === 'origin' || trigger.state === 'always'
      if (trigger.isConstraint && fires && !found.has(trigger.name)) found.set(trigger.name, trigger)
    }
  }
  return [...found.values()]
}

interface Routine {
  readonly [column: string]: string | number | boolean
  readonly oid: number
  /** As `Trigger.function` has it. */
  readonly id: string
  readonly name: string
  readonly language: string
  readonly source: string
  readonly is_trigger: boolean
}

/** Of every trigger function of the database's own what it does: null where it only reads. A function that calls one that writes writes. */
async function readVerbs(session: Session): Promise<Map<string, WritingTrigger['verb'] | null>> {
  const routines = await session.query<Routine>(
    `select p.oid::int8 as oid, p.oid::regproc::text as id, p.proname::text as name, l.lanname::text as language,
            coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) as source,
            p.prorettype = 'pg_catalog.trigger'::regtype as is_trigger
       from pg_catalog.pg_proc p
       join pg_catalog.pg_namespace n on n.oid = p.pronamespace
       join pg_catalog.pg_language l on l.oid = p.prolang
      where n.nspname not in ('pg_catalog', 'information_schema')
        and not exists (select from pg_catalog.pg_depend d
                         where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e' /* of an extension */)`,
  )
  const sources = new Map(routines.map(({ oid, source }) => [oid, withoutTexts(source)]))
  const verbs = new Map(routines.map(({ oid, language }) => [oid, ownVerb(language, sources.get(oid) ?? '')]))
  let writing = routines.filter(({ oid }) => verbs.get(oid) === 'writes')
  while (writing.length > 0) {
    const calls = new RegExp(`\\b(?:${writing.map(({ name }) => escapePattern(name)).join('|')})"?\\s*\\(`, 'i')
    writing = routines.filter(({ oid }) => verbs.get(oid) !== 'writes' && calls.test(sources.get(oid) ?? ''))
    for (const { oid } of writing) verbs.set(oid, 'writes')
  }
  return new Map(routines.filter((each) => each.is_trigger).map(({ oid, id }) => [id, verbs.get(oid) ?? null]))
}

/** `for update` and `do update` are no updates of their own. */
const WRITES =
  /\b(?:insert\s+into|delete\s+from|merge\s+into|truncate|(?<!\b(?:for|key|do)\s+)update\s+(?!of\b|skip\b|nowait\b))/i
const MAY_WRITE = /\b(?:execute|call)\b/i

function ownVerb(language: string, source: string): WritingTrigger['verb'] | null {
  if (language !== 'plpgsql' && language !== 'sql') return 'may write'
  if (WRITES.test(source)) return 'writes'
  return MAY_WRITE.test(source) ? 'may write' : null
}

/** A source without comments and literals, in which words stand for nothing. */
function withoutTexts(source: string): string {
  return source.replace(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'/g, "''")
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
}
