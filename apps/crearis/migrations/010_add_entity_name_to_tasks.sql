-- migrate: description A task shows the name of its record

alter table tasks add column entity_name text;

create or replace function create_main_task() returns trigger
language plpgsql
as $$
begin
  insert into tasks (id, name, category, record_type, record_id, entity_name)
  values (
    'main_' || tg_argv[0] || '_' || new.id,
    'Betreuen: ' || coalesce(new.name, new.id),
    'main',
    tg_argv[0],
    new.id,
    new.name
  )
  on conflict (id) do nothing;
  return new;
end
$$;

update tasks
set entity_name = entity.name
from (
  select 'event' as record_type, id, name from events
  union all select 'post', id, name from posts
  union all select 'location', id, name from locations
  union all select 'instructor', id, name from instructors
  union all select 'participant', id, name from participants
) as entity
where tasks.record_type = entity.record_type
  and tasks.record_id = entity.id;
