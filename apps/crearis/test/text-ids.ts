/** Content of a database at package A, where texts are keys. */
export const rowsWithTextIds = `
  insert into users (id, username, password, role, sysmail)
  values
    ('u-anna', 'Anna', '!', 'admin', 'anna@crearis.example'),
    ('u-berta', 'Berta Süß', '!', 'base', 'berta@crearis.example');
  insert into projects (id, name, type, status) values ('nord', 'Nord', 'regio', 'new');
  insert into projects (id, name, regio, owner_id, member_ids)
  values ('hofbuehne', 'Hofbühne', 'nord', 'u-anna', '["u-berta", "u-anna"]');
  update projects set status = 'progress' where id = 'hofbuehne';
  update pages set user_id = 'u-berta' where page_type = 'landing';
  insert into page_sections (page, scope, type, heading)
  select id, 'page', '2_list', 'Termine' from pages where page_type = 'landing';
  insert into form_input (project, name) values ('hofbuehne', 'Gast');
  insert into tlds (name) values ('org');
  insert into sysdomains (tld, domain, subdomain) values ('org', 'beispiel', 'projekte');
  insert into domains (sysdomain_id, tld, textdomain, admin_user_id, project_id)
  select id, 'org', 'hofbuehne', 'u-berta', 'hofbuehne' from sysdomains;
  update projects set domain_id = (select id from domains) where id = 'hofbuehne';
  insert into instructors (id, name, country_id) values ('nord.partner.berta_süß', 'Berta Süß', 'base.de');
  insert into participants (id, name, type, country_id) values ('_demo.adult_001', 'Berta Süß', 'adult', 'base.cz');
  update users set instructor_id = 'nord.partner.berta_süß', participant_id = '_demo.adult_001' where id = 'u-berta';
  insert into locations (id, name, zip, project) values ('_demo.location_hof', 'Hof', '01067', 'hofbuehne');
  insert into events (id, name) values ('_demo.event_fest', 'Fest');
  insert into events (
    id, name, event_id, user_id, project, public_user, location, address_id, template, event_type, status
  )
  values (
    '_demo.event_kür', 'Kür', '_demo.event_fest', 'u-berta', 'hofbuehne', 'nord.partner.berta_süß', '_demo.location_hof',
    '_demo.location_hof', '_demo.event_fest', 'workshop', 'released'
  );
  insert into posts (id, name, author_id, event_id, project, public_user)
  values (
    '_demo.post_001', 'Post', 'nord.partner.berta_süß', '_demo.event_kür', 'hofbuehne', 'nord.partner.berta_süß'
  );
  insert into project_members (project_id, user_id, role) values ('hofbuehne', 'u-anna', 'owner');
  insert into event_instructors (event_id, instructor_id) values ('_demo.event_kür', 'nord.partner.berta_süß');
  insert into tasks (id, name, status, record_type, record_id, assigned_to, cimg, updated_at)
  values
    ('t1', 'Plakat', 'final', 'event', '_demo.event_kür', 'u-anna', 'bild.jpg', 'gestern'),
    ('t2', 'Anrufen', null, 'user', 'u-berta', 'alle', null, null);
`
