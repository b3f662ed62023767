-- migrate: description Events, posts and locations belong to projects; events and posts know template and speaker

alter table events
  add column project text references projects (id) on delete set null,
  add column template text,
  add column public_user text references instructors (id) on delete set null,
  add column location text references locations (id) on delete set null;

alter table posts
  add column project text references projects (id) on delete set null,
  add column template text,
  add column public_user text references instructors (id) on delete set null;

alter table locations
  add column project text references projects (id) on delete set null;

create index events_project_idx on events (project);
create index posts_project_idx on posts (project);
create index locations_project_idx on locations (project);

comment on column events.template is 'Text id of the event that this one was made from';
comment on column events.public_user is 'The instructor whom visitors may write to';
comment on column posts.template is 'Text id of the post that this one was made from';
