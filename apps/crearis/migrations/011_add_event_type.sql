-- migrate: description Six types of events

alter table events
  add column event_type text
    constraint events_event_type_check
    check (event_type in ('workshop', 'project', 'course', 'conference', 'online', 'meeting'));
