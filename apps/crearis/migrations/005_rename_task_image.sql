-- migrate: description A task's cover is called as everybody else's

alter table tasks rename column image to cimg;
