import type { RelationConfig } from '../config/define-config.js'
import type { Session } from '../database/port.js'
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../database/quoting.js'
import { useSearchPath } from '../database/settings.js'
import { copyExpression } from '../model/copy-sql.js'
import type { Finding } from '../model/finding.js'
import { Joins } from '../model/joins.js'
import { type ContentRelation, relationLabel } from '../model/model.js'
import { findDuplicateIdentities, findNullIdentities } from '../model/preflight.js'
import { sequenceState } from '../model/sequence-state.js'
import { catalogRelation, fromRelation, type SqlContext } from '../model/sql-context.js'
import { isRegistryReadable } from '../registry/registry.js'
import { type Check, findOffending, NO_OFFENCE, type Offence } from './check.js'
import { rowLabel } from './row-label.js'

/** The configuration and the catalog fit each other. */
export function modelCheck(problems: readonly string[]): Check {
  return {
    name: 'relations and columns are as the configuration expects',
    section: 'tables',
    severity: 'error',
    find: async () => (problems.length === 0 ? NO_OFFENCE : { ...NO_OFFENCE, message: problems.join('\n') }),
  }
}

/** Every row has an identity, and one of its own. */
export function identityChecks(context: SqlContext): Check[] {
  return context.model.relations.flatMap((relation) => {
    if (relation.identity.kind === 'content') return []
    const what = `${relationLabel(relation)}: the identity (${relation.identity.columns.join(', ')})`
    const check = (claim: string, find: typeof findNullIdentities): Check => ({
      name: `${what} ${claim}`,
      section: 'identities',
      severity: 'error',
      find: async (session) => toOffence(await find(session, context, relation)),
    })
    return [check('is never null', findNullIdentities), check('is unique', findDuplicateIdentities)]
  })
}

function toOffence([finding]: readonly Finding[]): Offence {
  return finding === undefined ? NO_OFFENCE : { rows: finding.rows, samples: finding.samples }
}

/** Check constraints and not-null constraints that were added `not valid` hold; foreign keys are looked at anyway. */
export async function constraintChecks(session: Session, context: SqlContext): Promise<Check[]> {
  const unproven = await session.query<{ schema: string; relation: string; name: string; broken: string }>(
    `select n.nspname::text as schema, c.relname::text as relation, o.conname::text as name,
            case o.contype
              when 'c' /* check */ then '(' || pg_catalog.pg_get_expr(o.conbin, o.conrelid) || ') is false'
              else (select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname) || ' is null', ' or ')
                      from pg_catalog.pg_attribute a
                     where a.attrelid = o.conrelid and a.attnum = any (o.conkey))
            end as broken
       from pg_catalog.pg_constraint o
       join pg_catalog.pg_class c on c.oid = o.conrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where o.contype in ('c', 'n' /* not null, from PostgreSQL 18 on */) and not o.convalidated
      order by 1, 2, 3`,
  )
  return unproven.flatMap(({ schema, relation: name, name: constraint, broken }) => {
    const relation = context.model.relations.find((each) => each.schema === schema && each.name === name)
    if (relation === undefined) return []
    const joins = new Joins()
    const label = rowLabel(context, relation, joins)
    // The constraint's columns stand without a prefix: they are looked up in a query of their own.
    const from = `(select *, ctid, (${broken}) as "$broken" from ${fromRelation(context, relation)}) s ${joins}`
    return {
      name: `${relationLabel(relation)}: the constraint ${constraint} holds, though it is not valid yet`,
      section: 'consistency',
      severity: 'error' as const,
      find: (within: Session) => findOffending(within, `select ${label} as sample from ${from} where s."$broken"`),
    }
  })
}

/** Every sequence will give numbers that are free in all columns that it fills. */
export function sequenceChecks(context: SqlContext): Check[] {
  const filled = new Map<string, string[]>()
  for (const relation of context.model.relations) {
    for (const column of catalogRelation(context, relation).columns) {
      if (column.sequence === null) continue
      const name = quoteQualified(column.sequence)
      filled.set(name, [...(filled.get(name) ?? []), `${relationLabel(relation)}.${column.name}`])
    }
  }
  return [...filled].map(([name, columns]) => ({
    name: `${columns.join(', ')}: the sequence is ahead`,
    section: 'consistency',
    severity: 'error',
    find: async (session) => {
      const [state] = await session.query<{ next: string; lags: boolean }>(sequenceState(context, name))
      if (state === undefined || !state.lags) return NO_OFFENCE
      return { ...NO_OFFENCE, message: `${name} must go on with ${state.next}, and stands before that` }
    },
  }))
}

/** No reference waits for its target, and no row stands in for one. They are stages of a move, so they warn. */
export function placeholderChecks(context: SqlContext): Check[] {
  const late: Check = {
    name: 'no reference waits for its target',
    section: 'references',
    severity: 'warning',
    find: async (session) => {
      if (!(await isRegistryReadable(session, 'late_reference'))) return NO_OFFENCE
      return await findOffending(
        session,
        `select relation || ' ' || local_key || '.' || column_name || ' -> ' || target || ' ' || identity::text as sample
           from understudy.late_reference
          order by 1`,
      )
    },
  }
  const left = context.model.relations.flatMap((relation): Check[] => {
    const { placeholder } = configOf(context, relation)
    if (placeholder === undefined) return []
    const conditions = Object.entries(placeholder).map(
      ([name, value]) => `s.${quoteIdentifier(name)}::text = ${quoteLiteral(String(value))}`,
    )
    const joins = new Joins()
    const label = rowLabel(context, relation, joins)
    const select = `select ${label} as sample from ${fromRelation(context, relation)} s ${joins} where ${conditions.join(' and ')}`
    return [
      {
        name: `${relationLabel(relation)}: no placeholder is left`,
        section: 'identities',
        severity: 'warning',
        find: (session) => findOffending(session, select),
      },
    ]
  })
  return [late, ...left]
}

/** Copies that triggers keep, where the configuration says how to compute them anew. */
export function copyChecks(context: SqlContext): Check[] {
  return context.model.relations.flatMap((relation) =>
    Object.entries(configOf(context, relation).copies ?? {}).map(
      ([column, expression]): Check => ({
        name: `${relationLabel(relation)}.${column} is up to date`,
        section: 'consistency',
        severity: 'error',
        find: async (session) => {
          const own = catalogRelation(context, relation).columns.find((each) => each.name === column)
          if (own === undefined) return { ...NO_OFFENCE, message: `${relationLabel(relation)} has no column ${column}` }
          const joins = new Joins()
          const label = rowLabel(context, relation, joins)
          const { isStale } = copyExpression(relation, own, expression, 's')
          await useSearchPath(session, 'own')
          return await findOffending(
            session,
            `select ${label} as sample
               from ${fromRelation(context, relation)} s ${joins}
              where ${isStale}`,
          )
        },
      }),
    ),
  )
}

function configOf(context: SqlContext, relation: ContentRelation): RelationConfig {
  return context.configured.get(relationLabel(relation)) ?? {}
}

/** All checks that the catalog and the configuration give by themselves, references excepted. */
export async function modelChecks(
  session: Session,
  context: SqlContext,
  { problems }: { readonly problems: readonly string[] },
): Promise<Check[]> {
  return [
    modelCheck(problems),
    ...identityChecks(context),
    ...(await constraintChecks(session, context)),
    ...sequenceChecks(context),
    ...placeholderChecks(context),
    ...copyChecks(context),
  ]
}
