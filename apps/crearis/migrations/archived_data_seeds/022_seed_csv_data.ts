import { defineMigration, type MigrationDatabase } from 'understudy'

/** The names of its columns, then its rows. */
type Table = readonly (readonly (string | number | null)[])[]

export default defineMigration({
  description: 'The base data that once came from CSV files: users, projects, people, places, events, posts',
  manualOnly: true,
  async up(db) {
    await seed(db, users, seedUsers)
    await seed(db, projects, seedProjects)
    await seed(db, locations, seedLocations)
    await seed(db, instructors, seedInstructors)
    await seed(db, participants, seedParticipants)
    await seed(db, events, seedEvents)
    await seed(db, posts, seedPosts)
  },
})

/** One statement for all rows: they travel as one JSON value. */
async function seed(db: MigrationDatabase, [columns = [], ...rows]: Table, sql: string): Promise<void> {
  const records = rows.map((row) => Object.fromEntries(columns.map((column, index) => [String(column), row[index]])))
  await db.query(sql, [JSON.stringify(records)])
}

const users: Table = [
  ['sysmail', 'username', 'role', 'lang'],
  ['ada.lindner@werkstatt.example', 'Ada Lindner', 'user', 'de'],
  ['joern.petersen@werkstatt.example', 'Jörn Petersen', 'user', 'de'],
  ['milena.hruba@werkstatt.example', 'Milena Hrubá', 'user', 'cz'],
  ['tarik.sommer@werkstatt.example', 'Tarik Sommer', 'user', 'de'],
]

const seedUsers = `
  insert into users (sysmail, username, password, role, lang, status_id)
  select sysmail, username, '!', role, lang, status_id_of('users', 'new')
  from json_to_recordset($1::json) as r (sysmail text, username text, role text, lang text)
  on conflict (sysmail) do nothing`

const projects: Table = [
  ['domaincode', 'name', 'type', 'status', 'owner'],
  ['werkstatt_nord', 'Werkstatt Nord', 'project', 'draft', 'ada.lindner@werkstatt.example'],
  ['kulissen', 'Kulissen & Klänge', 'project', 'demo', 'joern.petersen@werkstatt.example'],
  ['stimmraum', 'Stimmraum', 'topic', 'new', 'milena.hruba@werkstatt.example'],
]

const seedProjects = `
  insert into projects (domaincode, name, heading, type, owner_id, status_id)
  select r.domaincode, r.name, '**' || r.name || '**', r.type, users.id, status_id_of('projects', r.status)
  from json_to_recordset($1::json) as r (domaincode text, name text, type text, status text, owner text)
  join users on users.sysmail = r.owner
  on conflict (domaincode) do nothing`

const locations: Table = [
  ['xmlid', 'name', 'city', 'zip', 'country', 'project'],
  ['_demo.location_malersaal', 'Malersaal', 'Zwönitz', '08297', 'base.de', 'werkstatt_nord'],
  ['_demo.location_kohlenkeller', 'Kohlenkeller', 'Plzeň', '30100', 'base.cz', 'kulissen'],
]

const seedLocations = `
  insert into locations (xmlid, name, city, zip, country_id, project_id, isbase, status_id)
  select r.xmlid, r.name, r.city, r.zip, r.country, projects.id, 1, status_id_of('locations', 'demo')
  from json_to_recordset($1::json) as r (xmlid text, name text, city text, zip text, country text, project text)
  left join projects on projects.domaincode = r.project
  on conflict (xmlid) do nothing`

const instructors: Table = [
  ['xmlid', 'name', 'email', 'city', 'country'],
  ['_demo.instructor_31', 'Ada Lindner', 'ada@werkstatt.example', 'Zwönitz', 'base.de'],
  ['_demo.instructor_32', 'Milena Hrubá', null, 'Plzeň', 'base.cz'],
]

const seedInstructors = `
  insert into instructors (xmlid, name, email, city, country_id, isbase, status_id)
  select xmlid, name, email, city, country, 1, status_id_of('instructors', 'demo')
  from json_to_recordset($1::json) as r (xmlid text, name text, email text, city text, country text)
  on conflict (xmlid) do nothing`

const participants: Table = [
  ['xmlid', 'name', 'age', 'city', 'country', 'type'],
  ['_demo.child_031', 'Pauli', 9, 'Zwönitz', 'base.de', 'child'],
  ['_demo.teen_031', 'Eliška', 15, 'Plzeň', 'base.cz', 'teen'],
  ['_demo.adult_031', 'Herr Oßwald', 61, 'Görlitz', 'base.de', 'adult'],
]

const seedParticipants = `
  insert into participants (xmlid, name, age, city, country_id, type, status_id)
  select xmlid, name, age, city, country, type, status_id_of('participants', 'demo')
  from json_to_recordset($1::json) as r (xmlid text, name text, age integer, city text, country text, type text)
  on conflict (xmlid) do nothing`

const events: Table = [
  ['xmlid', 'name', 'date_begin', 'date_end', 'seats', 'project', 'location'],
  [
    '_demo.event_licht_an',
    'Licht an!',
    '2025-06-13 10:00',
    '2025-06-15 16:00',
    14,
    'werkstatt_nord',
    '_demo.location_malersaal',
  ],
  [
    '_demo.event_geräusche',
    'Geräusche machen',
    '2025-07-04 09:30',
    '2025-07-04 17:00',
    8,
    'kulissen',
    '_demo.location_kohlenkeller',
  ],
  ['_demo.event_vorlesen', 'Vorlesen, laut', '', '', null, 'stimmraum', null],
]

const seedEvents = `
  insert into events (xmlid, name, date_begin, date_end, seats_max, project_id, location, address_id, isbase, status_id)
  select
    r.xmlid, r.name, r.date_begin, r.date_end, r.seats, projects.id, locations.id, r.location, 1,
    status_id_of('events', 'demo')
  from json_to_recordset($1::json) as r (
    xmlid text, name text, date_begin text, date_end text, seats integer, project text, location text
  )
  left join projects on projects.domaincode = r.project
  left join locations on locations.xmlid = r.location
  on conflict (xmlid) do nothing`

const posts: Table = [
  ['xmlid', 'name', 'teaser', 'event', 'project'],
  ['_demo.post_031', 'Wie das Licht kam', 'Ein Bericht aus dem Malersaal.', '_demo.event_licht_an', 'werkstatt_nord'],
  ['_demo.post_032', 'Topfdeckel gesucht', null, '_demo.event_geräusche', 'kulissen'],
]

const seedPosts = `
  insert into posts (xmlid, name, teaser, event_xmlid, project_id, isbase, status_id)
  select r.xmlid, r.name, r.teaser, r.event, projects.id, 1, status_id_of('posts', 'demo')
  from json_to_recordset($1::json) as r (xmlid text, name text, teaser text, event text, project text)
  left join projects on projects.domaincode = r.project
  on conflict (xmlid) do nothing`
