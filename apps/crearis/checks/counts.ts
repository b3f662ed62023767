import { defineCheck } from 'understudy'

/** What the migrations bring must be there; content may still be on its way. */
const atLeastOne = (table: string, severity: 'error' | 'warning') =>
  defineCheck({
    name: `there are ${table}`,
    severity,
    sql: `select 'none' as found where not exists (select from ${table})`,
  })

export default [
  ...['users', 'projects', 'events', 'posts', 'participants', 'instructors', 'locations'].map((table) =>
    atLeastOne(table, 'warning'),
  ),
  ...['status', 'countries', 'i18n_codes'].map((table) => atLeastOne(table, 'error')),
  defineCheck({
    name: 'somebody is an administrator',
    severity: 'warning',
    sql: `select 'nobody' as found where not exists (select from users where role = 'admin')`,
  }),
  defineCheck({
    name: 'every kind of record has the state new',
    sql: `select distinct "table" from status s
           where not exists (select from status n where n."table" = s."table" and n.name = 'new')`,
  }),
]
