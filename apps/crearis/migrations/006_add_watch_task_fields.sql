-- migrate: description Tasks that watch: what to run, and on which records

alter table tasks
  add column logic text,
  add column filter text;

comment on column tasks.logic is 'Name of the routine that a watching task runs';
comment on column tasks.filter is 'Which records it watches, as JSON text';
