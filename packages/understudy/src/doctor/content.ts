import { configuredRelations } from '../model/content-relations.js'
import { keepProblems } from '../model/kept-columns.js'
import { relationLabel } from '../model/model.js'
import { readInstance } from '../registry/registry.js'
import { bad, type Finding, good, IMPORTS, some, warning } from './finding.js'
import type { Patient } from './patient.js'

export async function examineEncoding({ catalog }: Patient): Promise<Finding[]> {
  const { encoding } = catalog
  if (encoding === 'UTF8') return [good('encoding', 'UTF8')]
  const consequence =
    encoding === 'SQL_ASCII'
      ? 'it checks nothing, so a value that is not UTF-8 stops an export'
      : 'characters that it lacks cannot be imported'
  return [
    warning(
      'encoding',
      `the database is encoded in ${encoding}: ${consequence}`,
      'Move it into a database with encoding UTF8 (createdb --encoding=UTF8 --template=template0, pg_dump, pg_restore).',
    ),
  ]
}

/** Indexes on text go wrong silently when the operating system sorts otherwise than when they were made. */
export async function examineCollations({ session, catalog, database, content }: Patient): Promise<Finding[]> {
  const findings: Finding[] = []
  const NEWEST_WITHOUT_DATABASE_VERSION = 150000
  if (catalog.serverVersion >= NEWEST_WITHOUT_DATABASE_VERSION) {
    const [row] = await session.query<{ recorded: string | null; actual: string | null }>(
      `select d.datcollversion as recorded, pg_catalog.pg_database_collation_actual_version(d.oid) as actual
         from pg_catalog.pg_database d where d.datname = current_database()`,
    )
    if (row?.recorded != null && row.actual != null && row.recorded !== row.actual) {
      findings.push(
        stale(
          'the database',
          row.recorded,
          row.actual,
          `alter database ${JSON.stringify(catalog.database)} refresh collation version`,
        ),
      )
    }
  }
  const rows = await session.query<{
    name: string
    recorded: string | null
    actual: string | null
    is_deterministic: boolean
  }>(
    `select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname) as name, l.collversion as recorded,
            case when l.collversion is not null then pg_catalog.pg_collation_actual_version(l.oid) end as actual,
            l.collisdeterministic as is_deterministic
       from pg_catalog.pg_collation l
       join pg_catalog.pg_namespace n on n.oid = l.collnamespace
      where l.oid in (select a.attcollation from pg_catalog.pg_attribute a where a.attrelid = any ($1::oid[]) and a.attnum > 0)
      order by 1`,
    [content],
  )
  for (const { name, recorded, actual } of rows) {
    if (recorded === null || actual === null || recorded === actual) continue
    findings.push(stale(`collation ${name}`, recorded, actual, `alter collation ${name} refresh version`))
  }
  const loose = rows.filter((row) => !row.is_deterministic).map(({ name }) => name)
  if (loose.length > 0 && database.driver === 'pglite') {
    findings.push(
      warning(
        'collations',
        `${some(loose)} call different texts equal, which PGlite ignores`,
        'Use a PostgreSQL server where keys depend on it.',
      ),
    )
  }
  return findings.length > 0 ? findings : [good('collations', 'as they were when the indexes were made')]
}

function stale(what: string, recorded: string, actual: string, command: string): Finding {
  return warning(
    'collations',
    `${what} was made with version ${recorded}, the server sorts by ${actual} now`,
    `Indexes on text may miss rows: reindex database, then ${command}.`,
  )
}

/** Types of content that an extension brings: another database needs the same. */
export async function examineExtensions({ session, content }: Patient): Promise<Finding[]> {
  const rows = await session.query<{ name: string; version: string }>(
    `with recursive used as (
       select a.atttypid as oid from pg_catalog.pg_attribute a
        where a.attrelid = any ($1::oid[]) and a.attnum > 0 and not a.attisdropped
       union
       select p.oid from used u join pg_catalog.pg_type t on t.oid = u.oid
        cross join lateral (select t.typelem as oid where t.typelem <> 0 union all select t.typbasetype where t.typbasetype <> 0) p
     )
     select distinct e.extname::text as name, e.extversion as version
       from used u
       join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_type'::regclass and d.objid = u.oid and d.deptype = 'e' /* member */
       join pg_catalog.pg_extension e on e.oid = d.refobjid
      order by 1`,
    [content],
  )
  if (rows.length === 0) return [good('extensions', 'no type of content needs one')]
  return [
    good(
      'extensions',
      `content uses types of ${rows.map(({ name, version }) => `${name} ${version}`).join(', ')}: another database needs them too`,
    ),
  ]
}

/** Policies that would hide rows from this role: then an export or an import ends with an error, never with fewer rows. */
export async function examineRowSecurity({ session, content }: Patient): Promise<Finding[]> {
  const rows = await session.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_catalog.pg_class c
      where c.oid = any ($1::oid[]) and c.relrowsecurity and pg_catalog.row_security_active(c.oid) order by 1`,
    [content],
  )
  if (rows.length === 0) return [good('row security', 'hides no content from this role')]
  return [
    bad(
      'row security',
      ['export', ...IMPORTS],
      `policies hide rows from this role: ${some(rows.map(({ name }) => name))}`,
      'Use the owner of these relations or a role with bypassrls, or exclude them.',
    ),
  ]
}

export async function examineModel({ session, settings, catalog, built }: Patient): Promise<Finding[]> {
  const findings: Finding[] = []
  const { relations } = built.model
  const configured = configuredRelations(catalog, settings)
  const unkept = relations.flatMap((each) => keepProblems(each, configured.get(relationLabel(each)) ?? {}))
  if (unkept.length > 0)
    findings.push(bad('model', ['export', ...IMPORTS], unkept.join('; '), 'Correct `keep` in the configuration.'))
  const problems = built.problems.filter((problem) => !unkept.includes(problem))
  if (problems.length > 0) {
    findings.push(
      bad(
        'model',
        ['export'],
        `the content model has problems: ${problems.join('; ')}`,
        'Mend the configuration (relations, references, exclude); `understudy inspect` shows the model.',
      ),
    )
  }
  const labels = new Map(catalog.relations.map((relation) => [relationLabel(relation), relation]))
  const ruled = relations.map(relationLabel).filter((label) => (labels.get(label)?.rules.length ?? 0) > 0)
  if (ruled.length > 0) {
    findings.push(
      bad(
        'model',
        IMPORTS,
        `rewrite rules change what is written to ${some(ruled)}`,
        'Drop the rules, or exclude these relations.',
      ),
    )
  }
  const instance = await readInstance(session)
  const marked = [settings.environment, instance?.environment].find((word) => word === 'safe' || word === 'production')
  if (marked !== undefined) {
    findings.push(good('model', `marked ${marked}: an import asks for --target-name ${catalog.database}`))
  }
  const byOrigin = relations.filter((relation) => relation.identity.kind === 'origin').map(relationLabel)
  if (byOrigin.length > 0) {
    findings.push(
      warning(
        'model',
        `rows are known by where they were born only: ${some(byOrigin)}`,
        'Give these relations a key if they have one (`understudy inspect --profile` looks for it).',
      ),
    )
  }
  return [good('model', `${relations.length} relations travel`), ...findings]
}
