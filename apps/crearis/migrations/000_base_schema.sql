-- migrate: description Twelve base tables, keyed by text

create table users (
  id text primary key,
  username text not null unique,
  password text not null,
  role text not null default 'user' check (role in ('user', 'admin')),
  created_at timestamp default current_timestamp,
  updated_at timestamp default current_timestamp
);

-- A project's id is also its name in addresses, hence the narrow alphabet.
create table projects (
  id text primary key constraint projects_id_check check (id ~ '^[a-z][a-z0-9_]*$'),
  name text,
  description text,
  status text default 'active' constraint projects_status_check check (status in ('active', 'inactive')),
  created_at timestamp default current_timestamp,
  updated_at text
);

create table locations (
  id text primary key,
  name text not null,
  phone text,
  email text,
  city text,
  zip text,
  street text,
  country_id text,
  is_company text,
  category_id text,
  cimg text,
  header_type text,
  header_size text,
  md text,
  is_location_provider text,
  event_id text,
  version_id text,
  created_at timestamp default current_timestamp,
  updated_at text
);

create table instructors (
  id text primary key,
  name text not null,
  email text,
  phone text,
  city text,
  country_id text,
  cimg text,
  description text,
  event_id text,
  version_id text,
  created_at timestamp default current_timestamp,
  updated_at text
);

create table participants (
  id text primary key,
  name text not null,
  age integer,
  city text,
  country_id text,
  cimg text,
  description text,
  event_id text,
  type text,
  version_id text,
  created_at timestamp default current_timestamp,
  updated_at text
);

-- Dates come from spreadsheets and from Odoo in several spellings, so they are kept as they were written.
create table events (
  id text primary key,
  name text,
  date_begin text,
  date_end text,
  address_id text,
  user_id text references users (id) on delete set null,
  seats_max integer,
  cimg text,
  header_type text,
  rectitle text,
  teaser text,
  event_id text,
  version_id text,
  created_at timestamp,
  updated_at text,
  status text
);

create table posts (
  id text primary key,
  name text,
  subtitle text,
  teaser text,
  author_id text,
  blog_id text,
  tag_ids text,
  website_published text,
  is_published text,
  post_date text,
  cover_properties text,
  event_id text,
  cimg text,
  version_id text,
  created_at timestamp,
  updated_at text,
  status text
);

create table hero_overrides (
  id text primary key,
  cimg text,
  heading text,
  description text,
  event_ids text,
  created_at timestamp default current_timestamp,
  updated_at text
);

create table releases (
  id text primary key,
  version text not null unique,
  version_major integer not null,
  version_minor integer not null,
  description text,
  state text default 'idea' check (state in ('idea', 'draft', 'final', 'trash')),
  release_date text,
  created_at timestamp default current_timestamp,
  updated_at text
);

create table versions (
  id text primary key,
  version_number text not null unique,
  name text not null,
  description text,
  created_at timestamp default current_timestamp,
  created_by text,
  is_active integer default 0,
  snapshot_data text,
  csv_exported integer default 0,
  notes text
);

create table record_versions (
  id text primary key,
  version_id text not null,
  record_type text not null,
  record_id text not null,
  data text not null,
  created_at timestamp default current_timestamp
);

create table tasks (
  id text primary key,
  name text not null,
  description text,
  status text default 'idea'
    constraint tasks_status_check check (status in ('new', 'idea', 'draft', 'active', 'final', 'reopen', 'trash')),
  category text default 'project' constraint tasks_category_check check (category in ('project', 'base', 'admin')),
  priority text default 'medium' check (priority in ('low', 'medium', 'high', 'urgent')),
  record_type text,
  record_id text,
  assigned_to text,
  created_at timestamp default current_timestamp,
  updated_at text,
  due_date text,
  completed_at text,
  version_id text
);

create index events_user_idx on events (user_id);
create index record_versions_record_idx on record_versions (record_type, record_id);
create index record_versions_version_idx on record_versions (version_id);
create index tasks_record_idx on tasks (record_type, record_id);

create function tasks_touch() returns trigger
language plpgsql
as $$
begin
  new.updated_at := to_char(current_timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
  return new;
end
$$;

create trigger tasks_updated_at_trigger
before update on tasks
for each row execute function tasks_touch();

comment on table users is 'People who may sign in';
comment on table projects is 'Theatre projects and regions; the id names them in addresses';
comment on table locations is 'Places where events happen';
comment on table instructors is 'People who teach';
comment on table participants is 'Children, teenagers and adults who take part';
comment on table events is 'Workshops, courses and performances';
comment on table posts is 'Articles of the blogs';
comment on table hero_overrides is 'Pictures and headings that replace the home page''s own';
comment on column hero_overrides.event_ids is 'Text ids of events, separated by commas';
comment on table releases is 'Releases of the application, planned and done';
comment on table versions is 'Named states of the content';
comment on table record_versions is 'Single records as they were in a version';
comment on table tasks is 'What is to be done, for one record or for the whole site';
comment on column tasks.record_id is 'Text id of a row of the kind that record_type names';
