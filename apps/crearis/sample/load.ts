import type { Sample } from './master.js'
import { LOADS, type TableLoad } from './tables.js'

/** What the sample needs of a database: one connection to it, or PGlite. */
export interface SampleDatabase {
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  execute(sql: string): Promise<unknown>
}

/** Writes every row, a table at a time, as an application would: triggers fire, ids come from the sequences. */
export async function loadSample(db: SampleDatabase, sample: Sample): Promise<void> {
  for (const load of LOADS) {
    await db.query(insertStatement(load), [JSON.stringify(sample[load.table])])
    for (const { table, sql } of CLOSING_THE_CIRCLE.filter(({ after }) => after === load.table)) {
      await db.query(sql, [JSON.stringify(sample[table])])
    }
  }
}

/** One statement for all rows: they arrive as one JSON value, and are numbered in its order. */
export function insertStatement({ table, key, columns, inputs = '', found = {} }: TableLoad): string {
  const direct = Object.entries(columns).flatMap(([type, names]) => names.split(' ').map((name) => ({ name, type })))
  const fields = [
    ...direct.map(({ name, type }) => `"${name}" ${type}`),
    ...inputs.split(' ').flatMap((name) => (name === '' ? [] : [`"${name}" text`])),
  ]
  const targets = [...direct.map(({ name }) => name), ...Object.keys(found)].map((name) => `"${name}"`)
  const values = [...direct.map(({ name }) => `r."${name}"`), ...Object.values(found)]
  return `
    insert into ${table} (${targets.join(', ')})
    select ${values.join(', ')}
    from rows from (json_to_recordset($1::json) as (${fields.join(', ')})) with ordinality as r
    order by r.ordinality
    ${key === undefined ? '' : `on conflict (${key}) do update set (${targets.join(', ')}) = row(${targets.map((target) => `excluded.${target}`).join(', ')})`}
  `
}

/** Users, instructors, images, projects and domains refer to each other in a circle: these links are set when all are there. */
const CLOSING_THE_CIRCLE: readonly { after: keyof Sample; table: keyof Sample; sql: string }[] = [
  {
    after: 'images',
    table: 'images',
    sql: `
      update images
      set variations = row(
        (select parents.id from images as parents where parents.xmlid = r.parent),
        (select array_agg(alike.id order by alike.xmlid collate "C") from images as alike where r.alike ? alike.xmlid),
        null,
        'Ausschnitt, "heller"'
      )::image_variation
      from json_to_recordset($1::json) as r (xmlid text, parent text, alike jsonb)
      where images.xmlid = r.xmlid
        and r.parent is not null
    `,
  },
  {
    // Once more, because a root shows when all the parents are there.
    after: 'images',
    table: 'images',
    sql: `
      update images
      set variations = images.variations
      from json_to_recordset($1::json) as r (xmlid text, parent text)
      where images.xmlid = r.xmlid
        and r.parent is not null
    `,
  },
  {
    after: 'project_members',
    table: 'users',
    sql: `
      update users
      set instructor_id = instructors.id
      from json_to_recordset($1::json) as r (sysmail text, instructor text)
      join instructors on instructors.xmlid = r.instructor
      where users.sysmail = r.sysmail
    `,
  },
  {
    after: 'project_members',
    table: 'users',
    sql: `
      update users
      set img_id = images.id
      from json_to_recordset($1::json) as r (sysmail text, image text)
      join images on images.xmlid = r.image
      where users.sysmail = r.sysmail
    `,
  },
  {
    after: 'project_members',
    table: 'projects',
    sql: `
      update projects
      set
        regio = (select regions.id from projects as regions where regions.domaincode = r.regio),
        domain_id = (select domains.id from domains where domains.project_id = projects.id and domains.textdomain = r.domain),
        img_id = (select images.id from images where images.xmlid = r.image),
        member_ids = (
          select jsonb_agg(users.id order by member.place)
          from jsonb_array_elements_text(r.member_ids) with ordinality as member (sysmail, place)
          join users on users.sysmail = member.sysmail
        )
      from json_to_recordset($1::json) as r (domaincode text, regio text, domain text, image text, member_ids jsonb)
      where projects.domaincode = r.domaincode
    `,
  },
  {
    after: 'participants',
    table: 'users',
    sql: `
      update users
      set participant_id = participants.id
      from json_to_recordset($1::json) as r (sysmail text, participant text)
      join participants on participants.xmlid = r.participant
      where users.sysmail = r.sysmail
    `,
  },
]
