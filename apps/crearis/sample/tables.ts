import type { Sample } from './master.js'

/** How the rows of a table are read from JSON and written. */
export interface TableLoad {
  readonly table: keyof Sample
  /** What tells its rows apart, where the system data may have one of them already. */
  readonly key?: string
  /** By SQL type, the columns that are written as they come. */
  readonly columns: Readonly<Record<string, string>>
  /** Fields that are not columns: identities of other rows. */
  readonly inputs?: string
  /** By column, how its value is found; `r` is the row. */
  readonly found?: Readonly<Record<string, string>>
}

const project = '(select projects.id from projects where projects.domaincode = r.project)'
const user = '(select users.id from users where users.sysmail = r."user")'
const image = '(select images.id from images where images.xmlid = r.image)'
const host = '(select instructors.id from instructors where instructors.xmlid = r.host)'
const status = (table: string) => `status_id_of('${table}', r.status)`

/** In an order that foreign keys allow. The last columns of the circle follow by update (load.ts). */
export const LOADS: readonly TableLoad[] = [
  { table: 'tlds', key: 'name', columns: { text: 'name description', integer: 'relevance' } },
  { table: 'sysdomains', columns: { text: 'tld domain subdomain description', jsonb: 'options' } },
  { table: 'tags', key: 'name', columns: { text: 'name description', jsonb: 'name_i18n desc_i18n' } },
  {
    table: 'i18n_codes',
    columns: { text: 'name variation type status', jsonb: 'text', timestamp: 'created_at updated_at' },
  },
  {
    table: 'releases',
    columns: {
      text: 'id version description state release_date',
      integer: 'version_major version_minor',
      timestamp: 'created_at',
    },
  },
  {
    table: 'versions',
    columns: {
      text: 'id version_number name description created_by notes',
      integer: 'is_active',
      timestamp: 'created_at',
    },
  },
  {
    table: 'record_versions',
    columns: { text: 'id version_id record_type record_id data', timestamp: 'created_at' },
  },
  {
    table: 'hero_overrides',
    columns: { text: 'id cimg heading description event_ids updated_at', timestamp: 'created_at' },
  },
  {
    table: 'system_config',
    key: 'key',
    columns: { text: 'key value description', timestamp: 'updated_at' },
  },
  {
    table: 'users',
    columns: { text: 'sysmail extmail username password role lang', timestamp: 'created_at updated_at' },
    inputs: 'status',
    found: { status_id: status('users') },
  },
  {
    table: 'projects',
    key: 'domaincode',
    columns: {
      text:
        'domaincode name type description status_old updated_at header_type header_size heading teaser md html cimg partner_projects ' +
        'team_page cta_title cta_entity cta_link page_background aside_list footer_gallery',
      integer: 'theme',
      boolean: 'is_company',
      jsonb: 'config page_cssvars header_alert footer_postit',
      timestamp: 'created_at',
    },
    inputs: 'status owner',
    found: {
      status_id: status('projects'),
      owner_id: '(select users.id from users where users.sysmail = r.owner)',
    },
  },
  {
    table: 'images',
    columns: {
      text: 'xmlid name url alt_text title about',
      timestamp: 'date created_at updated_at',
      jsonb: 'geo',
      integer: 'x y length',
      image_shape: 'shape_wide shape_square shape_vertical shape_thumb',
      image_file_type: 'fileformat',
      embed_file_type: 'embedformat',
      media_licence: 'license',
      media_adapter: 'author producer publisher',
      boolean: 'use_player',
      bytea: 'ctags rtags',
    },
    inputs: 'project owner status',
    found: {
      project_id: project,
      owner_id: '(select users.id from users where users.sysmail = r.owner)',
      status_id: status('images'),
    },
  },
  {
    table: 'instructors',
    columns: {
      text:
        'xmlid name email phone city cimg description event_xmlid version_id multiproject header_type header_size md html lang ' +
        'updated_at',
      integer: 'isbase',
      timestamp: 'created_at',
    },
    inputs: 'country status image',
    found: { country_id: 'r.country', status_id: status('instructors'), img_id: image },
  },
  {
    table: 'domains',
    columns: { text: 'textdomain tld description' },
    inputs: 'sysdomain admin project',
    found: {
      sysdomain_id: '(select sysdomains.id from sysdomains where sysdomains.domainstring = r.sysdomain)',
      admin_user_id: '(select users.id from users where users.sysmail = r.admin)',
      project_id: project,
    },
  },
  {
    table: 'project_members',
    columns: { text: 'role', timestamp: 'added_at' },
    inputs: 'project user',
    found: { project_id: project, user_id: user },
  },
  {
    table: 'locations',
    columns: {
      text:
        'xmlid name phone email city zip street is_company category_id cimg header_type header_size md is_location_provider ' +
        'event_xmlid version_id lang updated_at',
      integer: 'isbase',
      timestamp: 'created_at',
    },
    inputs: 'country status project image',
    found: { country_id: 'r.country', status_id: status('locations'), project_id: project, img_id: image },
  },
  {
    table: 'events',
    columns: {
      text:
        'xmlid name date_begin date_end address_id cimg header_type rectitle teaser event_xmlid version_id updated_at template ' +
        'event_type md html lang',
      integer: 'seats_max isbase',
      timestamp: 'created_at',
    },
    inputs: 'legacy_status status user host location project image',
    found: {
      status: 'r.legacy_status',
      status_id: status('events'),
      user_id: user,
      public_user: host,
      location: '(select locations.id from locations where locations.xmlid = r.location)',
      project_id: project,
      img_id: image,
    },
  },
  {
    table: 'posts',
    columns: {
      text:
        'xmlid name subtitle teaser author_id blog_id tag_ids website_published is_published post_date cover_properties ' +
        'event_xmlid cimg version_id updated_at template header_type md html lang',
      integer: 'isbase',
      timestamp: 'created_at',
    },
    inputs: 'legacy_status status host project image',
    found: {
      status: 'r.legacy_status',
      status_id: status('posts'),
      public_user: host,
      project_id: project,
      img_id: image,
    },
  },
  {
    table: 'participants',
    columns: {
      text: 'xmlid name city cimg description event_xmlid type version_id lang updated_at',
      integer: 'age',
      timestamp: 'created_at',
    },
    inputs: 'country status',
    found: { country_id: 'r.country', status_id: status('participants') },
  },
  {
    table: 'events_tags',
    columns: { timestamp: 'created_at' },
    inputs: 'owner other',
    found: {
      event_id: '(select events.id from events where events.xmlid = r.owner)',
      tag_id: '(select tags.id from tags where tags.name = r.other)',
    },
  },
  {
    table: 'posts_tags',
    columns: { timestamp: 'created_at' },
    inputs: 'owner other',
    found: {
      post_id: '(select posts.id from posts where posts.xmlid = r.owner)',
      tag_id: '(select tags.id from tags where tags.name = r.other)',
    },
  },
  {
    table: 'event_instructors',
    columns: {},
    inputs: 'owner other created_at',
    found: {
      event_id: '(select events.id from events where events.xmlid = r.owner)',
      instructor_id: '(select instructors.id from instructors where instructors.xmlid = r.other)',
      added_at: 'r.created_at::timestamp',
    },
  },
  {
    table: 'pages',
    columns: {
      text: 'id page_type header_type',
      jsonb: 'page_options header_options aside_options footer_options',
      timestamp: 'created_at updated_at',
    },
    inputs: 'project keeper',
    found: { project_id: project, user_id: '(select users.id from users where users.sysmail = r.keeper)' },
  },
  { table: 'page_sections', columns: { text: 'id page scope type heading', timestamp: 'created_at updated_at' } },
  {
    table: 'interactions',
    columns: { text: 'name to_mail from_mail subject md', timestamp: 'timestamp', jsonb: 'actions fields' },
    inputs: 'user project status',
    found: { user_id: user, project_id: project, status_id: status('interactions') },
  },
  {
    table: 'form_input',
    columns: { text: 'id name email user', jsonb: 'input', timestamp: 'created_at updated_at' },
    inputs: 'project',
    found: { project },
  },
  {
    table: 'tasks',
    columns: {
      text:
        'id name description category priority record_type record_id assigned_to updated_at due_date completed_at version_id ' +
        'release_id prompt logic filter entity_name lang',
      timestamp: 'created_at',
    },
    inputs: 'status',
    found: { status_id: status('tasks') },
  },
]
