-- Fills the schema with bench.rows rows in all: the same rows for the same number, on every machine.

create function pg_temp.share(percent numeric) returns bigint language sql immutable
return greatest(2, round(current_setting('bench.rows')::bigint * percent / 100))::bigint;

create function pg_temp.pick(words text[], i bigint) returns text language sql immutable
return words[1 + (i % array_length(words, 1))::integer];

/* A number from 0 to n - 1 that looks like chance. */
create function pg_temp.spread(i bigint, n bigint) returns integer language sql immutable
return ((i * 2654435761 + i / 97) % n)::integer;

create function pg_temp.topic(i bigint) returns text language sql immutable
return pg_temp.pick(array['Sommerwerkstatt', 'Jugendtheater', 'Gruppenführung', 'Körpersprache', 'Improvisation', 'Maskenbau',
  'Stimmbildung', 'Regieübung', 'Erzählcafé', 'Bühnenbild', 'Straßentheater', 'Tanz & Bewegung', 'Figurenspiel', 'Lichttechnik',
  'Probenbesuch', 'Stückentwicklung', 'Forumtheater'], i);

create function pg_temp.city(i bigint) returns text language sql immutable
return pg_temp.pick(array['Berlin', 'Köln', 'München', 'Nürnberg', 'Leipzig', 'Görlitz', 'Lübeck', 'Osnabrück', 'Weimar', 'Füssen',
  'Bad Tölz', 'Rüdesheim', 'Halle (Saale)'], i);

create function pg_temp.sentence(i bigint) returns text language sql immutable
return pg_temp.pick(array[
  'Gemeinsam erarbeiten wir kurze Szenen aus dem Alltag der Gruppe.',
  'Bitte bequeme Kleidung und "feste" Schuhe mitbringen!',
  'Die Teilnahme ist kostenlos, eine Anmeldung über das Büro genügt.',
  'Für Fortgeschrittene, die schon einmal auf der Bühne gestanden haben.',
  'Am Abend zeigen wir, was entstanden ist – Gäste sind herzlich willkommen.',
  'Wer möchte, übernachtet im Gästehaus; Schlafsäcke liegen bereit.',
  'Der Raum ist über den Hof zugänglich, ein Aufzug ist vorhanden.',
  'Das Stück behandelt Fragen, über die sonst niemand gerne spricht.',
  'Zwischen den Proben bleibt genügend Zeit für Gespräche und Kaffee.',
  'Kinder unter zwölf Jahren brauchen eine Begleitung.',
  'Übungen zu Stimme, Atem und Präsenz eröffnen jeden Tag.',
  'Mitschnitte gibt es später auf der Seite des Projekts.',
  'Ermäßigung für Schüler, Studierende und Mitglieder des Vereins.'], i);

insert into public.users (sysmail, username, password, role, lang, is_active, profile, created_at)
select pg_temp.pick(array['anna', 'jörg', 'mehmet', 'katharina', 'søren', 'lucía', 'bärbel', 'tom'], i * 5) || '.' || i || '@theaterpädagogik.example',
       'Nutzer ' || i, 'scrypt:' || md5(i::text) || md5((i + 1)::text), pg_temp.pick(array['user', 'user', 'user', 'admin', 'base'], i),
       pg_temp.pick(array['de', 'de', 'en', 'cz'], i), i % 11 <> 0,
       case when i % 3 <> 0 then jsonb_build_object('city', pg_temp.city(i), 'newsletter', i % 2 = 0, 'level', i % 7) end,
       timestamptz '2019-01-01 08:00+00' + i * interval '31 minutes 7.125 seconds'
  from generate_series(1, pg_temp.share(5)) i;

insert into public.projects (domaincode, name, heading, description, owner_id, config, created_at)
select pg_temp.pick(array['theater', 'aufbruch', 'dasei', 'werkraum', 'spielort'], i * 3) || '_' || i, pg_temp.topic(i) || ' ' || pg_temp.city(i),
       '**' || pg_temp.topic(i + 3) || '** ' || pg_temp.city(i * 7), pg_temp.sentence(i) || ' ' || pg_temp.sentence(i * 5 + 1),
       1 + pg_temp.spread(i, pg_temp.share(5)), jsonb_build_object('theme', i % 9, 'regions', jsonb_build_array(pg_temp.city(i), pg_temp.city(i + 1))),
       timestamptz '2019-06-01 08:00+00' + i * interval '3 hours'
  from generate_series(1, pg_temp.share(0.5)) i;

