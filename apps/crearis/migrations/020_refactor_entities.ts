import { defineMigration } from 'understudy'

/** The entities that have a status, and whether they have a language already (019 gave it to what carries tags). */
const ENTITIES = [
  { name: 'users', hasLang: false },
  { name: 'participants', hasLang: false },
  { name: 'instructors', hasLang: false },
  { name: 'locations', hasLang: false },
  { name: 'tasks', hasLang: false },
  { name: 'events', hasLang: true },
  { name: 'posts', hasLang: true },
] as const

export default defineMigration({
  description: 'Languages, translated states, codes of the interface, interactions',
  async up(db) {
    await db.execute(createStatusLabel)
    for (const { name, hasLang } of ENTITIES) {
      if (!hasLang) await db.execute(addLang(name))
      await db.execute(addStatusDisplay(name))
    }
    await db.execute(createI18nCodes)
    await db.execute(giveProjectsAStatus)
    await db.execute(createInteractions)
  },
})

/**
 * Declared immutable although it reads a table, as a generated column demands, and by a name without a schema, as people
 * write it. What it shows is as old as the row's last write: a state that gets another name shows the old one until then.
 */
const createStatusLabel = `
  create function status_label(status_id integer, language text) returns text
  language sql
  immutable
  as $$
    select coalesce(status.name_i18n ->> language, status.name_i18n ->> 'de', status.name)
    from status
    where status.id = status_id
  $$;
`

function addLang(table: string): string {
  return `
    alter table ${table}
      add column lang text not null default 'de'
        constraint ${table}_lang_check check (lang in ('de', 'en', 'cz'));
  `
}

function addStatusDisplay(table: string): string {
  return `
    alter table ${table}
      add column status_display text generated always as (status_label(status_id, lang)) stored;
    comment on column ${table}.status_display is 'Name of the status in the row''s language, as it was when the row was written';
  `
}

const createI18nCodes = `
  create table i18n_codes (
    id serial primary key,
    name text not null,
    variation text default 'false',
    type text not null check (type in ('button', 'nav', 'field', 'desc')),
    text jsonb not null,
    status text not null default 'de' check (status in ('de', 'en', 'cz', 'draft', 'ok')),
    created_at timestamp default current_timestamp,
    updated_at timestamp default current_timestamp,
    unique (name, variation, type)
  );

  comment on table i18n_codes is 'Words of the user interface';
  comment on column i18n_codes.status is 'Which languages are done: one, or ok for all';

  insert into i18n_codes (name, variation, type, text, status)
  values
    ('save', 'false', 'button', '{"de": "Speichern", "en": "Save", "cz": "Uložit"}', 'ok'),
    ('cancel', 'false', 'button', '{"de": "Abbrechen", "en": "Cancel", "cz": "Zrušit"}', 'ok'),
    ('events', 'false', 'nav', '{"de": "Veranstaltungen", "en": "Events", "cz": "Akce"}', 'ok'),
    ('name', 'false', 'field', '{"de": "Name", "en": "Name", "cz": "Jméno"}', 'ok');
`

/** Pages follow the new status. An old status that the list does not know counts as new; its text stays in status_old. */
const giveProjectsAStatus = `
  alter table projects rename column status to status_old;
  alter table projects
    drop constraint projects_status_check,
    add column status_id integer not null default status_id_of('projects', 'new') references status (id);

  drop trigger create_project_pages on projects;
  drop function create_project_pages();

  update projects
  set status_id = coalesce(status_id_of('projects', status_old), status_id);

  comment on column projects.status_old is 'The status before there were status rows; kept for reference';

  create function create_project_pages() returns trigger
  language plpgsql
  as $$
  begin
    if new.status_id is distinct from old.status_id and exists (
      select from status
      where status.id = new.status_id
        and status."table" = 'projects'
        and status.name in ('demo', 'progress')
    ) then
      insert into pages (project_id, user_id, page_type)
      select new.id, new.owner_id, wanted.page_type
      from (values ('landing', true), ('team', new.team_page = 'yes')) as wanted (page_type, is_wanted)
      where wanted.is_wanted
        and not exists (
          select from pages
          where pages.project_id = new.id
            and pages.page_type = wanted.page_type
        );
    end if;
    return null;
  end
  $$;

  create trigger trigger_create_project_pages_on_status
  after update of status_id on projects
  for each row execute function create_project_pages();
`

const createInteractions = `
  insert into status (value, name, "table", description, name_i18n, desc_i18n)
  values
    (1, 'pending', 'interactions', 'Wartet auf Antwort',
      '{"de": "wartet", "en": "pending", "cz": "čeká"}',
      '{"de": "Wartet auf Antwort", "en": "Waits for an answer", "cz": "Čeká na odpověď"}'),
    (2, 'processed', 'interactions', 'Ist beantwortet',
      '{"de": "bearbeitet", "en": "processed", "cz": "vyřízeno"}',
      '{"de": "Ist beantwortet", "en": "Has been answered", "cz": "Je zodpovězeno"}'),
    (3, 'completed', 'interactions', 'Braucht nichts mehr',
      '{"de": "abgeschlossen", "en": "completed", "cz": "dokončeno"}',
      '{"de": "Braucht nichts mehr", "en": "Needs nothing more", "cz": "Nic dalšího není třeba"}'),
    (9, 'spam', 'interactions', 'Unerwünscht',
      '{"de": "Spam", "en": "spam", "cz": "spam"}',
      '{"de": "Unerwünscht", "en": "Unwanted", "cz": "Nevyžádané"}');

  create table interactions (
    id serial primary key,
    user_id integer references users (id) on delete set null,
    name text not null,
    project_id integer references projects (id) on delete set null,
    "timestamp" timestamp not null default current_timestamp,
    status_id integer not null references status (id),
    actions jsonb,
    to_mail text,
    from_mail text,
    subject text,
    md text,
    fields jsonb
  );

  create index interactions_user_idx on interactions (user_id);
  create index interactions_project_idx on interactions (project_id);

  comment on table interactions is 'What visitors and users did: sign-ups, questions, cancellations';
  comment on column interactions.actions is 'What was done about it, oldest first';

  create function check_interaction_status() returns trigger
  language plpgsql
  as $$
  begin
    if not exists (
      select from status
      where status.id = new.status_id
        and status."table" = 'interactions'
    ) then
      raise exception 'status % is not one of interactions', new.status_id
        using errcode = 'check_violation';
    end if;
    return new;
  end
  $$;

  create trigger trigger_check_interactions_status
  before insert or update of status_id on interactions
  for each row execute function check_interaction_status();
`
