-- migrate: description Users are known by mail address

alter table users
  add column sysmail text,
  add column extmail text;

-- A name that is no mail address gets one under a domain that can never receive mail.
update users
set sysmail = case
  when username ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$' then username
  else 'user-' || md5(id) || '@crearis.invalid'
end;

alter table users
  alter column sysmail set not null,
  add constraint users_sysmail_key unique (sysmail),
  add constraint users_sysmail_check
    check (sysmail ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$'),
  add constraint users_extmail_key unique (extmail),
  add constraint users_extmail_check
    check (extmail is null or extmail ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$'),
  drop constraint users_username_key;

comment on column users.sysmail is 'The address that identifies the user, in every installation';
comment on column users.extmail is 'A private address, if the user gave one';
comment on column users.username is 'The name that others see; not unique';
