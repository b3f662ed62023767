-- migrate: description Who takes part in which project, who teaches which event

create table project_members (
  project_id text not null references projects (id) on delete cascade,
  user_id text not null references users (id) on delete cascade,
  role text default 'member',
  added_at timestamp default current_timestamp,
  primary key (project_id, user_id)
);

-- Without foreign keys: instructors are entered before the events that they are meant for, and after.
create table event_instructors (
  event_id text not null,
  instructor_id text not null,
  added_at timestamp default current_timestamp,
  primary key (event_id, instructor_id)
);

alter table users
  add column instructor_id text references instructors (id) on delete set null,
  add column participant_id text;

create index project_members_user_idx on project_members (user_id);
create index users_instructor_idx on users (instructor_id);

comment on table project_members is 'The team of a project';
comment on table event_instructors is 'Who teaches an event';
comment on column users.instructor_id is 'The instructor that this user is';
comment on column users.participant_id is 'The participant that this user is; not checked';
