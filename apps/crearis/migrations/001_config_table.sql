-- migrate: description The application's own settings, one row

create table crearis_config (
  id serial primary key,
  config jsonb not null
);

-- Which migrations ran is recorded in Understudy's ledger, not here: two records of one fact drift apart.
insert into crearis_config (config)
values ('{"version": "0.0.1"}');

comment on table crearis_config is 'Settings of this installation; one row. They belong to the machine, so they are not content';
