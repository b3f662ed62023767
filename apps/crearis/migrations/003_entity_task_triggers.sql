-- migrate: description Every entity gets a main task, and loses it when it goes

alter table tasks
  drop constraint tasks_category_check,
  add constraint tasks_category_check check (category in ('project', 'base', 'admin', 'main'));

create function create_main_task() returns trigger
language plpgsql
as $$
begin
  insert into tasks (id, name, category, record_type, record_id)
  values ('main_' || tg_argv[0] || '_' || new.id, 'Betreuen: ' || coalesce(new.name, new.id), 'main', tg_argv[0], new.id)
  on conflict (id) do nothing;
  return new;
end
$$;

create function delete_main_task() returns trigger
language plpgsql
as $$
begin
  delete from tasks
  where category = 'main'
    and record_type = tg_argv[0]
    and record_id = old.id;
  return old;
end
$$;

create trigger create_main_task after insert on events for each row execute function create_main_task('event');
create trigger create_main_task after insert on posts for each row execute function create_main_task('post');
create trigger create_main_task after insert on locations for each row execute function create_main_task('location');
create trigger create_main_task after insert on instructors for each row execute function create_main_task('instructor');
create trigger create_main_task after insert on participants for each row execute function create_main_task('participant');

create trigger delete_main_task after delete on events for each row execute function delete_main_task('event');
create trigger delete_main_task after delete on posts for each row execute function delete_main_task('post');
create trigger delete_main_task after delete on locations for each row execute function delete_main_task('location');
create trigger delete_main_task after delete on instructors for each row execute function delete_main_task('instructor');
create trigger delete_main_task after delete on participants for each row execute function delete_main_task('participant');
