-- Triggers keep these columns in step when somebody works with the application. An import writes past them: it brings the columns along with
-- the rows. What is left are rows whose references found their target only now, and sources that do not know these columns.

update instructors
set is_user = exists (select from users where users.instructor_id = instructors.id)
where is_user is distinct from exists (select from users where users.instructor_id = instructors.id);

update participants
set is_user = exists (select from users where users.participant_id = participants.id)
where is_user is distinct from exists (select from users where users.participant_id = participants.id);
