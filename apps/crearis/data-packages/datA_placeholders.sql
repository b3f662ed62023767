-- Rows that stand in for what an archive refers to and does not bring: one in each table that has an xmlid, with the status `new` of its kind.
-- datF takes them away again.

insert into events (xmlid, name, date_begin, date_end, status_id)
select 'setup', 'Noch nicht da', '1970-01-01', '1970-01-01', (select id from status where name = 'new' and "table" = 'events')
where not exists (select from events where xmlid = 'setup');
insert into posts (xmlid, name, status_id)
select 'setup', 'Noch nicht da', (select id from status where name = 'new' and "table" = 'posts')
where not exists (select from posts where xmlid = 'setup');
insert into participants (xmlid, name, status_id)
select 'setup', 'Noch nicht da', (select id from status where name = 'new' and "table" = 'participants')
where not exists (select from participants where xmlid = 'setup');
insert into instructors (xmlid, name, status_id)
select 'setup', 'Noch nicht da', (select id from status where name = 'new' and "table" = 'instructors')
where not exists (select from instructors where xmlid = 'setup');
insert into locations (xmlid, name, status_id)
select 'setup', 'Noch nicht da', (select id from status where name = 'new' and "table" = 'locations')
where not exists (select from locations where xmlid = 'setup');
