import { describeSqlError } from '../database/failures.js'
import type { Session } from '../database/port.js'
import { quoteQualified } from '../database/quoting.js'
import { useSearchPath } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { findRefreshed } from '../import/materialized-views.js'
import { selectPackages } from '../import/packages.js'
import { loadSeeds } from '../import/seeds.js'
import { configuredRelations } from '../model/content-relations.js'
import { copyExpression } from '../model/copy-sql.js'
import { lineSelect } from '../model/line-sql.js'
import { type ContentRelation, relationLabel } from '../model/model.js'
import { createSqlContext, fromRelation, type SqlContext } from '../model/sql-context.js'
import { loadChecks } from '../validate/load-checks.js'
import { bad, type Finding, good, IMPORTS, warning } from './finding.js'
import type { Patient } from './patient.js'

/** What the configuration says and an export or an import would refuse only when it comes to it. What fits no catalog at all is the model's. */
export async function examineConfiguration(patient: Patient): Promise<Finding[]> {
  const findings = [
    ...(await maskFindings(patient)),
    ...(await copyFindings(patient)),
    ...(await refreshFindings(patient)),
    ...(await packageFindings(patient)),
    ...(await seedFindings(patient)),
    ...(await checkFindings(patient)),
  ]
  return findings.length > 0 ? findings : [good('configuration', 'can be carried out here')]
}

/** An expression is tried in the select that an export would send. */
async function maskFindings({ session, catalog, built }: Patient): Promise<Finding[]> {
  if (built.problems.length > 0) return []
  const context = createSqlContext(catalog, built.model, null)
  const findings: Finding[] = []
  for (const relation of built.model.relations) {
    const masked = relation.columns.filter(({ mask }) => mask !== undefined)
    for (const column of masked) {
      const said = await whyRefused(session, `${lineSelect(context, relation, [column])} limit 1`)
      if (said !== null) findings.push(badMask(relation, column.name, said))
    }
    if (masked.length === 0 || findings.some(({ message }) => message.includes(`${relationLabel(relation)}.mask.`)))
      continue
    // Beside the others, which bring other relations along, a name may mean two columns.
    const said = await whyRefused(session, `${lineSelect(context, relation, relation.columns)} limit 0`)
    if (said !== null) findings.push(badMask(relation, masked.map(({ name }) => name).join(', '), said))
  }
  return findings
}

function badMask(relation: ContentRelation, column: string, said: string): Finding {
  const label = relationLabel(relation)
  const message = `relations.${label}.mask.${column}: ${said}`
  return bad(
    'configuration',
    ['export'],
    message,
    `Correct the expression in the configuration: it stands in a select of ${quoteQualified(relation)} s, and is cast to the column’s type; functions of your own need their schema.`,
  )
}

async function copyFindings({ session, settings, catalog, built }: Patient): Promise<Finding[]> {
  const context = createSqlContext(catalog, built.model, null)
  const findings: Finding[] = []
  for (const [label, { copies = {} }] of configuredRelations(catalog, settings)) {
    for (const [name, expression] of Object.entries(copies)) {
      const said = await whyUncomputable(session, context, { label, name, expression })
      if (said === null) continue
      const remedy =
        'Correct the expression in the configuration: it names the row’s own columns `<relation>.<column>`.'
      findings.push(bad('configuration', IMPORTS, `relations.${label}.copies.${name}: ${said}`, remedy))
    }
  }
  return findings
}

async function whyUncomputable(
  session: Session,
  context: SqlContext,
  { label, name, expression }: { readonly label: string; readonly name: string; readonly expression: string },
): Promise<string | null> {
  const relation = context.relations.get(label)
  const column = relation?.columns.find((each) => each.name === name)
  if (relation === undefined || column === undefined) return null
  const { isStale } = copyExpression(relation, column, expression, 't')
  await useSearchPath(session, 'own')
  const said = await whyRefused(session, `select from ${fromRelation(context, relation)} t where ${isStale} limit 1`)
  await useSearchPath(session, 'none')
  return said
}

