import { defineConfig } from 'understudy'

/** The kinds of records that a task or a saved record can be about, and how they are named there. */
const records = {
  event: 'events.xmlid',
  post: 'posts.xmlid',
  location: 'locations.xmlid',
  instructor: 'instructors.xmlid',
  participant: 'participants.xmlid',
  project: 'projects.domaincode',
  user: 'users.sysmail',
}

/** Tags of an event or a post, copied by trigger; in the order of their names. */
const tagIds = (link: string, owner: string) =>
  `(select coalesce(array_agg(tags.id order by tags.name collate "C"), '{}') from ${link} join tags on tags.id = tag_id where ${owner})`
const regio = (table: string) => `(select projects.regio from projects where projects.id = ${table}.project_id)`
const isUser = (table: string, column: string) => `exists (select from users where users.${column} = ${table}.id)`

/** The row that datA_config makes in an init, to stand in for what has not arrived yet; other imports make it of these values. */
const placeholder = { xmlid: 'setup' }
const namedPlaceholder = { ...placeholder, name: 'Noch nicht da' }

export default defineConfig({
  database: 'pglite:./data/crearis',
  archives: 'data/sync',

  identityColumns: ['xmlid'],

  // The settings of one machine.
  exclude: ['crearis_config'],

  relations: {
    users: {
      identity: ['sysmail'],
      // For archives that leave the house. A user who arrives like this cannot sign in until he has a new password.
      // mask: { password: "'!'" },
      // Whoever is here already keeps the password that he has here.
      // keep: ['password'],
    },
    projects: { identity: ['domaincode'] },
    events: {
      placeholder,
      copies: {
        regio_id: regio('events'),
        tags_ids: tagIds('events_tags', 'event_id = events.id'),
        tags_display: 'tag_labels(events.tags_ids, events.lang)',
      },
    },
    posts: {
      placeholder,
      copies: {
        regio_id: regio('posts'),
        tags_ids: tagIds('posts_tags', 'post_id = posts.id'),
        tags_display: 'tag_labels(posts.tags_ids, posts.lang)',
      },
    },
    participants: { placeholder: namedPlaceholder, copies: { is_user: isUser('participants', 'participant_id') } },
    instructors: { placeholder: namedPlaceholder, copies: { is_user: isUser('instructors', 'instructor_id') } },
    images: {
      copies: {
        project_domaincode: '(select projects.domaincode from projects where projects.id = images.project_id)',
      },
    },
    locations: { placeholder: namedPlaceholder },

    // Without a unique key, but there is one page of a type.
    pages: { identity: ['project_id', 'page_type'] },
    page_sections: { owner: 'page' },

    // The whole name is computed, so its parts identify a domain.
    domains: { identity: ['tld', 'sysdomain_id', 'textdomain'] },
    sysdomains: { identity: ['tld', 'domain', 'subdomain'] },
    i18n_codes: { identity: ['name', 'variation', 'type'] },

    // Nobody does the same thing twice within a microsecond.
    interactions: { identity: ['name', 'timestamp'] },
    form_input: { identity: 'origin' },
  },

  references: {
    // Xmlids in text columns.
    'events.event_xmlid': { to: 'events.xmlid' },
    'events.template': { to: 'events.xmlid' },
    'events.address_id': { to: 'locations.xmlid' },
    'posts.event_xmlid': { to: 'events.xmlid' },
    'posts.template': { to: 'posts.xmlid' },
    'posts.author_id': { to: 'instructors.xmlid' },
    'participants.event_xmlid': { to: 'events.xmlid' },
    'instructors.event_xmlid': { to: 'events.xmlid' },
    'locations.event_xmlid': { to: 'events.xmlid' },

    // Numbers without a foreign key.
    'users.participant_id': { to: 'participants.id' },
    'instructors.regio_id': { to: 'projects.id' },
    'images.status_id': { to: 'status.id' },
    'images.root_id': { to: 'images.id' },
    'event_instructors.event_id': { to: 'events.id' },
    'event_instructors.instructor_id': { to: 'instructors.id' },

    // Numbers inside arrays and composites.
    'events.tags_ids': { to: 'tags.id' },
    'posts.tags_ids': { to: 'tags.id' },
    'projects.member_ids': { to: 'users.id' },
    'images.variations.parent_id': { to: 'images.id' },
    'images.variations.alike_ids': { to: 'images.id' },

    // Records of several kinds.
    'tasks.record_id': { by: 'record_type', to: records },
    'record_versions.record_id': { by: 'record_type', to: records },

    'record_versions.version_id': { to: 'versions.id' },
    'tasks.version_id': { to: 'versions.id' },
    'tasks.release_id': { to: 'releases.id' },

    // Called like references, and none: names that are the same everywhere, and may be free text. So are tasks.assigned_to, form_input.user,
    // projects.partner_projects and images.project_domaincode.
    'hero_overrides.event_ids': false,
    'events.version_id': false,
    'instructors.version_id': false,
    'locations.version_id': false,
    'participants.version_id': false,
    'posts.version_id': false,
  },

  dataPackages: {
    datA_config: {
      title: 'Tags, status, settings',
      relations: [
        'tags',
        'status',
        'system_config',
        'tlds',
        'sysdomains',
        'countries',
        'i18n_codes',
        'releases',
        'versions',
      ],
      seeds: ['migrations/021_seed_system_data.sql', { file: 'data-packages/datA_placeholders.sql', modes: ['init'] }],
    },
    datB_base: { title: 'Users, projects and their domains', relations: ['users', 'projects', 'domains'] },
    datC_parts: { title: 'Images', relations: ['images'] },
    datD_entities: {
      title: 'Instructors, locations, participants, events, posts',
      relations: ['instructors', 'locations', 'participants', 'events', 'posts'],
    },
    datF_assignments: {
      title: 'References that waited for their target',
      assignments: true,
      after: ['data-packages/datF_placeholders.sql'],
    },
    datG_propagation: {
      title: 'Members, pages, links, tasks',
      relations: [
        'project_members',
        'pages',
        'page_sections',
        'hero_overrides',
        'interactions',
        'form_input',
        'tasks',
        'event_instructors',
        'events_tags',
        'posts_tags',
        'record_versions',
      ],
    },
    datH_validation: { title: 'Checks', validation: true },
  },

  migrations: {
    folder: 'migrations',
    archived: 'migrations/archived_data_seeds',
    // The application looks there for what has run.
    mirror: { table: 'crearis_config', column: 'config', key: 'migrations_run' },
    packages: {
      A: { title: 'Setup', from: 0, to: 18 },
      // 021, the system data, is manual: it runs when it is named, and with every import (datA_config).
      B: { title: 'Core-Schema', from: 19, to: 21 },
      C: { title: 'Alpha', from: 22, to: 29 },
      D: { title: 'Beta', from: 30, to: 39 },
      E: { title: 'Final', from: 40 },
    },
  },
})
