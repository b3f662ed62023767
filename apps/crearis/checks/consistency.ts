import { defineCheck } from 'understudy'

/** Generated from another table, so as old as the row's last write. */
const WITH_LABEL: Readonly<Record<string, string>> = {
  users: 'sysmail',
  events: 'xmlid',
  posts: 'xmlid',
  participants: 'xmlid',
  instructors: 'xmlid',
  locations: 'xmlid',
  tasks: 'id',
}

export default [
  ...Object.entries(WITH_LABEL).map(([table, name]) =>
    defineCheck({
      name: `${table} show the name of their state as it is now`,
      severity: 'warning',
      sql: `select ${name} from ${table} where status_display is distinct from status_label(status_id, lang)`,
    }),
  ),
  defineCheck({
    name: 'no event in the trash is published',
    sql: `select e.xmlid from events e join status s on s.id = e.status_id
           where s.name = 'trash' and e.status in ('publish', 'released', 'confirmed')`,
  }),
  defineCheck({
    name: 'every published event has a host who is a user',
    sql: `select e.xmlid from events e left join instructors i on i.id = e.public_user
           where e.status in ('publish', 'released', 'confirmed') and i.is_user is not true`,
  }),
  defineCheck({
    name: 'seats are a number above zero',
    sql: 'select xmlid, seats_max from events where seats_max <= 0',
  }),
  defineCheck({
    name: 'ages are those of people',
    sql: 'select xmlid, age from participants where age not between 0 and 120',
  }),
  defineCheck({
    name: 'every participant is a child, a teen or an adult',
    sql: `select xmlid, type from participants where type not in ('child', 'teen', 'adult')`,
  }),
  defineCheck({
    name: 'every image has an address in the web',
    severity: 'warning',
    sql: `select xmlid, url from images where url !~ '^https?://'`,
  }),
  defineCheck({
    name: 'passwords are hashes',
    sql: `select sysmail from users where password not in ('', '!') and password !~ '^\\$2[aby]\\$\\d\\d\\$.{53}$'`,
  }),
  defineCheck({
    name: 'nothing was created in the future',
    severity: 'warning',
    sql: `select 'user' as kind, sysmail as name from users where created_at > now() + interval '1 day'
          union all select 'project', domaincode from projects where created_at > now() + interval '1 day'
          union all select 'event', xmlid from events where created_at > now() + interval '1 day'
          union all select 'post', xmlid from posts where created_at > now() + interval '1 day'`,
  }),
]
