import { withLocalRows } from './local-rows.js'
import { buildSample, type Sample } from './master.js'

/** What the slave has: fewer of the master's rows, in an older state, its own rows, and everything entered in another order. */
export function buildSlaveSample(): Sample {
  const kept = withoutBrokenLinks(leaveOut(buildSample('slave')))
  return reversed(withLocalRows(aged(kept)))
}

/** The newest rows have not arrived yet. Nobody who answers for a published event is among them. */
function leaveOut(sample: Sample): Sample {
  const projects = sample.projects.filter(({ domaincode }) => domaincode !== 'loutky' && domaincode !== 'sprechchor')
  return {
    ...sample,
    tags: sample.tags.slice(0, -2),
    i18n_codes: sample.i18n_codes.filter(({ variation }) => variation === 'false'),
    releases: sample.releases.slice(0, 2),
    hero_overrides: sample.hero_overrides.slice(0, 1),
    users: sample.users.slice(0, 140),
    projects,
    images: sample.images.slice(0, 52),
    instructors: sample.instructors.slice(0, 21),
    locations: sample.locations.slice(0, 17),
    events: sample.events.slice(0, 19),
    posts: sample.posts.filter((_, index) => index % 4 !== 3),
    participants: sample.participants.filter((_, index) => index % 5 !== 4),
    interactions: sample.interactions.slice(0, 20),
    // Rows known by their birth alone: an import can tell them apart only once the registry has seen them.
    form_input: [],
    tasks: sample.tasks.filter((_, index) => index % 3 !== 2),
  }
}

type Keys = ReadonlySet<string>

/** Links to rows that were left out become null; rows that are nothing without their link go. */
function withoutBrokenLinks(sample: Sample): Sample {
  const users = new Set(sample.users.map(({ sysmail }) => sysmail))
  const projects = new Set(sample.projects.map(({ domaincode }) => domaincode))
  const images = xmlidsOf(sample.images)
  const instructors = xmlidsOf(sample.instructors)
  const locations = xmlidsOf(sample.locations)
  const events = xmlidsOf(sample.events)
  const posts = xmlidsOf(sample.posts)
  const participants = xmlidsOf(sample.participants)
  const tags = new Set(sample.tags.map(({ name }) => name))
  const pages = sample.pages.filter(({ project }) => projects.has(project))
  const pageIds = new Set(pages.map(({ id }) => id))
  const records: Readonly<Record<string, Keys>> = {
    event: events,
    post: posts,
    location: locations,
    instructor: instructors,
    participant: participants,
    project: projects,
    user: users,
  }
  return {
    ...sample,
    users: sample.users.map((row) => ({
      ...row,
      instructor: orNull(row.instructor, instructors),
      participant: orNull(row.participant, participants),
      image: orNull(row.image, images),
    })),
    projects: sample.projects.map((row) => ({
      ...row,
      owner: orNull(row.owner, users),
      image: orNull(row.image, images),
      member_ids: row.member_ids?.filter((mail) => users.has(mail)) ?? null,
    })),
    images: sample.images.map((row) => ({
      ...row,
      project: orNull(row.project, projects),
      owner: orNull(row.owner, users),
    })),
    instructors: sample.instructors.map((row) => ({
      ...row,
      image: orNull(row.image, images),
      event_xmlid: orNull(row.event_xmlid, events),
    })),
    domains: sample.domains.filter(({ project }) => projects.has(project)),
    project_members: sample.project_members.filter(({ project, user }) => projects.has(project) && users.has(user)),
    locations: sample.locations.map((row) => ({
      ...row,
      project: orNull(row.project, projects),
      image: orNull(row.image, images),
      event_xmlid: orNull(row.event_xmlid, events),
    })),
    events: sample.events.map((row) => ({
      ...row,
      address_id: orNull(row.address_id, locations),
      location: orNull(row.location, locations),
      project: orNull(row.project, projects),
      image: orNull(row.image, images),
    })),
    posts: sample.posts.map((row) => ({
      ...row,
      author_id: orNull(row.author_id, instructors),
      event_xmlid: orNull(row.event_xmlid, events),
      template: orNull(row.template, posts),
      project: orNull(row.project, projects),
      image: orNull(row.image, images),
    })),
    participants: sample.participants.map((row) => ({ ...row, event_xmlid: orNull(row.event_xmlid, events) })),
    events_tags: sample.events_tags.filter(({ owner, other }) => events.has(owner) && tags.has(other)),
    posts_tags: sample.posts_tags.filter(({ owner, other }) => posts.has(owner) && tags.has(other)),
    event_instructors: sample.event_instructors.filter(
      ({ owner, other }) => events.has(owner) && instructors.has(other),
    ),
    pages,
    page_sections: sample.page_sections.filter(({ page }) => pageIds.has(page)),
    interactions: sample.interactions.map((row) => ({
      ...row,
      user: orNull(row.user, users),
      project: orNull(row.project, projects),
    })),
    tasks: sample.tasks
      .filter(({ record_type, record_id }) => record_type === null || records[record_type]?.has(record_id ?? ''))
      .map((row) => ({ ...row, release_id: row.release_id === 'r10' ? null : row.release_id })),
  }
}

