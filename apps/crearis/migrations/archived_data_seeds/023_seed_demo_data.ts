import { defineMigration } from 'understudy'

export default defineMigration({
  description: 'Content for a demonstration: instructors, places, participants, events, posts, and memberships',
  manualOnly: true,
  async up(db) {
    await db.importFileset('filesets/base')
    await db.execute(seedMembers)
  },
})

/** Whoever owns a project is its member. */
const seedMembers = `
  insert into project_members (project_id, user_id, role)
  select id, owner_id, 'owner'
  from projects
  where owner_id is not null
  on conflict (project_id, user_id) do nothing`
