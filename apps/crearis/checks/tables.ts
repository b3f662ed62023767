import { defineCheck } from 'understudy'

const GROUPS: Readonly<Record<string, readonly string[]>> = {
  entities: ['events', 'posts', 'participants', 'instructors', 'locations'],
  'people and projects': ['users', 'projects', 'project_members', 'images'],
  domains: ['domains', 'sysdomains', 'tlds'],
  details: ['pages', 'page_sections', 'interactions', 'form_input', 'tasks'],
  lookups: ['status', 'tags', 'countries', 'i18n_codes', 'system_config'],
  junctions: ['events_tags', 'posts_tags', 'event_instructors'],
}

const list = (names: readonly string[]) => names.map((name) => `('${name}')`).join(', ')

/** Entities that carry a column. */
const withColumn = (column: string, tables: readonly string[]) =>
  defineCheck({
    name: `${tables.join(', ')} have the column ${column}`,
    sql: `select t.name from (values ${list(tables)}) t (name)
           where not exists (select from pg_attribute where attrelid = to_regclass(t.name) and attname = '${column}')`,
  })

export default [
  ...Object.entries(GROUPS).map(([group, tables]) =>
    defineCheck({
      name: `the tables of ${group} are there`,
      sql: `select t.name from (values ${list(tables)}) t (name) where to_regclass(t.name) is null`,
    }),
  ),
  withColumn('xmlid', [...(GROUPS.entities ?? []), 'images']),
  withColumn('status_id', [...(GROUPS.entities ?? []), 'users', 'projects', 'images']),
  withColumn('lang', [...(GROUPS.entities ?? []), 'users']),
  defineCheck({
    name: 'every entity has a unique key on its xmlid',
    sql: `select t.name from (values ${list(GROUPS.entities ?? [])}) t (name)
           where not exists (
             select from pg_index i
               join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
              where i.indrelid = to_regclass(t.name) and i.indisunique and i.indnkeyatts = 1 and a.attname = 'xmlid')`,
  }),
  defineCheck({
    name: 'no trigger is switched off',
    sql: `select t.tgrelid::regclass::text as relation, t.tgname
            from pg_trigger t
            join pg_class c on c.oid = t.tgrelid
           where c.relnamespace = 'public'::regnamespace and not t.tgisinternal and t.tgenabled = 'D' /* disabled */`,
  }),
]
