-- migrate: description A key-value store for settings that editors share

create table system_config (
  key text primary key,
  value text not null,
  description text,
  updated_at timestamp default current_timestamp
);

comment on table system_config is 'Settings that editors share; values are JSON text';
