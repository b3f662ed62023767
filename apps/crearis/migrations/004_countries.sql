-- migrate: description Countries that a person or a place can be in

create table countries (
  id text primary key,
  code text not null unique check (code ~ '^[A-Z]{2}$'),
  name text not null,
  name_i18n jsonb
);

comment on table countries is 'Countries, under the external ids that Odoo gives them (base.de)';

insert into countries (id, code, name, name_i18n)
select 'base.' || lower(code), code, de, jsonb_build_object('de', de, 'en', en, 'cz', cz)
from (
  values
    ('AT', 'Österreich', 'Austria', 'Rakousko'),
    ('BE', 'Belgien', 'Belgium', 'Belgie'),
    ('CH', 'Schweiz', 'Switzerland', 'Švýcarsko'),
    ('CZ', 'Tschechien', 'Czech Republic', 'Česko'),
    ('DE', 'Deutschland', 'Germany', 'Německo'),
    ('DK', 'Dänemark', 'Denmark', 'Dánsko'),
    ('FR', 'Frankreich', 'France', 'Francie'),
    ('IT', 'Italien', 'Italy', 'Itálie'),
    ('LU', 'Luxemburg', 'Luxembourg', 'Lucembursko'),
    ('NL', 'Niederlande', 'Netherlands', 'Nizozemsko'),
    ('PL', 'Polen', 'Poland', 'Polsko'),
    ('SK', 'Slowakei', 'Slovakia', 'Slovensko')
) as known (code, de, en, cz);

-- A country that is missing above stops the migration here, which is right: nobody can guess its name.
alter table participants
  add constraint participants_country_id_fkey foreign key (country_id) references countries (id);
alter table instructors
  add constraint instructors_country_id_fkey foreign key (country_id) references countries (id);
alter table locations
  add constraint locations_country_id_fkey foreign key (country_id) references countries (id);
