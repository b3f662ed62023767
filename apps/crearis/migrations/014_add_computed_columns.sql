-- migrate: description Whether a project is a region is computed, not typed

alter table projects
  add column is_regio boolean generated always as (type = 'regio') stored;
