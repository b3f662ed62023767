-- migrate: description Projects have a life cycle and pages of their own

alter table projects drop constraint projects_status_check;

update projects
set status = case status when 'active' then 'progress' else 'archived' end
where status is not null;

alter table projects
  alter column status set default 'new',
  add constraint projects_status_check
    check (status in ('new', 'demo', 'draft', 'progress', 'publish', 'released', 'done', 'trash', 'archived', 'linked'));

create table pages (
  id text primary key default gen_random_uuid()::text,
  project_id text not null references projects (id) on delete cascade,
  user_id text references users (id) on delete set null,
  header_type text default 'simple' check (header_type in ('simple', 'columns', 'banner', 'cover', 'bauchbinde')),
  page_type text not null check (page_type in ('landing', 'event', 'post', 'team')),
  created_at timestamp default current_timestamp,
  updated_at timestamp default current_timestamp
);

create table page_sections (
  id text primary key default gen_random_uuid()::text,
  page text not null references pages (id) on delete cascade,
  scope text not null check (scope in ('page', 'header', 'aside', 'bottom')),
  type text not null check (type in ('1_postit', '2_list', '3_gallery')),
  heading text,
  created_at timestamp default current_timestamp,
  updated_at timestamp default current_timestamp
);

-- What a visitor wrote outlives the project that he wrote to, so the project is nullable.
create table form_input (
  id text primary key default gen_random_uuid()::text,
  project text references projects (id) on delete set null,
  name text,
  email text,
  "user" text,
  input jsonb,
  created_at timestamp default current_timestamp,
  updated_at timestamp default current_timestamp
);

create index pages_project_idx on pages (project_id);
create index page_sections_page_idx on page_sections (page);
create index form_input_project_idx on form_input (project);

comment on table pages is 'Pages of a project: at most one of each type';
comment on column pages.user_id is 'Who looks after the page';
comment on table page_sections is 'Sections of a page; they have no life of their own';
comment on table form_input is 'What visitors sent through a project''s forms';
comment on column form_input."user" is 'Mail address of the user who was signed in, if any';

create function create_project_pages() returns trigger
language plpgsql
as $$
begin
  if new.status in ('demo', 'progress') and old.status is distinct from new.status then
    insert into pages (project_id, page_type)
    select new.id, wanted.page_type
    from (values ('landing', true), ('team', new.team_page = 'yes')) as wanted (page_type, is_wanted)
    where wanted.is_wanted
      and not exists (
        select from pages
        where pages.project_id = new.id
          and pages.page_type = wanted.page_type
      );
  end if;
  return new;
end
$$;

create trigger create_project_pages
after update on projects
for each row execute function create_project_pages();

create function guard_project_delete() returns trigger
language plpgsql
as $$
begin
  if old.status not in ('new', 'trash') then
    raise exception 'project "%" is in status "%"', old.id, old.status
      using hint = 'Move it to the trash before you delete it.';
  end if;
  return old;
end
$$;

create trigger guard_project_delete
before delete on projects
for each row execute function guard_project_delete();
