import { defineMigration } from 'understudy'

export default defineMigration({
  description: 'Users, a region, projects and memberships for a demonstration',
  manualOnly: true,
  async up(db) {
    await db.execute(seedUsers)
    await db.execute(seedProjects)
    await db.execute(seedMembers)
  },
})

const seedUsers = `
  insert into users (sysmail, username, password, role, lang, status_id)
  select wanted.sysmail, wanted.username, '!', 'user', wanted.lang, status_id_of('users', 'demo')
  from (
    values
      ('lotte.ahrens@vorfuehrung.example', 'Lotte Ahrens', 'de'),
      ('quirin.huber@vorfuehrung.example', 'Quirin Huber', 'de'),
      ('radka.mala@vorfuehrung.example', 'Radka Malá', 'cz')
  ) as wanted (sysmail, username, lang)
  on conflict (sysmail) do nothing`

const seedProjects = `
  insert into projects (domaincode, name, heading, type, owner_id, status_id)
  select
    wanted.domaincode, wanted.name, '**' || wanted.name || '**', wanted.type, users.id,
    status_id_of('projects', 'demo')
  from (
    values
      ('oberland', 'Region Oberland', 'regio', 'lotte.ahrens@vorfuehrung.example'),
      ('bergbuehne', 'Bergbühne', 'project', 'quirin.huber@vorfuehrung.example'),
      ('loutkarna', 'Loutkárna', 'project', 'radka.mala@vorfuehrung.example')
  ) as wanted (domaincode, name, type, owner)
  join users on users.sysmail = wanted.owner
  on conflict (domaincode) do nothing;

  update projects
  set regio = regions.id
  from projects as regions
  where projects.domaincode in ('bergbuehne', 'loutkarna')
    and projects.regio is null
    and regions.domaincode = 'oberland'`

const seedMembers = `
  insert into project_members (project_id, user_id, role)
  select projects.id, users.id, wanted.role
  from (
    values
      ('bergbuehne', 'quirin.huber@vorfuehrung.example', 'owner'),
      ('bergbuehne', 'lotte.ahrens@vorfuehrung.example', 'member'),
      ('loutkarna', 'radka.mala@vorfuehrung.example', 'owner'),
      ('loutkarna', 'quirin.huber@vorfuehrung.example', 'member')
  ) as wanted (project, member, role)
  join projects on projects.domaincode = wanted.project
  join users on users.sysmail = wanted.member
  on conflict (project_id, user_id) do nothing`
