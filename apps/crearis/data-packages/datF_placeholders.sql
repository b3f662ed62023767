-- The rows that stood in for what had not arrived. Those that something is still bound to stay: a reference of an import until it has its
-- target, any other until somebody sets it.

delete from events where xmlid = 'setup'
  and not exists (select from events e where 'setup' in (e.event_xmlid, e.template))
  and not exists (select from posts where event_xmlid = 'setup')
  and not exists (select from participants where event_xmlid = 'setup')
  and not exists (select from instructors where event_xmlid = 'setup')
  and not exists (select from locations where event_xmlid = 'setup')
  and not exists (select from event_instructors where event_id = events.id)
  and not exists (select from events_tags where event_id = events.id)
  and not exists (select from tasks where (record_type, record_id) = ('event', 'setup'))
  and not exists (select from record_versions where (record_type, record_id) = ('event', 'setup'));

delete from posts where xmlid = 'setup'
  and not exists (select from posts p where p.template = 'setup')
  and not exists (select from posts_tags where post_id = posts.id)
  and not exists (select from tasks where (record_type, record_id) = ('post', 'setup'))
  and not exists (select from record_versions where (record_type, record_id) = ('post', 'setup'));

delete from participants where xmlid = 'setup'
  and not exists (select from users where participant_id = participants.id)
  and not exists (select from tasks where (record_type, record_id) = ('participant', 'setup'))
  and not exists (select from record_versions where (record_type, record_id) = ('participant', 'setup'));

delete from instructors where xmlid = 'setup'
  and not exists (select from users where instructor_id = instructors.id)
  and not exists (select from events where public_user = instructors.id)
  and not exists (select from posts where public_user = instructors.id or author_id = 'setup')
  and not exists (select from event_instructors where instructor_id = instructors.id)
  and not exists (select from tasks where (record_type, record_id) = ('instructor', 'setup'))
  and not exists (select from record_versions where (record_type, record_id) = ('instructor', 'setup'));

delete from locations where xmlid = 'setup'
  and not exists (select from events where location = locations.id or address_id = 'setup')
  and not exists (select from tasks where (record_type, record_id) = ('location', 'setup'))
  and not exists (select from record_versions where (record_type, record_id) = ('location', 'setup'));
