/** By table: name, type, `!` for not null, `=` for generated. In the order of names. */
export const COLUMNS: Readonly<Record<string, string>> = {
  countries: `
    code text!, id integer!, name text!, name_i18n jsonb, xmlid text!
  `,
  crearis_config: `
    config jsonb!, id integer!
  `,
  domains: `
    admin_user_id integer, description text, domainname text =, id integer!, project_id integer,
    sysdomain_id integer, textdomain text, tld text!
  `,
  event_instructors: `
    added_at timestamp, event_id integer!, instructor_id integer!
  `,
  events: `
    address_id text, cimg text, created_at timestamp, date_begin text, date_end text, event_type text,
    event_xmlid text, header_type text, html text, id integer!, img_id integer, img_show boolean,
    img_square jsonb, img_thumb jsonb, img_vert jsonb, img_wide jsonb, isbase integer, lang text,
    location integer, md text, name text, project_id integer, public_user integer, rectitle text,
    regio_id integer, seats_max integer, status text, status_display text =, status_id integer,
    tags_display text[], tags_ids integer[], teaser text, template text, updated_at text, user_id integer,
    version_id text, xmlid text
  `,
  events_tags: `
    created_at timestamp, event_id integer!, tag_id integer!
  `,
  form_input: `
    created_at timestamp, email text, id text!, input jsonb, name text, project integer,
    updated_at timestamp, user text
  `,
  hero_overrides: `
    cimg text, created_at timestamp, description text, event_ids text, heading text, id text!,
    updated_at text
  `,
  i18n_codes: `
    created_at timestamp, id integer!, name text!, status text!, text jsonb!, type text!,
    updated_at timestamp, variation text
  `,
  images: `
    about text, alt_text text, author media_adapter, created_at timestamp, ctags bytea, date timestamp,
    embedformat embed_file_type, fileformat image_file_type, geo jsonb, has_issues boolean, id integer!,
    img_show boolean, img_square jsonb, img_thumb jsonb, img_vert jsonb, img_wide jsonb,
    is_deprecated boolean, is_internal boolean, is_private boolean, is_public boolean, length integer,
    license media_licence, name text!, owner_id integer, producer media_adapter, project_domaincode text,
    project_id integer, publisher media_adapter, root_id integer, rtags bytea, shape_square image_shape,
    shape_thumb image_shape, shape_vertical image_shape, shape_wide image_shape, status_id integer,
    title text, updated_at timestamp, url text!, use_player boolean, variations image_variation, x integer,
    xmlid text, y integer
  `,
  instructors: `
    cimg text, city text, country_id text, created_at timestamp, description text, email text,
    event_xmlid text, header_size text, header_type text, html text, id integer!, img_id integer,
    img_show boolean, img_square jsonb, img_thumb jsonb, img_vert jsonb, img_wide jsonb, is_user boolean,
    isbase integer, lang text!, md text, multiproject text, name text!, phone text, regio_id integer,
    status_display text =, status_id integer, updated_at text, version_id text, xmlid text
  `,
  interactions: `
    actions jsonb, fields jsonb, from_mail text, id integer!, md text, name text!, project_id integer,
    status_id integer!, subject text, timestamp timestamp!, to_mail text, user_id integer
  `,
  locations: `
    category_id text, cimg text, city text, country_id text, created_at timestamp, email text,
    event_xmlid text, header_size text, header_type text, id integer!, img_id integer, img_show boolean,
    img_square jsonb, img_thumb jsonb, img_vert jsonb, img_wide jsonb, is_company text,
    is_location_provider text, isbase integer, lang text!, md text, name text!, phone text,
    project_id integer, status_display text =, status_id integer, street text, updated_at text,
    version_id text, xmlid text, zip text
  `,
  page_sections: `
    created_at timestamp, heading text, id text!, page text!, scope text!, type text!, updated_at timestamp
  `,
  pages: `
    aside_has_content boolean =, aside_options jsonb, created_at timestamp, footer_has_content boolean =,
    footer_options jsonb, header_has_content boolean =, header_options jsonb, header_type text, id text!,
    page_has_content boolean =, page_options jsonb, page_type text!, project_id integer!,
    updated_at timestamp, user_id integer
  `,
  participants: `
    age integer, cimg text, city text, country_id text, created_at timestamp, description text,
    event_xmlid text, id integer!, is_user boolean, lang text!, name text!, status_display text =,
    status_id integer, type text, updated_at text, version_id text, xmlid text
  `,
  posts: `
    author_id text, blog_id text, cimg text, cover_properties text, created_at timestamp, event_xmlid text,
    header_type text, html text, id integer!, img_id integer, img_show boolean, img_square jsonb,
    img_thumb jsonb, img_vert jsonb, img_wide jsonb, is_published text, isbase integer, lang text, md text,
    name text, post_date text, project_id integer, public_user integer, regio_id integer, status text,
    status_display text =, status_id integer, subtitle text, tag_ids text, tags_display text[],
    tags_ids integer[], teaser text, template text, updated_at text, version_id text, website_published text,
    xmlid text
  `,
  posts_tags: `
    created_at timestamp, post_id integer!, tag_id integer!
  `,
  project_members: `
    added_at timestamp, project_id integer!, role text, user_id integer!
  `,
  projects: `
    aside_context jsonb, aside_has_content boolean =, aside_list text, aside_options_ext jsonb,
    aside_postit jsonb, aside_toc jsonb, cimg text, config jsonb, created_at timestamp, cta_entity text,
    cta_form text, cta_link text, cta_title text, description text, domain_id integer, domaincode text!,
    footer_gallery text, footer_has_content boolean =, footer_options_ext jsonb, footer_postit jsonb,
    footer_repeat jsonb, footer_sitemap text, footer_slider text, header_alert jsonb,
    header_has_content boolean =, header_options_ext jsonb, header_postit jsonb, header_size text,
    header_type text, heading text, html text, id integer!, img_id integer, img_show boolean,
    img_square jsonb, img_thumb jsonb, img_vert jsonb, img_wide jsonb, is_company boolean,
    is_location_provider boolean, is_onepage boolean =, is_regio boolean =, is_service boolean =,
    is_sidebar boolean =, is_topic boolean =, md text, member_ids jsonb, name text, owner_id integer,
    page_background text, page_cssvars jsonb, page_has_content boolean =, page_navigation jsonb,
    page_options_ext jsonb, partner_projects text, regio integer, status_id integer!, status_old text,
    team_page text, teaser text, theme integer, type text, updated_at text
  `,
  record_versions: `
    created_at timestamp, data text!, id text!, record_id text!, record_type text!, version_id text!
  `,
  releases: `
    created_at timestamp, description text, id text!, release_date text, state text, updated_at text,
    version text!, version_major integer!, version_minor integer!
  `,
  status: `
    desc_i18n jsonb, description text, id integer!, name text!, name_i18n jsonb, table text!,
    value smallint!
  `,
  sysdomains: `
    description text, domain text!, domainstring text =, id integer!, options jsonb, subdomain text,
    tld text!
  `,
  system_config: `
    description text, key text!, updated_at timestamp, value text!
  `,
  tags: `
    desc_i18n jsonb, description text, id integer!, name text!, name_i18n jsonb
  `,
  tasks: `
    assigned_to text, category text, cimg text, completed_at text, created_at timestamp, description text,
    due_date text, entity_name text, filter text, id text!, lang text!, logic text, name text!,
    priority text, prompt text, record_id text, record_type text, release_id text, status_display text =,
    status_id integer!, updated_at text, version_id text
  `,
  tlds: `
    description text, name text!, relevance integer
  `,
  users: `
    created_at timestamp, extmail text, id integer!, img_id integer, img_show boolean, img_square jsonb,
    img_thumb jsonb, img_vert jsonb, img_wide jsonb, instructor_id integer, lang text!,
    participant_id integer, password text!, role text!, status_display text =, status_id integer,
    sysmail text!, updated_at timestamp, username text!
  `,
  versions: `
    created_at timestamp, created_by text, csv_exported integer, description text, id text!,
    is_active integer, name text!, notes text, snapshot_data text, version_number text!
  `,
}

