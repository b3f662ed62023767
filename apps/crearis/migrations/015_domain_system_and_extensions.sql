-- migrate: description Domains; projects have owners, members and settings; the role base

create table tlds (
  name text primary key,
  description text,
  relevance integer check (relevance in (1, 2, 3, 4))
);

create table sysdomains (
  id serial primary key,
  tld text not null references tlds (name),
  domain text not null,
  subdomain text,
  description text,
  options jsonb,
  domainstring text generated always as (
    case when coalesce(subdomain, '') = '' then domain else subdomain || '.' || domain end
  ) stored
);

-- Declared immutable although it reads a table, as a generated column demands. A domain's name is therefore as old as the
-- row's last write: whoever renames a sysdomain has to write its domains again.
create function domain_name(sysdomain_id integer, textdomain text, tld text) returns text
language sql
immutable
as $$
  select coalesce(nullif(textdomain, '') || '.', '')
    || coalesce((select sysdomains.domainstring from sysdomains where sysdomains.id = sysdomain_id) || '.', '')
    || tld
$$;

create table domains (
  id serial primary key,
  sysdomain_id integer references sysdomains (id),
  tld text not null references tlds (name),
  textdomain text check (textdomain is null or textdomain ~ '^[a-z0-9_]+$'),
  admin_user_id text references users (id) on delete set null,
  project_id text references projects (id) on delete set null,
  description text,
  domainname text generated always as (domain_name(sysdomain_id, textdomain, tld)) stored unique
);

create index domains_project_idx on domains (project_id);

comment on table tlds is 'Top-level domains that projects may use';
comment on table sysdomains is 'Domains of the operator, under which projects get names';
comment on table domains is 'Addresses of projects';
comment on column domains.domainname is 'The whole name, put together when the row is written';

create function enforce_sysdomain_tld() returns trigger
language plpgsql
as $$
begin
  if new.sysdomain_id is not null then
    select sysdomains.tld into new.tld
    from sysdomains
    where sysdomains.id = new.sysdomain_id;
  end if;
  return new;
end
$$;

create trigger trigger_enforce_sysdomain_tld
before insert or update on domains
for each row execute function enforce_sysdomain_tld();

alter table users
  drop constraint users_role_check,
  alter column role drop default,
  add constraint users_role_check check (role in ('user', 'admin', 'base'));

alter table projects
  add column owner_id text references users (id),
  add column is_company boolean default false,
  add column is_location_provider boolean default false,
  add column config jsonb,
  add column domain_id integer references domains (id),
  add column member_ids jsonb,
  add column is_onepage boolean generated always as (coalesce(config -> 'onepage' = 'true', false)) stored,
  add column is_service boolean generated always as (coalesce(config -> 'service' = 'true', false)) stored,
  add column is_sidebar boolean generated always as (coalesce(config -> 'sidebar' = 'true', false)) stored;

create index projects_owner_idx on projects (owner_id);

comment on column projects.member_ids is 'Ids of users, as a JSON array, in the order in which the team page shows them';
