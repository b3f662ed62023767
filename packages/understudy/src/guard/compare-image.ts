import type { Session } from '../database/port.js'
import { quoteLiteral } from '../database/quoting.js'
import { type Image, type ImageColumn, imageSelect } from './image.js'
import { type Loss, MAX_SAMPLES } from './loss.js'
import type { ShapeRelation } from './shape.js'
import { catalogOf, labelOf, type Side } from './side.js'
import { columnAfter, successorOf } from './traces.js'

/** Compares a relation's rows after the migration with their image: rows that are gone, and values that do not come back. */
export async function compareImage(
  session: Session,
  image: Image,
  sides: { readonly before: Side; readonly after: Side; readonly leftPartitions: readonly ShapeRelation[] },
): Promise<Loss[]> {
  const { before, after } = sides
  const successor = successorOf(image.relation, before.shape, after.shape)
  if (successor === undefined) return []
  const pairs = `${image.table}_pairs`
  await session.execute(pairStatement(image, imageSelect(after, image, successor)))
  const [found] = await session.query<{ lost: number; changed: number }>(
    `select count(*) filter (where is_lost) as lost, count(*) filter (where not is_lost) as changed from ${pairs}`,
  )
  const losses: Loss[] = []
  if ((found?.lost ?? 0) > 0) losses.push(...(await lostRows(session, image, sides.leftPartitions)))
  if ((found?.changed ?? 0) === 0) return losses
  for (const column of image.columns) losses.push(...(await lostValues(session, image, column, { before, after })))
  return losses
}

/** Pairs every kept row with the row that has its key now; keeps the pairs that differ. */
function pairStatement(image: Image, select: string): string {
  const names = image.columns.map(({ column }) => `c${column.number}`)
  const row = (alias: string) => `row(${names.map((name) => `${alias}.${name}`).join(', ')})`
  const values = names.flatMap((name) => [`i.${name} as o${name}`, `t.${name} as n${name}`])
  const differs = names.length === 0 ? '' : `or ${row('i')} is distinct from ${row('t')}`
  const columns = ['key', 'n', 'part', ...names].join(', ')
  return `create temporary table ${image.table.replace('pg_temp.', '')}_pairs on commit drop as
    select ${['i.key', 'i.n', 'i.part', 't.found is null as is_lost', ...values].join(', ')}
      from ${image.table} i
      left join (select true as found, y.* from (${select}) y(${columns})) t on t.key = i.key and t.n = i.n
     where t.found is null ${differs}`
}

/** Rows that are gone, those of a partition that left under the partition's name. */
async function lostRows(session: Session, image: Image, left: readonly ShapeRelation[]): Promise<Loss[]> {
  const parts = left.filter(({ root }) => root === image.relation.oid)
  const label = labelOf(image.relation)
  const rows = await session.query<{ part: number | null; total: number; samples: string[] }>(
    `select l.part, count(*) as total, (array_agg(${sampleOf('l.key')} order by l.key))[1:${MAX_SAMPLES}] as samples
       from (select key, case when part in (${[0, ...parts.map(({ oid }) => oid)].join(', ')}) then part end as part
               from ${image.table}_pairs where is_lost) l
      group by l.part
      order by l.part nulls first`,
  )
  return rows.map(({ part, total, samples }): Loss => {
    const partition = parts.find(({ oid }) => oid === part)
    if (partition === undefined)
      return { kind: 'rows', word: label, description: `${some(total, 'row')} gone`, count: total, samples }
    const description = `the partition leaves ${label}, with ${count(total, 'row')}`
    return { kind: 'partition', word: labelOf(partition), description, count: total, samples }
  })
}

/** In what way values do not come back, the plainest first: a value is counted once. */
async function lostValues(
  session: Session,
  image: Image,
  kept: ImageColumn,
  { before, after }: { readonly before: Side; readonly after: Side },
): Promise<Loss[]> {
  const pairs = `${image.table}_pairs`
  const [old, now] = [`p.oc${kept.column.number}`, `p.nc${kept.column.number}`]
  const changed = `from ${pairs} p where not p.is_lost and ${old} is distinct from ${now} and ${isValue(old)}`
  const [any] = await session.query<{ any: boolean }>(`select exists (select ${changed}) as any`)
  if (any?.any !== true) return []
  const types = typesOf(image, kept, { before, after })
  const findings: { description: (total: number) => string; condition: string }[] = [
    { description: (total) => `${some(total, 'value')} wiped`, condition: `not ${isValue(now)}` },
  ]
  if (kept.isRetyped) {
    const back = await createBackFunction(session, types)
    findings.push({
      description: (total) => `${count(total, 'value')} cannot be had back from ${types.now}, having been ${types.old}`,
      condition: `${isValue(now)} and pg_temp.${back}(${now}) is distinct from ${old}`,
    })
  } else {
    const narrowed = `${isValue(now)} and ${isNarrowed(old, now, kept, types)}`
    findings.push({ description: (total) => `${some(total, 'value')} cut short`, condition: narrowed })
    findings.push({
      description: (total) => `${count(total, 'value')} cannot be told from others any more`,
      condition: `${isValue(now)} and not (${isNarrowed(old, now, kept, types)}) and ${now} in (${mergedValues(image, kept)})`,
    })
  }
  const losses: Loss[] = []
  for (const { description, condition } of findings) {
    const [row] = await session.query<{ total: number; samples: string[] | null }>(
      `select count(*) as total,
              (array_agg(${sampleOf('q.key')} || ' (' || left(to_json(q.old)::text, 40) || ')' order by q.key) filter (where q.n <= ${MAX_SAMPLES})) as samples
         from (select p.key, ${old} as old, row_number() over (order by p.key) as n ${changed} and ${condition}) q`,
    )
    const total = row?.total ?? 0
    if (total === 0) continue
    const word = `${labelOf(image.relation)}.${kept.column.name}`
    losses.push({ kind: 'values', word, description: description(total), count: total, samples: row?.samples ?? [] })
  }
  return losses
}

