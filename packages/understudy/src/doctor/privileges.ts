import { quoteIdentifier, quoteLiteral, quoteQualified } from '../database/quoting.js'
import { type RelationName, relationLabel } from '../model/model.js'
import { createSqlContext } from '../model/sql-context.js'
import { type Ability, bad, type Finding, good, IMPORTS, some, warning } from './finding.js'
import type { Patient } from './patient.js'

interface RoleFacts {
  readonly role: string
  readonly may_make_temporary: boolean
  readonly may_create: boolean
  readonly may_create_anywhere: boolean
  readonly has_registry: boolean
  readonly may_use_registry: boolean
}

interface RelationRights extends RelationName {
  readonly sees: boolean
  readonly reads: boolean
  readonly writes: boolean
  readonly owns: boolean
  readonly has_triggers: boolean
}

/** What the role lacks, each with the `grant` that would help. */
export async function examinePrivileges(patient: Patient): Promise<Finding[]> {
  const { session, catalog, content } = patient
  const [facts] = await session.query<RoleFacts & Record<string, unknown>>(ROLE_FACTS)
  if (facts === undefined) return []
  const role = quoteIdentifier(facts.role)
  const findings = registryFindings(facts, quoteIdentifier(catalog.database), role)
  const relations = await session.query<RelationRights & Record<string, unknown>>(RELATION_RIGHTS, [content])
  const lacking = (lacks: (relation: RelationRights) => boolean) => relations.filter(lacks)
  const add = (
    prevents: readonly Ability[],
    lacks: (relation: RelationRights) => boolean,
    what: string,
    privilege: string,
  ) => {
    const concerned = lacking(lacks)
    if (concerned.length === 0) return
    findings.push(
      bad(
        'privileges',
        prevents,
        `the role may not ${what} ${some(concerned.map(relationLabel))}`,
        `As their owner: grant ${privilege} on ${some(concerned.map(quoteQualified))} to ${role}.`,
      ),
    )
  }
  const hidden = [...new Set(lacking((each) => !each.sees).map(({ schema }) => schema))]
  if (hidden.length > 0) {
    findings.push(
      bad(
        'privileges',
        ['export', ...IMPORTS],
        `the role may not use the schemas ${some(hidden)}`,
        `As their owner: grant usage on schema ${hidden.map(quoteIdentifier).join(', ')} to ${role}.`,
      ),
    )
  }
  add(['export', ...IMPORTS], (each) => !each.reads, 'read', 'select')
  add(IMPORTS, (each) => !each.writes, 'write to', 'insert, update, delete')
  findings.push(...(await sequenceFindings(patient, role)), ...triggerFindings(patient, relations))
  const foreign = lacking((each) => !each.owns).map(relationLabel)
  if (foreign.length > 0) {
    findings.push(
      warning(
        'privileges',
        `migrations cannot alter relations of other owners: ${some(foreign)}`,
        'Run migrations as their owner. An import works, but keeps foreign keys and indexes in place while it loads.',
      ),
    )
  }
  return findings.length > 0 ? findings : [good('privileges', `role ${facts.role} may do all that is needed`)]
}

function registryFindings(facts: RoleFacts, database: string, role: string): Finding[] {
  const findings: Finding[] = []
  if (!facts.may_make_temporary) {
    findings.push(
      bad(
        'privileges',
        IMPORTS,
        'the role may not make temporary tables',
        `As the owner of the database: grant temporary on database ${database} to ${role}.`,
      ),
    )
  }
  if (!facts.has_registry && !facts.may_create) {
    findings.push(
      bad(
        'privileges',
        [...IMPORTS, 'migrate'],
        'the registry (schema understudy) is missing and the role may not make it',
        `As the owner of the database: grant create on database ${database} to ${role}, or run the first command as the owner. An export works, without lineage.`,
      ),
    )
  }
  if (facts.has_registry && !facts.may_use_registry) {
    findings.push(
      bad(
        'privileges',
        [...IMPORTS, 'migrate'],
        'the role may not read and write the registry (schema understudy)',
        `As its owner: grant usage on schema understudy to ${role}; grant select, insert, update, delete on all tables in schema understudy to ${role}.`,
      ),
    )
  }
  if (!facts.may_create && !facts.may_create_anywhere) {
    findings.push(
      bad(
        'privileges',
        ['migrate'],
        'the role may create nothing in any schema',
        `As the owner of a schema: grant create on schema … to ${role}.`,
      ),
    )
  }
  return findings
}

