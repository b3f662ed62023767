-- migrate: description Base events; what a task needs for releases and prompts

alter table events
  add column isbase integer default 0;

alter table tasks
  add column release_id text,
  add column image text,
  add column prompt text;

comment on column events.isbase is '1 for an event that others are made from';
comment on column tasks.release_id is 'Text id of the release that the task belongs to';
