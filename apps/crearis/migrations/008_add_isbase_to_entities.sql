-- migrate: description Base records for posts, locations and instructors too

alter table posts add column isbase integer default 0;
alter table locations add column isbase integer default 0;
alter table instructors add column isbase integer default 0;