/** New rows draw from sequences, which are read, moved and advanced; whoever owns one may do all that. */
async function sequenceFindings({ session, catalog, built }: Patient, role: string): Promise<Finding[]> {
  const context = createSqlContext(catalog, built.model, null)
  const names = built.model.relations.flatMap((relation) =>
    (context.relations.get(relationLabel(relation))?.columns ?? []).flatMap(({ sequence }) =>
      sequence === null ? [] : [quoteQualified(sequence)],
    ),
  )
  const rows = await session.query<{ name: string; draws: boolean; moves: boolean }>(
    `select s.name,
            has_sequence_privilege(s.name, 'SELECT') and has_sequence_privilege(s.name, 'USAGE, UPDATE') as draws,
            has_sequence_privilege(s.name, 'UPDATE') as moves
       from unnest($1::text[]) s(name)
       join pg_catalog.pg_class c on c.oid = to_regclass(s.name)
      where not pg_catalog.pg_has_role(c.relowner, 'USAGE') and pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')`,
    [[...new Set(names)]],
  )
  const stuck = rows.filter(({ draws }) => !draws).map(({ name }) => name)
  const lagging = rows.filter(({ draws, moves }) => draws && !moves).map(({ name }) => name)
  const findings: Finding[] = []
  if (stuck.length > 0) {
    findings.push(
      bad(
        'privileges',
        IMPORTS,
        `the role may not draw from the sequences ${some(stuck)}`,
        `As their owner: grant select, usage, update on sequence ${some(stuck)} to ${role}.`,
      ),
    )
  }
  if (lagging.length > 0) {
    findings.push(
      warning(
        'privileges',
        `the role may not move the sequences ${some(lagging)}: an import fails where one lags behind its table`,
        `As their owner: grant update on sequence ${some(lagging)} to ${role}.`,
      ),
    )
  }
  return findings
}

/** Only an owner may suspend triggers. */
function triggerFindings({ settings }: Patient, relations: readonly RelationRights[]): Finding[] {
  if (settings.triggers === 'fire') return []
  const concerned = relations.filter(({ owns, has_triggers }) => !owns && has_triggers).map(relationLabel)
  if (concerned.length === 0) return []
  return [
    bad(
      'privileges',
      IMPORTS,
      `only the owner may suspend the triggers of ${some(concerned)}`,
      "Import as their owner, or configure `triggers: 'fire'` where they change nothing.",
    ),
  ]
}

const REGISTRY_TABLES = ['instance', 'origin', 'transfer', 'late_reference']

const ROLE_FACTS = `
  select current_user::text as role,
         has_database_privilege(current_database(), 'TEMPORARY') as may_make_temporary,
         has_database_privilege(current_database(), 'CREATE') as may_create,
         exists (select from pg_catalog.pg_namespace n
                  where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and has_schema_privilege(n.oid, 'CREATE')) as may_create_anywhere,
         exists (select from pg_catalog.pg_namespace n where n.nspname = 'understudy') as has_registry,
         coalesce((select bool_and(has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT')
                                   and has_table_privilege(c.oid, 'INSERT') and has_table_privilege(c.oid, 'UPDATE') and has_table_privilege(c.oid, 'DELETE'))
                     from pg_catalog.pg_class c
                     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                    where n.nspname = 'understudy' and c.relname in (${REGISTRY_TABLES.map(quoteLiteral).join(', ')})), false) as may_use_registry`

/** tgenabled: O ordinary, A always. Rights may also be given column by column. */
const RELATION_RIGHTS = `
  select n.nspname::text as schema, c.relname::text as name,
         pg_catalog.has_schema_privilege(n.oid, 'USAGE') as sees,
         has_table_privilege(c.oid, 'SELECT') or coalesce((select bool_and(has_column_privilege(c.oid, a.attnum, 'SELECT'))
           from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), false) as reads,
         has_table_privilege(c.oid, 'INSERT') and has_table_privilege(c.oid, 'UPDATE') and has_table_privilege(c.oid, 'DELETE') as writes,
         pg_catalog.pg_has_role(c.relowner, 'USAGE') as owns,
         exists (select from pg_catalog.pg_trigger t
                  where (t.tgrelid = c.oid or t.tgrelid in (select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = c.oid))
                    and not t.tgisinternal and t.tgconstraint = 0 and t.tgenabled in ('O', 'A')) as has_triggers
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.oid = any ($1::oid[])
   order by n.nspname collate "C", c.relname collate "C"`
