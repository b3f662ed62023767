import { defineCheck } from 'understudy'

const WITH_STATUS = [
  'users',
  'projects',
  'events',
  'posts',
  'participants',
  'instructors',
  'locations',
  'images',
  'interactions',
  'tasks',
]
const NAMES: Readonly<Record<string, string>> = {
  users: 'sysmail',
  projects: 'domaincode',
  interactions: 'name',
  tasks: 'id',
}

const nameOf = (table: string) => NAMES[table] ?? 'xmlid'

export default [
  ...WITH_STATUS.map((table) =>
    defineCheck({
      name: `the state of ${table} is one of their own`,
      sql: `select r.${nameOf(table)}, s."table", s.name
              from ${table} r
              join status s on s.id = r.status_id
             where s."table" <> '${table}'`,
    }),
  ),
  ...[
    ['events', 'regio_id'],
    ['posts', 'regio_id'],
    ['projects', 'regio'],
  ].map(([table = '', column]) =>
    defineCheck({
      name: `${table}.${column} is a region`,
      sql: `select r.${nameOf(table)}, p.domaincode
              from ${table} r
              join projects p on p.id = r.${column}
             where not p.is_regio`,
    }),
  ),
  ...['events', 'posts'].map((table) =>
    defineCheck({
      name: `the template of ${table} is another one`,
      sql: `select xmlid from ${table} where template = xmlid`,
    }),
  ),
  defineCheck({
    name: 'no event is part of itself',
    sql: `with recursive above as (
            select xmlid as start, event_xmlid as xmlid from events where event_xmlid is not null
            union
            select above.start, events.event_xmlid from above join events on events.xmlid = above.xmlid
             where events.event_xmlid is not null
          )
          select start from above where start = xmlid`,
  }),
]
