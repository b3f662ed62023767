-- migrate: description Projects can be topics

alter table projects
  drop constraint projects_type_check,
  add constraint projects_type_check check (type in ('project', 'regio', 'special', 'topic')),
  add column is_topic boolean generated always as (type = 'topic') stored;
