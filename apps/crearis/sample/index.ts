import { readFile } from 'node:fs/promises'
import { loadSample, type SampleDatabase } from './load.js'
import { localRowsQuery } from './local-rows.js'
import { buildSample } from './master.js'
import { buildSlaveSample } from './slave.js'

export type { SampleDatabase } from './load.js'

/** Fills an empty database, migrated to 020, with the system data and the master's content. The same rows every time. */
export async function fillMaster(db: SampleDatabase): Promise<void> {
  await fillSystemData(db)
  await loadSample(db, buildSample('master'))
}

/**
 * Fills an empty database, migrated to 020, with the slave's content: another history. Its ids lie in the same range as the master's and
 * mean other rows; some of the master's rows are missing, some are older; some exist only here.
 */
export async function fillSlave(db: SampleDatabase): Promise<void> {
  await db.execute(renumberSeeds)
  await db.execute(burnNumbers)
  await fillSystemData(db)
  await loadSample(db, buildSlaveSample())
}

/** Every row that only the slave has, ids and all, as sorted lines of text. */
export async function readLocalRows(db: SampleDatabase): Promise<string[]> {
  const rows = await db.query<{ line: string }>(localRowsQuery)
  return rows.map(({ line }) => line)
}

/** Alters one value of one row, as an editor would, and says which. */
export async function plantOneChange(db: SampleDatabase) {
  const change = {
    table: 'events',
    identity: '_demo.event_masken_bauen',
    column: 'teaser',
    value: 'Masken bauen: jetzt mit Kuchen 🍰 und „echtem“ Gips.',
  } as const
  await db.query(`update events set teaser = $1 where xmlid = $2`, [change.value, change.identity])
  return change
}

// The folder `migrations`, seen from here and from what is compiled of this.
const MIGRATIONS = new URL(
  import.meta.url.includes('/dist/sample/') ? '../../migrations/' : '../migrations/',
  import.meta.url,
)

/** What every installation begins with. Its pages give way to those of the sample, and all of it was made long ago. */
async function fillSystemData(db: SampleDatabase): Promise<void> {
  await db.execute(await readFile(new URL('021_seed_system_data.sql', MIGRATIONS), 'utf8'))
  await db.execute(`
    delete from pages;
    update users set created_at = '2024-01-08 09:00', updated_at = '2024-01-08 09:00';
    update projects set created_at = '2024-01-08 09:00';
    update project_members set added_at = '2024-01-08 09:00'`)
}

/**
 * What migrations seeded was entered in another order once: the same states and countries, other numbers. Tasks keep theirs, because the
 * default of tasks.status_id is a number.
 */
const renumberSeeds = `
  update status set id = -id where "table" <> 'tasks';
  update status set id = 122 + id where id < 0;
  update countries set id = -id;
  update countries set id = 13 + id where id < 0;
`

/** Rows that were deleted again, or never got past an error, have used up numbers. */
const burnNumbers = `
  do $$
  declare
    burnt record;
  begin
    for burnt in
      select *
      from (
        values
          ('users', 11), ('projects', 2), ('images', 7), ('instructors', 5), ('locations', 3), ('events', 13), ('posts', 4),
          ('participants', 9), ('tags', 6), ('domains', 8), ('sysdomains', 3), ('interactions', 10), ('i18n_codes', 21)
      ) as history (relation, count)
    loop
      perform nextval(pg_get_serial_sequence(burnt.relation, 'id')) from generate_series(1, burnt.count);
    end loop;
  end
  $$;
`
