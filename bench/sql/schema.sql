-- The bench's schema: what an application of events and posts has. Four relations with a natural key beside a serial id, one junction.

create table public.users (
  id serial primary key,
  sysmail text not null unique,
  username text not null,
  password text not null,
  role text not null default 'user',
  lang text not null default 'de',
  is_active boolean not null,
  profile jsonb,
  created_at timestamptz not null
);

create table public.projects (
  id serial primary key,
  domaincode text not null unique,
  name text not null,
  heading text,
  description text,
  owner_id integer not null references public.users,
  config jsonb not null,
  created_at timestamptz not null
);

create table public.locations (
  id serial primary key,
  xmlid text not null unique,
  name text not null,
  street text,
  zip text,
  city text not null,
  phone text,
  latitude numeric(9, 6),
  longitude numeric(9, 6),
  created_at timestamptz not null
);

create table public.events (
  id serial primary key,
  xmlid text not null unique,
  name text not null,
  teaser text,
  description text,
  date_begin timestamptz not null,
  date_end timestamptz,
  project_id integer not null references public.projects,
  location_id integer references public.locations,
  responsible_id integer not null references public.users,
  tags text[] not null default '{}',
  details jsonb not null,
  seats smallint,
  price numeric(8, 2),
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index on public.events (project_id);
create index on public.events (date_begin);

create table public.posts (
  id serial primary key,
  xmlid text not null unique,
  name text not null,
  teaser text,
  body text,
  project_id integer not null references public.projects,
  author_id integer not null references public.users,
  event_id integer references public.events,
  tags text[] not null default '{}',
  meta jsonb,
  is_public boolean not null,
  published_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index on public.posts (project_id);
create index on public.posts (published_at);

create table public.project_members (
  project_id integer not null references public.projects,
  user_id integer not null references public.users,
  role text not null,
  joined_on date not null,
  primary key (project_id, user_id)
);
create index on public.project_members (user_id);
