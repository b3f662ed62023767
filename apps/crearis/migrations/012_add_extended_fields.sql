-- migrate: description Headers, bodies, calls to action, and regions

alter table events
  add column md text,
  add column html text;

alter table posts
  add column header_type text,
  add column md text,
  add column html text;

alter table instructors
  add column multiproject text default 'yes' check (multiproject in ('yes', 'no')),
  add column header_type text,
  add column md text,
  add column html text;

alter table projects
  add column header_type text,
  add column header_size text check (header_size in ('small', 'medium', 'large')),
  add column md text,
  add column html text,
  add column type text default 'project'
    constraint projects_type_check check (type in ('project', 'regio', 'special')),
  add column regio text references projects (id),
  add column partner_projects text,
  add column heading text,
  add column theme integer,
  add column cimg text,
  add column teaser text,
  add column team_page text default 'yes' check (team_page in ('yes', 'no')),
  add column cta_title text,
  add column cta_form text,
  add column cta_entity text check (cta_entity in ('post', 'event', 'instructor')),
  add column cta_link text;

create index projects_regio_idx on projects (regio);

comment on column projects.regio is 'The region that the project belongs to, itself a project';
comment on column projects.partner_projects is 'Ids of other projects, separated by commas';
comment on column projects.theme is 'Colour theme, 0 to 7';