/** Column, target, and what happens when the target is deleted. */
export const FOREIGN_KEYS = `
  domains.admin_user_id users.id set null
  domains.project_id projects.id set null
  domains.sysdomain_id sysdomains.id no action
  domains.tld tlds.name no action
  events.img_id images.id set null
  events.location locations.id set null
  events.project_id projects.id set null
  events.public_user instructors.id set null
  events.regio_id projects.id no action
  events.status_id status.id no action
  events.user_id users.id set null
  events_tags.event_id events.id cascade
  events_tags.tag_id tags.id cascade
  form_input.project projects.id set null
  images.owner_id users.id set null
  images.project_id projects.id set null
  instructors.country_id countries.xmlid no action
  instructors.img_id images.id set null
  instructors.status_id status.id no action
  interactions.project_id projects.id set null
  interactions.status_id status.id no action
  interactions.user_id users.id set null
  locations.country_id countries.xmlid no action
  locations.img_id images.id set null
  locations.project_id projects.id set null
  locations.status_id status.id no action
  page_sections.page pages.id cascade
  pages.project_id projects.id cascade
  pages.user_id users.id set null
  participants.country_id countries.xmlid no action
  participants.status_id status.id no action
  posts.img_id images.id set null
  posts.project_id projects.id set null
  posts.public_user instructors.id set null
  posts.regio_id projects.id no action
  posts.status_id status.id no action
  posts_tags.post_id posts.id cascade
  posts_tags.tag_id tags.id cascade
  project_members.project_id projects.id cascade
  project_members.user_id users.id cascade
  projects.domain_id domains.id no action
  projects.img_id images.id set null
  projects.owner_id users.id no action
  projects.regio projects.id no action
  projects.status_id status.id no action
  sysdomains.tld tlds.name no action
  tasks.status_id status.id no action
  users.img_id images.id set null
  users.instructor_id instructors.id set null
  users.status_id status.id no action
`

/** By table. */
export const TRIGGERS = `
  domains trigger_enforce_sysdomain_tld
  events trg_update_events_lang
  events trg_update_events_regio
  events trg_validate_event_status
  events trigger_sync_img_fields
  events_tags trg_update_events_tags
  images trigger_compute_image_shapes
  images trigger_propagate_to_entities
  images trigger_update_image_computed_fields
  images trigger_update_image_project_domaincode
  images trigger_update_image_root_id
  instructors trg_update_instructors_regio
  instructors trigger_sync_img_fields
  interactions trigger_check_interactions_status
  locations trg_update_project_location_provider
  locations trigger_sync_img_fields
  posts trg_update_posts_lang
  posts trg_update_posts_regio
  posts trigger_sync_img_fields
  posts_tags trg_update_posts_tags
  projects trigger_create_project_pages_on_status
  projects trigger_sync_img_fields
  tasks tasks_updated_at_trigger
  users trg_update_instructor_is_user
  users trg_update_participant_is_user
  users trigger_check_email_uniqueness
  users trigger_sync_img_fields
`