interface Types {
  readonly old: string
  readonly now: string
  readonly isText: boolean
  readonly isNumber: boolean
  readonly isDocument: boolean
  /** An array or a composite, which can be read as JSON. */
  readonly isCompound: boolean
}

function typesOf(image: Image, kept: ImageColumn, sides: { readonly before: Side; readonly after: Side }): Types {
  const { before, after } = sides
  const old = catalogOf(before, image.relation)?.columns.find(({ name }) => name === kept.column.name)
  const successor = successorOf(image.relation, before.shape, after.shape)
  const name = successor && columnAfter(image.relation, successor, kept.column)?.name
  const now = successor && catalogOf(after, successor)?.columns.find((column) => column.name === name)
  const base = now?.baseType ?? 'text'
  const type = now && after.catalog.types.get(now.typeOid)
  return {
    old: old?.type ?? 'text',
    now: now?.type ?? 'text',
    isText: kept.as === 'text' && /^(text|character( varying)?(\(\d+\))?|(\w+\.)?citext)$/.test(base),
    isNumber: kept.as === 'text' && /^(numeric(\(.*\))?|real|double precision)$/.test(base),
    isDocument: kept.as === 'text' && /^jsonb?$/.test(base),
    isCompound: kept.as === 'text' && type !== undefined && (type.element !== null || type.attributes.length > 0),
  }
}

/** What holds nothing: null, the empty text, an empty array, object or list. */
export function isValue(text: string): string {
  return `coalesce(${text} not in ('', '{}', '[]'), false)`
}

/** Whether the new value is only a part of the old one. A `case`, because nothing else fixes the order in which casts are tried. */
function isNarrowed(old: string, now: string, kept: ImageColumn, types: Types): string {
  const isShorter = `length(${now}) < length(${old})`
  if (types.isText) return `${isShorter} and starts_with(${old}, ${now}) and rtrim(${old}) <> rtrim(${now})`
  if (types.isNumber)
    return `abs(${old}::numeric - ${now}::numeric) < 1 and scale(trim_scale(${now}::numeric)) < scale(trim_scale(${old}::numeric))`
  if (types.isDocument) return `case when ${isShorter} then ${old}::jsonb @> ${now}::jsonb else false end`
  if (types.isCompound && kept.as === 'text')
    return `case when ${isShorter} then to_jsonb(${old}::${types.now}) @> jsonb_strip_nulls(to_jsonb(${now}::${types.now})) else false end`
  return 'false'
}

/**
 * New values that rows share whose values were different before: nobody can say any more which was which. A value that only changed its name,
 * everywhere, is not among them.
 */
function mergedValues(image: Image, { column }: ImageColumn): string {
  const [name, old, now] = [`c${column.number}`, `oc${column.number}`, `nc${column.number}`]
  const changed = `select c.${old} as old, c.${now} as now from ${image.table}_pairs c
                    where not c.is_lost and c.${old} is distinct from c.${now} and ${isValue(`c.${old}`)}`
  return `select x.now
            from (select now, count(distinct old) as sources from (${changed}) c group by now) x
            left join (select i.${name} as value, count(*) as rows from ${image.table} i group by i.${name}) i on i.value = x.now
            left join (select c.old as value, count(*) as rows from (${changed}) c group by c.old) c on c.value = x.now
           where x.sources > 1 or coalesce(i.rows, 0) > coalesce(c.rows, 0)`
}

/**
 * Makes a function that casts a value, given as text, back to its former type, and gives null where that fails or the type is gone. The text
 * itself counts too: what an enum's label was is still there as text.
 */
async function createBackFunction(session: Session, types: Types): Promise<string> {
  const name = 'understudy_back'
  const body = `
    declare found text;
    begin
      begin
        found := (value::${types.now})::${types.old}::text;
      exception when others then
        found := null;
      end;
      if found is null then
        begin
          found := value::${types.old}::text;
        exception when others then
          found := null;
        end;
      end if;
      return found;
    end`
  await session.execute(
    `create or replace function pg_temp.${name}(value text) returns text language plpgsql as ${quoteLiteral(body)}`,
  )
  return name
}

/** A row as messages name it. */
function sampleOf(key: string): string {
  return `left(array_to_string(${key}, ', ', 'null'), 80)`
}

function some(total: number, thing: string): string {
  return `${count(total, thing)} ${total === 1 ? 'is' : 'are'}`
}

export function count(total: number, thing: string): string {
  return `${total.toLocaleString('en')} ${thing}${total === 1 ? '' : 's'}`
}
