import { defineMigration } from 'understudy'

export default defineMigration({
  description: 'The base data of the CSV files: users and projects',
  manualOnly: true,
  async up(db) {
    // Users who teach find their instructors when these arrive, with 023.
    await db.importFileset('filesets/root', { onMissing: 'null' })
  },
})
