-- Changes one row in a hundred, in every relation; a third of the changed events and posts comes to point elsewhere. Says how many changed.
with
  u as (update public.users set profile = '{"city": "Jena", "newest": true}' where id % 100 = 7 returning 1),
  p as (update public.projects set heading = heading || ' (neu)' where id % 100 = 7 returning 1),
  l as (update public.locations set phone = '0' || phone where id % 100 = 7 returning 1),
  e as (
    update public.events
       set name = name || ' (verschoben)', date_begin = date_begin + interval '1 day', updated_at = updated_at + interval '1 day',
           responsible_id = case when id % 3 = 0 then 1 + id % 50 else responsible_id end
     where id % 100 = 7
    returning 1
  ),
  o as (
    update public.posts
       set body = body || E'\n\nNachtrag: Danke an alle!', updated_at = updated_at + interval '1 day',
           event_id = case when id % 3 = 0 then 1 + id % 300 else event_id end
     where id % 100 = 7
    returning 1
  ),
  m as (update public.project_members set role = 'alumni' where (project_id * 31 + user_id) % 100 = 7 returning 1)
select (select count(*) from u) + (select count(*) from p) + (select count(*) from l) + (select count(*) from e) + (select count(*) from o)
       + (select count(*) from m) as rows
