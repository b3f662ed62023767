import type { Sample } from './master.js'

const LOCAL = 'lokal.schmidt@haus.example'
const PAGE = '0c0ffee0-0000-4000-a000-000000000001'
const OTHER_PAGE = '0c0ffee0-0000-4000-a000-000000000002'

/** Adds what only the slave has. Most of it hangs on rows that the master has too. */
export function withLocalRows(sample: Sample): Sample {
  const [user, project, image, instructor, location, event, post, participant, page, interaction, task] = [
    first(sample.users),
    first(sample.projects.filter(({ type }) => type === 'project')),
    first(sample.images),
    first(sample.instructors),
    first(sample.locations),
    first(sample.events),
    first(sample.posts),
    first(sample.participants),
    first(sample.pages),
    first(sample.interactions),
    first(sample.tasks),
  ]
  const added_at = '2025-10-31 23:59:59.999999'
  const section = {
    page: PAGE,
    scope: 'page',
    type: '2_list',
    heading: 'Nur hier',
    created_at: added_at,
    updated_at: added_at,
  }
  return {
    ...sample,
    tags: [
      ...sample.tags,
      { name: 'lokal', description: null, name_i18n: { de: 'vor Ort', cz: 'zde' }, desc_i18n: null },
    ],
    users: [
      ...sample.users,
      {
        ...user,
        sysmail: LOCAL,
        extmail: null,
        username: 'Lokal Schmidt',
        role: 'base',
        instructor: '_local.instructor_1',
      },
      { ...user, sysmail: 'ferien.vertretung@haus.example', extmail: null, username: 'Vertretung', role: 'user' },
    ],
    projects: [
      ...sample.projects,
      {
        ...project,
        domaincode: 'hausfest',
        name: 'Hausfest „lokal“',
        regio: 'nordbayern',
        owner: LOCAL,
        member_ids: [LOCAL, user.sysmail],
        domain: 'hausfest',
        image: '_local.image_fest',
      },
    ],
    images: [
      ...sample.images,
      {
        ...image,
        xmlid: '_local.image_fest',
        name: 'Fest',
        project: 'hausfest',
        owner: LOCAL,
        parent: image.xmlid,
        alike: [],
      },
    ],
    instructors: [
      ...sample.instructors,
      { ...instructor, xmlid: '_local.instructor_1', name: 'Lokal Schmidt', event_xmlid: event.xmlid },
    ],
    domains: [
      ...sample.domains,
      {
        textdomain: 'hausfest',
        sysdomain: 'buehnen-beispiel',
        tld: 'de',
        admin: LOCAL,
        project: 'hausfest',
        description: '',
      },
    ],
    project_members: [
      ...sample.project_members,
      { project: 'hausfest', user: LOCAL, role: 'owner', added_at },
      { project: 'figurenlabor', user: LOCAL, role: 'member', added_at },
    ],
    locations: [
      ...sample.locations,
      { ...location, xmlid: '_local.location_hof', name: 'Unser Hof', zip: '00001', project: 'hausfest' },
    ],
    events: [
      ...sample.events,
      {
        ...event,
        xmlid: '_local.event_hausfest',
        name: 'Hausfest',
        legacy_status: 'publish',
        host: '_local.instructor_1',
        project: 'hausfest',
        address_id: '_local.location_hof',
        location: '_local.location_hof',
        event_xmlid: event.xmlid,
      },
      { ...event, xmlid: '_local.event_probe', name: 'Probe vor Ort', legacy_status: 'draft', project: 'figurenlabor' },
    ],
    posts: [
      ...sample.posts,
      { ...post, xmlid: '_local.post_1', name: 'Aus dem Haus', event_xmlid: '_local.event_hausfest' },
    ],
    participants: [
      ...sample.participants,
      { ...participant, xmlid: '_local.child_1', name: 'Kind vor Ort', event_xmlid: '_local.event_hausfest' },
    ],
    events_tags: [
      ...sample.events_tags,
      { owner: '_local.event_hausfest', other: 'lokal', created_at: added_at },
      { owner: '_local.event_hausfest', other: 'mask', created_at: added_at },
    ],
    event_instructors: [
      ...sample.event_instructors,
      { owner: '_local.event_hausfest', other: instructor.xmlid, created_at: added_at },
      { owner: event.xmlid, other: '_local.instructor_1', created_at: added_at },
    ],
    pages: [
      ...sample.pages,
      { ...page, id: PAGE, project: 'hausfest', page_type: 'landing', keeper: LOCAL },
      { ...page, id: OTHER_PAGE, project: 'figurenlabor', page_type: 'event', keeper: null },
    ],
    page_sections: [
      ...sample.page_sections,
      { ...section, id: '0c0ffee0-0000-4000-a000-000000000003' },
      { ...section, id: '0c0ffee0-0000-4000-a000-000000000004', page: OTHER_PAGE },
    ],
    interactions: [
      ...sample.interactions,
      { ...interaction, name: 'vor ort', timestamp: added_at, user: LOCAL, project: 'hausfest' },
      { ...interaction, name: 'vor ort', timestamp: '2025-10-31 23:59:59.999998', user: null, project: 'figurenlabor' },
    ],
    tasks: [
      ...sample.tasks,
      { ...task, id: 'task_lokal_1', record_type: 'event', record_id: '_local.event_hausfest', assigned_to: LOCAL },
    ],
  }
}

function first<Row>(rows: readonly Row[]): Row {
  const [row] = rows
  if (row === undefined) throw new Error('the sample is empty')
  return row
}

/** By table, which rows only the slave has. */
const LOCAL_ROWS: Readonly<Record<string, string>> = {
  tags: `name = 'lokal'`,
  users: `sysmail like '%@haus.example'`,
  projects: `domaincode = 'hausfest'`,
  images: `xmlid like '\\_local.%'`,
  instructors: `xmlid like '\\_local.%'`,
  domains: `textdomain = 'hausfest'`,
  project_members: `user_id in (select id from users where sysmail = '${LOCAL}')`,
  locations: `xmlid like '\\_local.%'`,
  events: `xmlid like '\\_local.%'`,
  posts: `xmlid like '\\_local.%'`,
  participants: `xmlid like '\\_local.%'`,
  events_tags: `event_id in (select id from events where xmlid like '\\_local.%')`,
  event_instructors: `added_at = '2025-10-31 23:59:59.999999'`,
  pages: `id in ('${PAGE}', '${OTHER_PAGE}')`,
  page_sections: `page in ('${PAGE}', '${OTHER_PAGE}')`,
  interactions: `name = 'vor ort'`,
  tasks: `id like 'task\\_lokal%'`,
}

/** Reads every local row, ids and all, as text: an import that leaves them alone leaves this unchanged. */
export const localRowsQuery = `
  select line
  from (
    ${Object.entries(LOCAL_ROWS)
      .map(
        ([table, condition]) =>
          `select '${table} ' || to_jsonb(${table})::text as line from ${table} where ${condition}`,
      )
      .join(' union all ')}
  ) as lines
  order by line collate "C"
`
