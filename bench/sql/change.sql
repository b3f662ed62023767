-- Changes one row in a hundred, in every relation; a third of the changed events and posts comes to point elsewhere.

update public.users set profile = '{"city": "Jena", "level": 1}' where id % 100 = 7;
update public.projects set heading = heading || ' (neu)' where id % 100 = 7;
update public.locations set phone = '0' || phone where id % 100 = 7;

update public.events
   set name = name || ' (verschoben)', date_begin = date_begin + interval '1 day', updated_at = updated_at + interval '1 day',
       responsible_id = case when id % 3 = 0 then 1 + id % 50 else responsible_id end
 where id % 100 = 7;

update public.posts
   set body = body || E'\n\nNachtrag: Danke an alle!', updated_at = updated_at + interval '1 day',
       event_id = case when id % 3 = 0 then 1 + id % 500 else event_id end
 where id % 100 = 7;

update public.project_members set role = 'alumni' where (project_id * 31 + user_id) % 100 = 7;
