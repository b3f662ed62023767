-- The rows that stood in for what had not arrived. Those that something is still bound to stay until it has its target.

delete from events where xmlid = 'setup'
  and not exists (select from understudy.late_reference where target = 'events' and stand_in in (events.id::text, 'setup'));
delete from posts where xmlid = 'setup'
  and not exists (select from understudy.late_reference where target = 'posts' and stand_in in (posts.id::text, 'setup'));
delete from participants where xmlid = 'setup'
  and not exists (select from understudy.late_reference where target = 'participants' and stand_in in (participants.id::text, 'setup'));
delete from instructors where xmlid = 'setup'
  and not exists (select from understudy.late_reference where target = 'instructors' and stand_in in (instructors.id::text, 'setup'));
delete from locations where xmlid = 'setup'
  and not exists (select from understudy.late_reference where target = 'locations' and stand_in in (locations.id::text, 'setup'));