function xmlidsOf(rows: readonly { readonly xmlid: string }[]): Keys {
  return new Set(rows.map(({ xmlid }) => xmlid))
}

function orNull<Value extends string | null>(value: Value, keys: Keys): Value | null {
  return value !== null && keys.has(value) ? value : null
}

/** As these rows were before the master changed them. */
function aged(sample: Sample): Sample {
  const every = <Row>(rows: readonly Row[], step: number, change: (row: Row) => Row): Row[] =>
    rows.map((row, index) => (index % step === 1 ? change(row) : row))
  return {
    ...sample,
    users: swapPrivateAddresses(every(sample.users, 5, (row) => ({ ...row, username: `${row.username} (neu)` }))),
    projects: every(sample.projects, 4, (row) => ({ ...row, heading: `**${row.name}**`, config: null, theme: 0 })),
    images: every(sample.images, 6, (row) => ({ ...row, alt_text: null, ctags: '\\x00', shape_wide: null })),
    domains: every(sample.domains, 3, (row) => ({ ...row, description: 'noch nicht freigeschaltet' })),
    events: every(sample.events, 3, (row) => ({ ...row, teaser: 'Text folgt.', seats_max: 10, updated_at: null })),
    posts: every(sample.posts, 4, (row) => ({ ...row, md: 'Entwurf', html: '', status: 'draft' })),
    participants: every(sample.participants, 7, (row) => ({ ...row, age: null })),
    tags: every(sample.tags, 4, (row) => ({ ...row, name_i18n: { ...row.name_i18n, de: `${row.name_i18n.de}?` } })),
    pages: every(sample.pages, 5, (row) => ({ ...row, page_options: {}, header_type: 'simple' })),
    page_sections: every(sample.page_sections, 4, (row) => ({ ...row, heading: 'Noch leer' })),
    tasks: every(sample.tasks, 4, (row) => ({ ...row, status: 'new', description: 'noch offen' })),
    project_members: every(sample.project_members, 6, (row) => ({ ...row, role: 'guest' })),
  }
}

/** Two users have each other's address: bringing the master's state in takes both through a moment of collision. */
function swapPrivateAddresses(users: Sample['users']): Sample['users'] {
  const [one, two] = users.filter(({ extmail }) => extmail !== null)
  return users.map((user) => {
    if (user === one) return { ...user, extmail: two?.extmail ?? null }
    if (user === two) return { ...user, extmail: one?.extmail ?? null }
    return user
  })
}

function reversed(sample: Sample): Sample {
  return Object.fromEntries(Object.entries(sample).map(([table, rows]) => [table, rows.toReversed()])) as Sample
}
