import { defineCheck } from 'understudy'

const ENTITIES = ['events', 'posts', 'participants', 'instructors', 'locations']

export default [
  ...ENTITIES.map((table) =>
    defineCheck({
      name: `the xmlid of ${table} has two or three parts`,
      sql: `select xmlid from ${table} where xmlid <> 'setup' and xmlid !~ '^[^.\\s]+(\\.[^.\\s]+){1,2}$'`,
    }),
  ),
  ...ENTITIES.map((table) =>
    defineCheck({
      name: `no two ${table} differ in the case of their xmlid only`,
      severity: 'warning',
      sql: `select string_agg(xmlid, ' ' order by xmlid) as xmlids from ${table} group by lower(xmlid) having count(*) > 1`,
    }),
  ),
  defineCheck({
    name: 'every user has a well-formed address',
    sql: `select sysmail from users where sysmail !~* '^[a-z0-9._%+-]+@[a-z0-9.-]+\\.[a-z]{2,}$'`,
  }),
  defineCheck({
    name: 'no two users differ in the case of their address only',
    severity: 'warning',
    sql: `select string_agg(sysmail, ' ' order by sysmail) as addresses from users group by lower(sysmail) having count(*) > 1`,
  }),
  defineCheck({
    name: "nobody's private address is another's system address",
    sql: 'select u.sysmail, o.sysmail as other from users u join users o on o.extmail = u.sysmail and o.id <> u.id',
  }),
  defineCheck({
    name: 'every domaincode is a word in lower case',
    sql: `select domaincode from projects where domaincode !~ '^[a-z][a-z0-9_]*$'`,
  }),
]
