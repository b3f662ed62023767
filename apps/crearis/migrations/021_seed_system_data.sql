-- migrate: description System data: tags, settings, domains, and the first users and projects of an empty installation
-- migrate: manual-only

-- What every installation has. Every import brings it too, before its own rows (understudy.config.ts, datA_config); an installation that nobody
-- brings content into runs this by its name. What is there already stays as it is.

-- 1. Tags -------------------------------------------------------------------------------------------------------------

insert into tags (name, description, name_i18n, desc_i18n)
values
  ('child', 'Für Kinder',
    '{"de": "Kinder", "en": "Children", "cz": "Děti"}',
    '{"de": "Für Kinder bis zwölf", "en": "For children up to twelve", "cz": "Pro děti do dvanácti let"}'),
  ('teen', 'Für Jugendliche',
    '{"de": "Jugendliche", "en": "Teenagers", "cz": "Mládež"}',
    '{"de": "Von dreizehn bis achtzehn", "en": "From thirteen to eighteen", "cz": "Od třinácti do osmnácti"}'),
  ('adult', 'Für Erwachsene',
    '{"de": "Erwachsene", "en": "Adults", "cz": "Dospělí"}',
    '{"de": "Für Erwachsene", "en": "For adults", "cz": "Pro dospělé"}'),
  ('location', 'Ein Ort',
    '{"de": "Spielort", "en": "Venue", "cz": "Místo konání"}',
    '{"de": "Wo gespielt wird", "en": "Where the play is on", "cz": "Kde se hraje"}')
on conflict (name) do nothing;

-- 2. Settings and domains ---------------------------------------------------------------------------------------------

insert into system_config (key, value, description)
values
  ('watchcsv', '{"active": false, "minutes": 15}', 'Ob und wie oft nach neuen CSV-Dateien gesehen wird'),
  ('watchdb', '{"active": false, "minutes": 60}', 'Ob und wie oft die Datenbank geprüft wird')
on conflict (key) do nothing;

insert into tlds (name, description, relevance)
values
  ('de', 'Deutschland', 1),
  ('com', 'Firmen', 3),
  ('org', 'Vereine und Stiftungen', 1),
  ('info', 'Allgemein', 4),
  ('bayern', 'Freistaat Bayern', 3),
  ('eu', 'Europäische Union', 2)
on conflict (name) do nothing;

-- Without a unique key: the three parts together are what tells one from another.
insert into sysdomains (tld, domain, subdomain, description)
select wanted.tld, wanted.domain, wanted.subdomain, wanted.description
from (
  values
    ('org', 'spielraum-beispiel', '', 'Die Seite selbst'),
    ('org', 'spielraum-beispiel', 'projekte', 'Namen für Projekte'),
    ('de', 'theaterprobe-beispiel', '', 'Für Schulen'),
    ('bayern', 'buehnen-muster', '', 'Für Spielorte'),
    ('eu', 'drama-beispiel', '', 'Für Projekte mit Partnern')
) as wanted (tld, domain, subdomain, description)
where not exists (
  select from sysdomains
  where sysdomains.tld = wanted.tld
    and sysdomains.domain = wanted.domain
    and coalesce(sysdomains.subdomain, '') = wanted.subdomain
);

-- 3. Users and projects -----------------------------------------------------------------------------------------------

-- The first ones: where there are users, or projects, nobody is added. Who was removed from an installation does not come back.
-- No password is the hash `!`: nobody signs in until somebody sets one. None is written down anywhere.
insert into users (sysmail, username, password, role, lang, status_id)
select wanted.sysmail, wanted.username, '!', wanted.role, wanted.lang, status_id_of('users', 'new')
from (
  values
    ('verwaltung@spielraum.example', 'Verwaltung', 'admin', 'de'),
    ('redaktion@spielraum.example', 'Redaktion', 'base', 'de'),
    ('ines.gruenwald@spielraum.example', 'Ines Grünwald', 'user', 'de'),
    ('bela.tormann@spielraum.example', 'Béla Tormann', 'user', 'de'),
    ('zdena.kralova@spielraum.example', 'Zdeňka Králová', 'user', 'cz'),
    ('ole.feldmann@spielraum.example', 'Ole Feldmann', 'user', 'de')
) as wanted (sysmail, username, role, lang)
where not exists (select from users);

with made as (
  insert into projects (domaincode, name, heading, type, owner_id, status_id)
  select wanted.domaincode, wanted.name, wanted.heading, wanted.type, users.id, status_id_of('projects', wanted.status)
  from (
    values
      ('tp', 'Theaterpädagogik', '**Theaterpädagogik** – alles an einem Ort', 'special', 'verwaltung@spielraum.example', 'done'),
      ('regio1', 'Region Eins', '**Region Eins** – was bei uns gespielt wird', 'regio', 'redaktion@spielraum.example', 'draft')
  ) as wanted (domaincode, name, heading, type, owner, status)
  left join users on users.sysmail = wanted.owner
  where not exists (select from projects)
  returning id, domaincode, owner_id
), members as (
  insert into project_members (project_id, user_id, role)
  select made.id, users.id, wanted.role
  from (
    values
      ('tp', 'verwaltung@spielraum.example', 'owner'),
      ('tp', 'redaktion@spielraum.example', 'member'),
      ('regio1', 'redaktion@spielraum.example', 'owner')
  ) as wanted (project, member, role)
  join made on made.domaincode = wanted.project
  join users on users.sysmail = wanted.member
)
insert into pages (project_id, user_id, page_type, header_type)
select made.id, made.owner_id, wanted.page_type, 'banner'
from (
  values ('landing'), ('team')
) as wanted (page_type)
join made on made.domaincode = 'tp';