const INSUFFICIENT_PRIVILEGE = '42501'

/** What the database says against a select; null where it does it. */
async function whyRefused(session: Session, select: string): Promise<string | null> {
  await session.script('savepoint understudy_expression')
  try {
    await session.query(select)
    return null
  } catch (error) {
    const facts = describeSqlError(error)
    if (facts === undefined) throw error
    // That is said of the relation.
    if (facts.sqlstate === INSUFFICIENT_PRIVILEGE) return null
    return [facts.message, facts.detail].filter(Boolean).join(': ')
  } finally {
    await session.script('rollback to savepoint understudy_expression; release savepoint understudy_expression')
  }
}

async function refreshFindings({ session, settings, catalog }: Patient): Promise<Finding[]> {
  const refused = await whyThrown(() => findRefreshed(catalog.relations, settings.refresh))
  if (refused !== null) {
    return [bad('configuration', IMPORTS, refused, 'Correct `refresh` in the configuration, or make the view here.')]
  }
  const views = findRefreshed(catalog.relations, settings.refresh).filter(({ isOwned }) => !isOwned)
  const NEWEST_WITHOUT_MAINTAIN = 170000
  const rows =
    catalog.serverVersion < NEWEST_WITHOUT_MAINTAIN
      ? views
      : await session.query<{ schema: string; name: string }>(
          `select n.nspname::text as schema, c.relname::text as name
             from pg_catalog.pg_class c
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.oid = any ($1::oid[]) and not pg_catalog.has_table_privilege(c.oid, 'MAINTAIN')`,
          [views.map(({ oid }) => oid)],
        )
  return rows.map((view) =>
    bad(
      'configuration',
      IMPORTS,
      `the role may not refresh the materialized view ${relationLabel(view)}`,
      'Import as its owner, or take it out of `refresh` in the configuration.',
    ),
  )
}

async function packageFindings({ settings, built }: Patient): Promise<Finding[]> {
  const dataPackages = settings.dataPackages.map((each) => ({ ...each, seeds: [], after: [] }))
  const refused = await whyThrown(() =>
    selectPackages({ ...settings, dataPackages }, built.model.relations, 'replace', {}),
  )
  if (refused === null) return []
  const remedy = 'Name each relation in exactly one package (`dataPackages.<name>.relations`), or exclude it.'
  return [bad('configuration', IMPORTS, refused, remedy)]
}

/** Each by itself, so that all of them are named. */
async function seedFindings({ settings }: Patient): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { seeds, after, modes } of settings.dataPackages) {
    for (const seed of [...seeds, ...after]) {
      const [mode, ...others] = modes.filter((each) => seed.modes.includes(each))
      if (mode === undefined) continue
      const refused = await whyThrown(() => loadSeeds([seed], mode, settings.root))
      if (refused === null) continue
      const remedy = 'Mend the file, or correct `dataPackages` in the configuration.'
      findings.push(bad('configuration', [mode, ...others], refused, remedy))
    }
  }
  return findings
}

async function checkFindings({ settings }: Patient): Promise<Finding[]> {
  const refused = await whyThrown(() => loadChecks(settings))
  if (refused === null) return []
  const remedy = 'Mend the checks, or correct `checks` in the configuration.'
  // Without a package that runs them, only `understudy validate` needs them.
  return settings.dataPackages.some(({ isValidation }) => isValidation)
    ? [bad('configuration', IMPORTS, refused, remedy)]
    : [warning('configuration', refused, remedy)]
}

/** What the engine's own function says against it; null where it says nothing. */
async function whyThrown(work: () => unknown): Promise<string | null> {
  try {
    await work()
    return null
  } catch (error) {
    if (!(error instanceof UnderstudyError)) throw error
    return [error.message, error.detail?.replaceAll('\n', '; ')].filter(Boolean).join(': ')
  }
}
