import type { Relation } from '../catalog/catalog.js'
import type { Session } from '../database/port.js'
import { quoteLiteral, quoteQualified } from '../database/quoting.js'
import { useSearchPath } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { toPattern } from '../model/content-relations.js'
import { orderByTargets } from '../model/order.js'

/** The materialized views that the configuration's `refresh` means; a name that means none is an error. */
export function findRefreshed(relations: readonly Relation[], names: readonly string[]): Relation[] {
  const views = relations.filter((relation) => relation.kind === 'materialized view')
  const means = (name: string) => {
    const pattern = toPattern(name)
    return views.filter((view) => [view.name, `${view.schema}.${view.name}`].some((each) => pattern.test(each)))
  }
  const unknown = names.filter((name) => means(name).length === 0)
  if (unknown.length === 0) return [...new Set(names.flatMap(means))]
  throw new UnderstudyError(
    'CONFIG_INVALID',
    'the configuration names materialized views that the target does not have',
    {
      detail: unknown.map((name) => `refresh: there is no materialized view ${name}`).join('\n'),
      hint: 'Nothing was written. Correct `refresh` in the configuration, or make the view.',
    },
  )
}

/** Refreshes materialized views inside the transaction, so that they never show anything but what the tables hold; those that others read come first. */
export async function refreshViews(session: Session, views: readonly Relation[]): Promise<void> {
  if (views.length === 0) return
  // Before PostgreSQL 17 a view's function may name a table without its schema.
  await useSearchPath(session, 'own')
  for (const view of await inOrder(session, views)) {
    await session.execute(`refresh materialized view ${quoteQualified(view)}`)
  }
  await useSearchPath(session, 'none')
}

async function inOrder(session: Session, views: readonly Relation[]): Promise<Relation[]> {
  const byName = new Map(views.map((view) => [quoteQualified(view), view]))
  const uses = await session.query<{ view: number; used: number }>(USES, [
    `{${views.map((view) => view.oid).join(',')}}`,
  ])
  const nameOf = (oid: number) => [...byName].find(([, view]) => view.oid === oid)?.[0] ?? ''
  const targetsOf = (name: string) => uses.filter(({ view }) => nameOf(view) === name).map(({ used }) => nameOf(used))
  return orderByTargets([...byName.keys()], targetsOf)
    .flat()
    .flatMap((name) => byName.get(name) ?? [])
}

/** Which of the views reads which other, also through ordinary views: a view's rule depends on what it reads (manual, "pg_depend"). */
const USES = `
with recursive uses as (
  select r.ev_class as view, d.refobjid as used
    from pg_catalog.pg_rewrite r
    join pg_catalog.pg_depend d on d.classid = ${quoteLiteral('pg_catalog.pg_rewrite')}::regclass and d.objid = r.oid
   where d.refclassid = ${quoteLiteral('pg_catalog.pg_class')}::regclass and d.refobjid <> r.ev_class
), chains as (
  select view, used from uses
  union
  select c.view, u.used from chains c join uses u on u.view = c.used
)
select view::int8 as view, used::int8 as used
  from chains
 where view = any ($1::oid[]) and used = any ($1::oid[])`
