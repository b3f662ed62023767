-- migrate: description The application's own settings, one row

create table crearis_config (
  id serial primary key,
  config jsonb not null
);

-- The list is Understudy's to write: it copies its ledger there, in the transaction of each migration.
insert into crearis_config (config)
values ('{"version": "0.0.1", "migrations_run": []}');

comment on table crearis_config is 'Settings of this installation; one row. They belong to the machine, so they are not content';