insert into public.locations (xmlid, name, street, zip, city, phone, latitude, longitude, created_at)
select '_ort.' || lower(translate(pg_temp.city(i), ' ()', '')) || '_' || i, pg_temp.pick(array['Kulturhaus', 'Alte Färberei', 'Bühne am Hof', 'Studio'], i) || ' ' || i,
       'Straße der Künste ' || i % 190, lpad((pg_temp.spread(i, 99999))::text, 5, '0'), pg_temp.city(i), '0' || (30000000 + i),
       47 + pg_temp.spread(i, 8000000) / 1000000.0, 6 + pg_temp.spread(i + 7, 9000000) / 1000000.0, timestamptz '2020-01-01 00:00+00' + i * interval '1 hour'
  from generate_series(1, pg_temp.share(1)) i;

insert into public.events (xmlid, name, teaser, description, date_begin, date_end, project_id, location_id, responsible_id, tags, details, seats,
                           price, created_at, updated_at)
select 'tp.event.' || lower(pg_temp.topic(i * 7)) || '-' || i, pg_temp.topic(i * 7) || ' in ' || pg_temp.city(i), case when i % 3 <> 0 then pg_temp.sentence(i * 3) end,
       case when i % 8 <> 0 then pg_temp.sentence(i) || case when i % 3 = 0 then E'\n\n' || pg_temp.sentence(i + 2) else '' end end,
       timestamptz '2023-01-01 18:00+00' + pg_temp.spread(i, 900000) * interval '2 minutes',
       case when i % 5 <> 0 then timestamptz '2023-01-01 21:30+00' + pg_temp.spread(i, 900000) * interval '2 minutes' end,
       1 + pg_temp.spread(i, pg_temp.share(0.5)), case when i % 10 <> 0 then 1 + pg_temp.spread(i + 3, pg_temp.share(1)) end,
       1 + pg_temp.spread(i + 5, pg_temp.share(5)), case when i % 4 = 0 then '{}' else array[pg_temp.topic(i), 'Kurs', pg_temp.city(i)] end,
       jsonb_build_object('public', i % 2 = 0, 'seats', i % 40, 'contact', 'Büro ' || i % 12), i % 60, (i % 4000) / 100.0,
       timestamptz '2022-10-01 09:15+00' + i * interval '1 second', timestamptz '2022-11-01 09:15+00' + i * interval '1.000123 seconds'
  from generate_series(1, pg_temp.share(40)) i;

insert into public.posts (xmlid, name, teaser, body, project_id, author_id, event_id, tags, meta, is_public, published_at, created_at, updated_at)
select 'tp.post.' || lower(pg_temp.topic(i * 11)) || '-' || i, pg_temp.topic(i * 11) || ': ' || pg_temp.city(i * 3), case when i % 2 = 0 then pg_temp.sentence(i * 5) end,
       '## ' || pg_temp.topic(i) || E'\n\n' || pg_temp.sentence(i) || case when i % 4 = 0 then ' ' || pg_temp.sentence(i * 3 + 2) else '' end,
       1 + pg_temp.spread(i, pg_temp.share(0.5)), 1 + pg_temp.spread(i + 1, pg_temp.share(5)),
       case when i % 3 <> 0 then 1 + pg_temp.spread(i + 2, pg_temp.share(40)) end, case when i % 3 = 0 then '{}' else array[pg_temp.topic(i), 'Bericht'] end,
       case when i % 2 = 0 then jsonb_build_object('words', i % 700, 'source', 'import ' || i % 9) end, i % 7 <> 0,
       case when i % 7 <> 0 then timestamptz '2023-02-01 07:00+00' + pg_temp.spread(i, 90000000) * interval '1 second' end,
       timestamptz '2022-12-01 00:00+00' + i * interval '1 second', timestamptz '2023-01-01 00:00+00' + i * interval '1.000077 seconds'
  from generate_series(1, pg_temp.share(40)) i;

insert into public.project_members (project_id, user_id, role, joined_on)
select 1 + i % pg_temp.share(0.5), 1 + (i % pg_temp.share(0.5) * 37 + i / pg_temp.share(0.5) * 1009) % pg_temp.share(5),
       pg_temp.pick(array['member', 'member', 'owner', 'guest'], i), date '2020-01-01' + (i % 1500)::integer
  from generate_series(1, pg_temp.share(13.5)) i
    on conflict do nothing;
